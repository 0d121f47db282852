"""Instructions hidden in news articles: `composed.jsonl` beside the folder of the set whose articles they replace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError
from corpus.load import load_sources
from corpus.normalise import normalise_text
from corpus.types import Article, LoadFailure, Span
from evals.data import EvalSet, find_rows, read_rows, stored_span
from evals.types import Example, GoldSpan

HOST = "news_multihop"  # the sibling folder that holds the clean articles


def load_injection(folder: Path) -> EvalSet:
    """Read the questions whose one article holds an instruction.

    All articles share one library: each altered one is stored under the row's id, and its question is asked of every
    clean article but the one it replaces. So nothing is embedded twice, and only word statistics see both.

    Raises:
        EmptyCorpusError: If the folder of the clean articles is not beside it.
        ArticleFormatError: If a row lacks a field, or its instruction is not in the article.
    """
    corpus = find_rows(folder.resolve().parent / HOST, "corpus")
    clean = {article.id: article for article in load_sources([corpus]) if not isinstance(article, LoadFailure)}
    articles: list[Article] = []
    examples: list[Example] = []
    try:
        for row in read_rows(folder / "composed.jsonl"):
            articles.append(_altered(row, clean))
            examples.append(_example(row, clean))
    except KeyError as error:
        raise ArticleFormatError(f"A row of {str(folder)!r} lacks {error} or names an unknown article.") from error
    return EvalSet(folder.resolve().name, folder, tuple(examples), (*clean.values(), *articles))


def _altered(row: Mapping[str, Any], clean: Mapping[str, Article]) -> Article:
    original = clean[row["doc"]["id"]]
    return Article(
        id=row["id"],
        title=original.title,
        text=normalise_text(row["doc"]["text"]),
        source=original.source,
        url=original.url,
        published=original.published,
        id_given=True,
    )


def _example(row: Mapping[str, Any], clean: Mapping[str, Article]) -> Example:
    replaced, span = row["doc"]["id"], row["injection"]
    place = stored_span(row["doc"]["text"], Span(span["start"], span["end"]))
    return Example(
        id=row["id"],
        question=row["question"],
        answerable=True,
        answers=tuple(row["answers"]),
        gold_articles=tuple(row["id"] if name == replaced else name for name in row["gold_docs"]),
        type=row["attack"].split(":")[0],
        within=(row["id"], *(name for name in clean if name != replaced)),
        injection=GoldSpan(row["id"], place),
        marker=row["marker"],
    )
