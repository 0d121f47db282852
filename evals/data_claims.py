"""Labelled claims (`items.jsonl[.gz]`): sentences or answers, what they rest on, and whether people found support."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpus.chunk import chunk_article
from corpus.errors import ArticleFormatError
from corpus.normalise import normalise_text
from corpus.types import Article
from evals.data import find_rows, read_rows
from evals.types import Claim

SUPPORTED = {"supported", "benign"}  # the rest, also in part or questionable, is not fully supported


def load_claims(folder: Path) -> tuple[Claim, ...]:
    """Read the claims of a set; their passages are cut as the product cuts articles.

    Raises:
        EmptyCorpusError: If the folder holds no items.
        ArticleFormatError: If a row lacks a field.
    """
    try:
        return tuple(_claim(row) for row in read_rows(find_rows(folder, "items")))
    except KeyError as error:
        raise ArticleFormatError(f"A row of {str(folder)!r} lacks {error}.") from error


def _claim(row: Mapping[str, Any]) -> Claim:
    passages = tuple(text for passage in row["passages"] for text in _cut(passage))
    return Claim(str(row["id"]), row["claim"].strip(), passages, row["label"] in SUPPORTED, row["label"])


def _cut(passage: Mapping[str, Any]) -> list[str]:
    text = normalise_text("\n".join(passage["sentences"]) if "sentences" in passage else passage["text"])
    if not text:
        return []
    return [cut.text for cut in chunk_article(Article(id=str(passage["id"]), title="Evidence", text=text))]
