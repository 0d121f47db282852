"""Read an evaluation set: a folder with `corpus.jsonl[.gz]` and `queries.jsonl[.gz]`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError, EmptyCorpusError
from corpus.normalise import normalise_text
from corpus.types import Article, Span
from evals.types import Example, GoldSpan


@dataclass(frozen=True, slots=True)
class EvalSet:
    """A set on disk: where its articles are, and its examples.

    Args:
        corpus: For `corpus.load.load_sources`.
        examples: Offsets point into the texts as stored in a library.
    """

    name: str
    corpus: Path
    examples: tuple[Example, ...]


def load_set(folder: Path) -> EvalSet:
    """Read a set; a row of `queries` is {id, question, answers, gold_docs, gold_spans, answerable, type, meta}.

    Raises:
        EmptyCorpusError: If the folder lacks one of the two files.
        ArticleFormatError: If a row lacks a field, or a gold span is not in its article.
    """
    corpus = _find(folder, "corpus")
    texts = {str(row["id"]): row["text"] for row in _rows(corpus)}
    try:
        examples = tuple(_example(row, texts) for row in _rows(_find(folder, "queries")))
    except KeyError as error:
        raise ArticleFormatError(f"A row of {str(folder)!r} lacks {error} or names an unknown article.") from error
    return EvalSet(folder.resolve().name, corpus, examples)


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


def check_stored(examples: Iterable[Example], articles: Mapping[str, Article]) -> None:
    """Check that every gold article is stored and long enough for its spans.

    Raises:
        ArticleFormatError: If one is not; figures over such a library would be wrong without saying so.
    """
    for example in examples:
        missing = [name for name in example.gold_articles if name not in articles]
        if missing:
            raise ArticleFormatError(f"Question {example.id!r} needs article {missing[0]!r}, which is not stored.")
        for gold in example.gold_spans:
            if gold.span.end > len(articles[gold.article_id].text):
                raise ArticleFormatError(f"Evidence of question {example.id!r} ends after its article does.")


def _example(row: Mapping[str, Any], texts: Mapping[str, str]) -> Example:
    meta = row.get("meta") or {}
    spans = [(str(gold["doc"]), Span(gold["start"], gold["end"])) for gold in row.get("gold_spans") or ()]
    return Example(
        id=str(row["id"]),
        question=row["question"],
        answerable=row["answerable"],
        answers=tuple(row.get("answers") or ()),
        gold_articles=tuple(str(name) for name in row.get("gold_docs") or ()),
        gold_spans=merge_overlapping(GoldSpan(name, stored_span(texts[name], span)) for name, span in spans),
        type=row.get("type") or "",
        part=meta.get("part") or "",
        context=str(row.get("context_doc") or next(iter(row.get("gold_docs") or ()), row["id"])),
    )


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    place = text.find(wanted)
    while place >= 0:
        yield place
        place = text.find(wanted, place + 1)


def _find(folder: Path, stem: str) -> Path:
    for path in (folder / f"{stem}.jsonl", folder / f"{stem}.jsonl.gz"):
        if path.exists():
            return path
    raise EmptyCorpusError(f"{str(folder)!r} holds no {stem}.jsonl or {stem}.jsonl.gz. Name the folder of a set.")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ArticleFormatError(f"Line {number} of {str(path)!r} is not JSON: {error}.") from error
