"""Yes-no questions: the question as a statement, and the word that the cited sentences warrant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.types import Span
from index.types import Hit
from qa.reading_input import make_header
from qa.support import Evidence, SupportChecker, find_problems

_AUXILIARY = re.compile(
    r"^\W*(is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)(n[’']t)?\s+", re.IGNORECASE
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth last only"
_ORDINAL = re.compile(rf"\b(?:{_ORDINALS.replace(' ', '|')}|\d+(?:st|nd|rd|th))\b", re.IGNORECASE)
_DENIES = "It states what the cited text denies."


class YesNo:
    """Says Yes, No, or nothing, from the sentences that an answer cites.

    Args:
        checker: Judges whether a passage supports the question as a statement.
    """

    def __init__(self, checker: SupportChecker) -> None:
        self._checker = checker

    def answer(self, question: str, cited: Sequence[tuple[Hit, Span]]) -> str | None:
        """Return "Yes" when a cited passage supports the question's statement, "No" when a cited sentence denies it.

        Returns:
            None when neither is clear: the cited sentences are then the answer, and no word is put into their mouth.
        """
        statement = as_statement(question)
        if statement is None or not cited:
            return None
        evidence = [
            Evidence(span.slice(hit.article.text), hit.passage.text, make_header(hit.article)) for hit, span in cited
        ]
        problems = [find_problems(statement, [f"{one.header} {one.quote}"]) for one in evidence]
        if any(_DENIES in found for found in problems):
            return "No"
        if any(_ranks_otherwise(statement, one.quote) for one in evidence):
            return None
        chance = max(self._checker.chances(statement, evidence))
        supported = chance >= self._checker.supported_from
        return "Yes" if supported and not find_problems(statement, [one.passage for one in evidence]) else None


def _ranks_otherwise(statement: str, quote: str) -> bool:
    """Say whether both count a place in a row and never the same: "the first deal" and "the second attempt"."""
    ours, theirs = ({found.lower() for found in _ORDINAL.findall(text)} for text in (statement, quote))
    return bool(ours and theirs) and not ours & theirs


def as_statement(question: str) -> str | None:
    """Turn "Did Rwanda sign a deal?" into "Rwanda sign a deal": the words of a statement, whatever their grammar.

    Returns:
        None when the question does not begin with an auxiliary verb, or nothing is left.
    """
    opening = _AUXILIARY.match(question)
    if opening is None:
        return None
    rest = question[opening.end() :].rstrip(" ?!.")
    negated = "not " if opening.group(2) else ""
    return f"{negated}{rest}." if rest else None
