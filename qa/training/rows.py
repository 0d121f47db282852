"""`Row`: one (text, passage) pair to learn from; the parts of a set; the passages a set's articles are cut into."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from corpus.chunk import chunk_article
from corpus.draft import Draft, make_article
from corpus.normalise import normalise_text
from corpus.types import Article, Passage, Span

SPLIT_SEED = 20261125
SHARES = (0.62, 0.16)  # of the questions, for train and tune; the rest is the inner test split
WRITTEN = Path(__file__).parent / "written_news"
PLAIN = Path(__file__).parent / "written_plain"  # likewise, with questions as they are mostly asked
ASKED_NEWS = Path(__file__).parent / "asked_news"  # questions of ours about the articles of news_multihop
QUERIES, OTHER_WORDS = "queries", "other_words"  # files of questions; the second asks in other words, of most articles
CONTRAST = "contrast"  # pairs of questions of one form, one answered and one not (contrast sets, Gardner et al., 2020)
WRITTEN_SHARES = {WRITTEN.name: (0.76, 0.1), PLAIN.name: (0.86, 0.06)}  # of what was written to be learned from


class Part(StrEnum):
    """Inner parts of the DEV sets, by article: weights learn from `train`, thresholds from `tune`."""

    TRAIN = "train"
    TUNE = "tune"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Row:
    """A question or statement over one passage, and what is true of the pair.

    Args:
        text: The question, or the statement whose support is asked.
        header: Title and the like, as at answer time; may be empty.
        spans: Answer spans in characters of `passage`; one is drawn each time. Empty where the passage has no answer.
        answerable: Whether the passage answers; None where nobody knows, or the text is a statement.
        supported: Whether the passage supports the text as a statement; None where nobody knows.
    """

    text: str
    header: str
    passage: str
    spans: tuple[tuple[int, int], ...] = ()
    answerable: bool | None = None
    supported: bool | None = None

    def __post_init__(self) -> None:
        if any(not 0 <= start < end <= len(self.passage) for start, end in self.spans):
            raise ValueError(f"A span of {self.text!r} lies outside its passage.")
        if self.spans and self.answerable is False:
            raise ValueError(f"{self.text!r} has a span but is not answerable.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A judged question on one article of a set.

    Args:
        group: What must stay in one part: all paragraphs of a page, say.
        spans: Of this article, in offsets of its text as stored; one for each annotator.
        gold: All judged evidence with its article, overlapping spans joined.
        answers: Every acceptable answer, as text.
        elsewhere: Places outside `gold` that give an answer: right when cited, nothing missed when not.
    """

    id: str
    question: str
    article_id: str
    group: str
    kind: str
    spans: tuple[Span, ...]
    answers: tuple[str, ...]
    answerable: bool
    gold: tuple[tuple[str, Span], ...] = ()
    elsewhere: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class ChunkedSet:
    """A set's articles with the passages the product cuts them into, and its questions.

    Args:
        passages: By article id, in reading order.
        shares: Of its questions, for the train and the tune part.
        group_pattern: What to cut off an article id, from its last occurrence on, to name its group.
        questions: Stem of the file they stand in.
        given_parts: The part of each group where another file's questions decide it.
    """

    name: str
    articles: Mapping[str, Article]
    passages: Mapping[str, Sequence[Passage]]
    asked: Sequence[Asked]
    shares: tuple[float, float] = SHARES
    group_pattern: str = ""
    questions: str = QUERIES
    given_parts: Mapping[str, Part] = field(default_factory=dict)

    def group(self, article_id: str) -> str:
        """Return the name of what must stay in one part with this article."""
        return article_id.rsplit(self.group_pattern, 1)[0] if self.group_pattern else article_id

    @property
    def marks_answers(self) -> bool:
        """Whether a judged span is the answer itself; clapnq marks whole sentences, not what is asked for."""
        return self.name != "clapnq"

    def parts(self) -> dict[str, Part]:
        """Return the part of each group."""
        return dict(self.given_parts) or split_groups(self.asked, self.shares)

    def part(self, part: Part) -> list[Asked]:
        """Return the questions of one part."""
        parts = self.parts()
        return [one for one in self.asked if parts[one.group] is part]


def split_groups(asked: Iterable[Asked], shares: tuple[float, float] = SHARES) -> dict[str, Part]:
    """Assign every group to a part: shuffled with a fixed seed, within each kind, by the groups' question counts."""
    kinds: dict[str, dict[str, int]] = {}
    for one in asked:
        groups = kinds.setdefault(one.kind, {})
        groups[one.group] = groups.get(one.group, 0) + 1
    parts = {}
    for kind, groups in sorted(kinds.items()):
        names = sorted(groups)
        random.Random(f"{SPLIT_SEED}:{kind}").shuffle(names)
        total, done = sum(groups.values()), 0.0
        for name in names:
            middle = (done + groups[name] / 2) / total
            train, tune = shares
            parts[name] = Part.TRAIN if middle < train else Part.TUNE if middle < train + tune else Part.TEST
            done += groups[name]
    return parts


