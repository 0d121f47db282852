"""Suites over known articles: read the rows, judge an answer by what it cites (schema in evals/suites/README.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError
from qa.types import Answer

_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence that may be cited: in the article with this stem, holding all of and one of these strings."""

    article: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]

    def is_in(self, sentence: str) -> bool:
        """Say whether a sentence of that article is the one meant."""
        folded = fold(sentence)
        some = any(fold(word) in folded for word in self.any_of) if self.any_of else True
        return some and all(fold(word) in folded for word in self.all_of)


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a suite.

    Args:
        needs_all: Whether every evidence entry must be cited; otherwise one is enough.
        history: The user's turns before, oldest first.
    """

    id: str
    question: str
    type: str
    answerable: bool
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    needs_all: bool
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer did on a case; for an unanswerable one `right` says that it was declined."""

    case: Case
    right: bool
    answered: bool
    short_answer_right: bool


def load_suite(path: Path) -> list[Case]:
    """Read a suite.

    Raises:
        ArticleFormatError: If a row is not JSON or lacks a field.
    """
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            cases.append(_case(json.loads(line)))
        except (ValueError, KeyError) as error:
            raise ArticleFormatError(f"Line {number} of {str(path)!r} is not a case: {error}. Mend the row.") from error
    return cases


def judge(case: Case, answer: Answer, stems: Mapping[str, str]) -> Verdict:
    """Judge an answer by its citations alone: the right sentence cited, or declined when nothing answers.

    Args:
        case: What was asked.
        answer: What came back.
        stems: The stem of each article by its id, as `evidence` names articles.
    """
    cited = [(stems.get(citation.article.id, ""), citation.quote) for citation in answer.citations]
    found = [any(e.article == stem and e.is_in(quote) for stem, quote in cited) for e in case.evidence]
    covered = all(found) if case.needs_all else any(found)
    right = covered and not answer.abstained if case.answerable else answer.abstained
    short = answer.short_answer is not None and any(fold(a) in fold(answer.short_answer) for a in case.answers)
    return Verdict(case, right, not answer.abstained, short)


def stem_of(origin: str) -> str:
    """Return the stem an article goes by: its front matter's `stem`, or its file's name without the ending."""
    path = Path(origin)
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


def _case(row: Mapping[str, Any]) -> Case:
    evidence = [
        Evidence(entry["article"], tuple(entry.get("all_of", ())), tuple(entry.get("any_of", ())))
        for entry in row["evidence"]
    ]
    turns = tuple(turn["text"] for turn in row.get("history", ()) if turn["role"] == "user")
    return Case(
        id=row["id"],
        question=row["question"],
        type=row["type"],
        answerable=row["answerable"],
        answers=tuple(row["answers"]),
        evidence=tuple(evidence),
        needs_all=row.get("need", "any") == "all",
        history=turns,
    )
