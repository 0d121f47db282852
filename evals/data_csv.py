"""A CSV with the columns question and answer: what somebody writes down in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

from corpus.errors import ArticleFormatError
from evals.data import EvalSet
from evals.types import Example


def load_csv(path: Path) -> EvalSet:
    """Read rows {question, answer, id?, type?}; several acceptable answers stand between `|`.

    An empty answer means that the articles do not hold one. The articles are not in the file: the caller names them.

    Raises:
        ArticleFormatError: If a column is missing or a question is empty.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"question", "answer"} - set(reader.fieldnames or ())
        if missing:
            raise ArticleFormatError(f"{str(path)!r} lacks the column {sorted(missing)[0]!r}. Name it in line 1.")
        examples = tuple(_example(row, number, path) for number, row in enumerate(reader, 1))
    return EvalSet(path.stem, path, examples)


def _example(row: dict[str, str | None], number: int, path: Path) -> Example:
    question = (row["question"] or "").strip()
    if not question:
        raise ArticleFormatError(f"Row {number} of {str(path)!r} has no question.")
    answers = tuple(answer.strip() for answer in (row["answer"] or "").split("|") if answer.strip())
    name = (row.get("id") or "").strip() or f"{path.stem}-{number}"
    return Example(name, question, bool(answers), answers, type=(row.get("type") or "").strip())