def load_written(folder: Path = WRITTEN, questions: str = QUERIES) -> ChunkedSet:
    """Read what was written for this project to learn from; the reports of an event make one group.

    Args:
        folder: Of the set.
        questions: Stem of the file of questions; an article's part is the same for all of them.
    """
    of = load_chunked(folder, group_pattern=".", shares=WRITTEN_SHARES[folder.name])
    if questions == QUERIES:
        return of
    asked = list(_read_asked(of, folder, questions))
    return replace(of, asked=asked, questions=questions, given_parts=of.parts())


def load_asked_news(data: Path, questions: str = QUERIES) -> ChunkedSet:
    """Read our own questions about articles of news_multihop; each row names its part.

    The articles are their publishers', so a row names its answer by place alone, with the beginning of the SHA-256 of
    its text.

    Args:
        data: Folder of the sets.
        questions: Stem of the file of questions.

    Raises:
        ValueError: If a place holds another text than when the question was written.
    """
    of = load_chunked(data / "news_multihop")
    asked, parts = [], {}
    for row in read_rows(ASKED_NEWS, questions):
        article = of.articles[row["doc"]]
        spans = (Span(row["start"], row["end"]),) if "start" in row else ()
        answers = tuple(span.slice(article.text) for span in spans)
        if any(hashlib.sha256(answer.encode()).hexdigest()[:12] != row["sha256"] for answer in answers):
            raise ValueError(f"{row['id']}: the article has been changed since its question was written.")
        gold = tuple((article.id, span) for span in spans)
        asked.append(Asked(row["id"], row["question"], article.id, article.id, "", spans, answers, bool(spans), gold))
        parts[article.id] = Part(row["part"])
    name = ASKED_NEWS.name if questions == QUERIES else f"{ASKED_NEWS.name}.{questions}"
    return replace(of, asked=asked, questions=name, given_parts=parts)


def load_chunked(folder: Path, *, group_pattern: str = "", shares: tuple[float, float] = SHARES) -> ChunkedSet:
    """Read a set of our JSONL schema and cut its articles as the product does.

    Args:
        folder: Of the set.
        group_pattern: What to cut off an article id, from its last occurrence on, to name its group (`-` makes one
            group of `page-000`, `page-001`); by default each article is a group.
        shares: Of its questions, for the train and the tune part.
    """
    articles = {article.id: article for article in load_articles(folder)}
    passages = {name: chunk_article(article) for name, article in articles.items()}
    of = ChunkedSet(folder.name, articles, passages, (), shares, group_pattern)
    return replace(of, asked=list(_read_asked(of, folder, QUERIES)))


def load_articles(folder: Path) -> Iterator[Article]:
    """Yield a set's articles as the product stores them."""
    for row in read_rows(folder, "corpus"):
        draft = Draft(
            text=row["text"],
            title=row.get("title"),
            source=row.get("source"),
            published=date.fromisoformat(row["published"][:10]) if row.get("published") else None,
            id=str(row["id"]),
        )
        yield make_article(draft, f"{folder.name}/{row['id']}", str(row["id"]))


def read_rows(folder: Path, stem: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of `stem.jsonl` or `stem.jsonl.gz`."""
    path = next(path for path in (folder / f"{stem}.jsonl", folder / f"{stem}.jsonl.gz") if path.exists())
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def _read_asked(of: ChunkedSet, folder: Path, questions: str) -> Iterator[Asked]:
    for row in read_rows(folder, questions):
        context = str(row.get("context_doc") or next(iter(row["gold_docs"]), row["id"]))
        marked = [(str(gold["doc"]), gold["text"], gold["start"]) for gold in row.get("gold_spans") or ()]
        placed = [(doc, _stored_span(of.articles[doc].text, text, start)) for doc, text, start in marked]
        gold = [(doc, span) for doc, span in placed if span]
        meta = row.get("meta") or {}
        yield Asked(
            id=str(row["id"]),
            question=row["question"],
            article_id=context,
            group=of.group(context),
            kind=str(meta.get("part") or row.get("type") or ""),
            spans=tuple(span for doc, span in gold if doc == context),
            answers=tuple(meta.get("all_answers") or row.get("answers") or ()),
            answerable=row["answerable"],
            gold=_joined(gold),
        )


def _joined(gold: Sequence[tuple[str, Span]]) -> tuple[tuple[str, Span], ...]:
    """Return the evidence in order, overlapping spans of an article joined: two annotators, one piece of evidence."""
    joined: list[tuple[str, Span]] = []
    for article, span in sorted(gold):
        if joined and joined[-1][0] == article and span.start < joined[-1][1].end:
            span = Span(joined[-1][1].start, max(span.end, joined.pop()[1].end))
        joined.append((article, span))
    return tuple(joined)


def _stored_span(stored: str, raw: str, start: int) -> Span | None:
    wanted = normalise_text(raw)
    places = [i for i in range(len(stored)) if wanted and stored.startswith(wanted, i)] if wanted in stored else []
    if not places:
        return None
    place = min(places, key=lambda i: abs(i - start))
    return Span(place, place + len(wanted))
