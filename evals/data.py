"""Read an evaluation set: our own folders here, other formats in the `data_*` files; `load_set` tells them apart."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from corpus.errors import ArticleFormatError, EmptyCorpusError
from corpus.load import load_sources
from corpus.normalise import normalise_text
from corpus.types import Article, LoadFailure, Span
from evals.types import Example, GoldSpan

T = TypeVar("T")
SEED = 20261122  # of samples; any, but fixed


@dataclass(frozen=True, slots=True)
class EvalSet:
    """A set on disk: where its articles are, and its examples.

    Args:
        corpus: For `corpus.load.load_sources`, unless `articles` take its place.
        examples: Offsets point into the texts as stored in a library.
        articles: Of formats that `corpus.load` does not know.
    """

    name: str
    corpus: Path
    examples: tuple[Example, ...]
    articles: tuple[Article, ...] = ()

    def load_articles(self) -> list[Article]:
        """Return every article.

        Raises:
            ArticleFormatError: If one cannot be read: figures over the others would be wrong without saying so.
        """
        if self.articles:
            return list(self.articles)
        loaded: list[Article] = []
        failed: list[LoadFailure] = []
        for each in load_sources([self.corpus]):
            if isinstance(each, LoadFailure):
                failed.append(each)
            else:
                loaded.append(each)
        if failed:
            raise ArticleFormatError(
                f"{len(failed)} articles of {self.name!r} cannot be read: {failed[0].reason} ({failed[0].origin})"
            )
        return loaded


def load_set(path: Path) -> EvalSet:
    """Read a set: our own folder, a BEIR folder, SQuAD JSON, or a CSV of questions and answers.

    Raises:
        EmptyCorpusError: If the path holds none of these.
        ArticleFormatError: If a row lacks a field, or a gold span is not in its article.
    """
    if path.suffix == ".csv":
        from evals.data_csv import load_csv

        return load_csv(path)
    if path.suffix == ".json":
        from evals.data_squad import load_squad

        return load_squad(path)
    if (path / "qrels").is_dir():
        from evals.data_beir import load_beir

        return load_beir(path)
    if (path / "composed.jsonl").exists():
        from evals.data_injection import load_injection

        return load_injection(path)
    return load_own(path)


def load_own(folder: Path) -> EvalSet:
    """Read our own format: `corpus.jsonl[.gz]` beside `queries.jsonl[.gz]` or `conversations.jsonl`.

    A row of queries is {id, question, answers, gold_docs, gold_spans, answerable, type, meta}; of a conversation the
    last turn is asked, the user's turns before it are its history. `docs` with a corpus of `meta.kind` (as in
    conflict_ramdocs) restrict a question to these articles, which disagree when those that are not noise give
    several answers. So do `docs_counterfactual` (as in conflict_rgb_fact), which are shown beside the gold documents.
    """
    corpus = find_rows(folder, "corpus")
    articles = {str(row["id"]): row for row in read_rows(corpus)}
    has_conversations = (folder / "conversations.jsonl").exists()
    queries = find_rows(folder, "conversations" if has_conversations else "queries")
    try:
        examples = tuple(parse_example(row, articles) for row in read_rows(queries))
    except KeyError as error:
        raise ArticleFormatError(f"A row of {str(folder)!r} lacks {error} or names an unknown article.") from error
    return EvalSet(folder.resolve().name, corpus, examples)


def parse_example(row: Mapping[str, Any], articles: Mapping[str, Mapping[str, Any]]) -> Example:
    """Return the example of a row; `articles` are the corpus rows by id.

    Raises:
        KeyError: If the row lacks a field or names an article that is not there.
        ArticleFormatError: If a gold span is not in its article.
    """
    meta = row.get("meta") or {}
    spans = [(str(gold["doc"]), Span(gold["start"], gold["end"])) for gold in row.get("gold_spans") or ()]
    altered = row.get("docs_counterfactual") or ()
    shown = tuple(str(name) for name in row.get("docs") or ((*row["gold_docs"], *altered) if altered else ()))
    return Example(
        id=str(row["id"]),
        question=row["question"],
        answerable=row["answerable"],
        answers=tuple(row.get("answers") or ()),
        gold_articles=tuple(str(name) for name in row.get("gold_docs") or ()),
        gold_spans=merge_overlapping(GoldSpan(name, stored_span(articles[name]["text"], span)) for name, span in spans),
        type=row.get("type") or "",
        part=meta.get("part") or "",
        wanted=tuple((answer,) for answer in row["answers"]) if "wrong_answers" in row else (),
        wrong_answers=tuple(row.get("wrong_answers") or ()),
        within=shown,
        disagrees=True if altered else _disagree([articles[name].get("meta") or {} for name in shown]),
        history=tuple(turn["text"] for turn in (row.get("turns") or ())[:-1] if turn["role"] == "user"),
        said=tuple(turn["text"] for turn in (row.get("turns") or ())[:-1] if turn["role"] == "assistant"),
    )


def sample(examples: Sequence[T], limit: int | None) -> tuple[T, ...]:
    """Return at most `limit` examples or claims, drawn with a fixed seed, in their own order; all when None."""
    if limit is None or limit >= len(examples):
        return tuple(examples)
    chosen = sorted(random.Random(SEED).sample(range(len(examples)), limit))
    return tuple(examples[place] for place in chosen)


def stored_span(raw: str, span: Span) -> Span:
    """Return where a span of the raw text lies in the normalised text.

    Normalising drops and joins characters, so the span's own text is looked for nearest to where it should be.

    Raises:
        ArticleFormatError: If the normalised text does not hold it.
    """
    stored, wanted = normalise_text(raw), normalise_text(span.slice(raw))
    if stored == raw:
        return span
    expected = len(normalise_text(raw[: span.end])) - len(wanted)
    places = list(_occurrences(stored, wanted))
    if not wanted or not places:
        raise ArticleFormatError(f"The evidence {wanted!r} is not in the text of its article.")
    start = min(places, key=lambda place: abs(place - expected))
    return Span(start, start + len(wanted))


def merge_overlapping(spans: Iterable[GoldSpan]) -> tuple[GoldSpan, ...]:
    """Return the spans in order, overlapping ones of an article joined: two annotators, one piece of evidence."""
    merged: list[GoldSpan] = []
    for gold in sorted(spans, key=lambda gold: (gold.article_id, gold.span)):
        last = merged[-1] if merged else None
        if last and last.article_id == gold.article_id and gold.span.start < last.span.end:
            end = max(last.span.end, gold.span.end)
            merged[-1] = GoldSpan(gold.article_id, Span(last.span.start, end))
        else:
            merged.append(gold)
    return tuple(merged)


def check_stored(examples: Iterable[Example], texts: Mapping[str, str]) -> None:
    """Check that every gold article is there and long enough for its spans.

    Args:
        examples: What will be asked.
        texts: By article id, as stored.

    Raises:
        ArticleFormatError: If one is not; figures over such a library would be wrong without saying so.
    """
    for example in examples:
        missing = [name for name in example.gold_articles if name not in texts]
        if missing:
            raise ArticleFormatError(f"Question {example.id!r} needs article {missing[0]!r}, which is not stored.")
        for gold in example.gold_spans:
            if gold.span.end > len(texts[gold.article_id]):
                raise ArticleFormatError(f"Evidence of question {example.id!r} ends after its article does.")


def find_rows(folder: Path, stem: str) -> Path:
    """Return the file of rows with this stem, plain or gzipped.

    Raises:
        EmptyCorpusError: If the folder holds neither.
    """
    for path in (folder / f"{stem}.jsonl", folder / f"{stem}.jsonl.gz"):
        if path.exists():
            return path
    raise EmptyCorpusError(f"{str(folder)!r} holds no {stem}.jsonl or {stem}.jsonl.gz. Name the folder of a set.")


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line that is not blank.

    Raises:
        ArticleFormatError: If a line is not JSON.
    """
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ArticleFormatError(f"Line {number} of {str(path)!r} is not JSON: {error}.") from error


def _disagree(metas: Sequence[Mapping[str, Any]]) -> bool | None:
    if not metas or not all("kind" in meta for meta in metas):
        return None
    return len({meta["answer"] for meta in metas if meta["kind"] != "noise"}) > 1


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    place = text.find(wanted)
    while place >= 0:
        yield place
        place = text.find(wanted, place + 1)
