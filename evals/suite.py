"""Suites over known articles: rows name evidence by its words, and become examples with spans in these articles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError, EmptyCorpusError
from corpus.sentences import split_sentences
from corpus.types import Article, Span
from evals.data import EvalSet, merge_overlapping
from evals.types import Example, GoldSpan

SUITES = Path(__file__).parent / "suites"
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


def find_suite(name: str) -> Path:
    """Return the file of a suite by its name in evals/suites or by its path.

    Raises:
        EmptyCorpusError: If there is neither.
    """
    for path in (SUITES / f"{name}.jsonl", Path(name)):
        if path.exists():
            return path
    known = ", ".join(sorted(path.stem for path in SUITES.glob("*.jsonl")))
    raise EmptyCorpusError(f"There is no suite, file or folder {name!r}. Bundled suites: {known}.")


def load_suite(path: Path, articles: Sequence[Article]) -> EvalSet:
    """Read a suite over these articles (schema in evals/suites/README.md), or kept cases (see `qa.keep`).

    Kept cases whose right answer nobody has named yet are left out; `pending_cases` lists them.

    Raises:
        ArticleFormatError: If a row is not JSON, lacks a field, or names evidence that the articles do not hold.
    """
    by_stem = {stem_of(article): article for article in articles}
    by_id = {article.id: article for article in articles}
    examples: list[Example] = []
    for number, row in _rows(path):
        try:
            if row.get("verdict") is None:
                examples.append(_suite_example(row, by_stem))
            elif row["answerable"] is not None:
                examples.append(_kept_example(row, by_id))
        except (KeyError, TypeError) as error:
            raise ArticleFormatError(f"Line {number} of {str(path)!r} is not a case: {error}. Mend the row.") from error
    return EvalSet(path.stem, path, tuple(examples), tuple(articles))


def pending_cases(path: Path) -> list[dict[str, Any]]:
    """Return the kept rows for which nobody has said yet what would have been right."""
    return [row for _, row in _rows(path) if row.get("verdict") is not None and row["answerable"] is None]


def stem_of(article: Article) -> str:
    """Return the stem an article goes by: its front matter's `stem`, or its file's name without the ending."""
    path = Path(article.origin)
    if path.suffix == ".md" and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            if line.startswith("stem: "):
                return line.removeprefix("stem: ").strip()
            if line == "---":
                break
    return path.stem


def fold(text: str) -> str:
    """Return the text without case, with straight quotes and single spaces: how a suite's strings are compared."""
    return " ".join(text.translate(_STRAIGHT).split()).casefold()


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                rows.append((number, json.loads(line)))
            except ValueError as error:
                raise ArticleFormatError(f"Line {number} of {str(path)!r} is not JSON. Mend the row.") from error
    return rows


def _suite_example(row: Mapping[str, Any], by_stem: Mapping[str, Article]) -> Example:
    entries = [_places(entry, by_stem, row["id"]) for entry in row["evidence"]]
    if row.get("need", "any") == "all":
        sets = [merge_overlapping(chosen) for chosen in product(*entries)]
    else:
        sets = [(place,) for places in entries for place in places]
    spans = merge_overlapping(dict.fromkeys(place for places in entries for place in places))
    positions = [tuple(position["answers"]) for position in row.get("positions", ())]
    return Example(
        id=row["id"],
        question=row["question"],
        answerable=row["answerable"],
        answers=tuple(row["answers"]),
        gold_articles=tuple(dict.fromkeys(span.article_id for span in spans)),
        gold_spans=spans,
        gold_sets=tuple(dict.fromkeys(sets)) if entries else (),
        type=row["type"],
        wanted=tuple(tuple(part) for part in row.get("parts", ())) or tuple(positions),
        disagrees=bool(positions),
        history=tuple(turn["text"] for turn in row.get("history", ()) if turn["role"] == "user"),
    )


def _places(entry: Mapping[str, Any], by_stem: Mapping[str, Article], case: str) -> list[GoldSpan]:
    article = by_stem.get(entry["article"])
    if article is None:
        raise ArticleFormatError(f"Case {case!r} is about {entry['article']!r}, which is not among the articles.")
    all_of, any_of = ([fold(word) for word in entry.get(name, ())] for name in ("all_of", "any_of"))

    def meant(sentence: Span) -> bool:
        folded = fold(sentence.slice(article.text))
        return all(word in folded for word in all_of) and (not any_of or any(word in folded for word in any_of))

    places = [GoldSpan(article.id, sentence) for sentence in split_sentences(article.text) if meant(sentence)]
    if not places:
        raise ArticleFormatError(f"The evidence {dict(entry)!r} of case {case!r} is in no sentence of its article.")
    return places


def _kept_example(row: Mapping[str, Any], by_id: Mapping[str, Article]) -> Example:
    spans = []
    for gold in row["gold_spans"]:
        article, span = by_id.get(gold["doc"]), Span(gold["start"], gold["end"])
        if article is None or span.slice(article.text) != gold["text"]:
            raise ArticleFormatError(
                f"Kept case {row['id']!r} expects {gold['text']!r} in article {gold['doc']!r}, which has been changed "
                "or removed. Name it again with: byline eval keep"
            )
        spans.append(GoldSpan(article.id, span))
    merged = merge_overlapping(spans)
    return Example(
        id=row["id"],
        question=row["question"],
        answerable=row["answerable"],
        answers=tuple(row.get("answers") or ()),
        gold_articles=tuple(dict.fromkeys(span.article_id for span in merged)),
        gold_spans=merged,
        type="kept",
    )
