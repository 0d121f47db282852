"""Values of an evaluation: `Example` with its `GoldSpan`s, what a system `Retrieved`, a `Score`, a `Comparison`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corpus.types import Span


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A judged piece of evidence: offsets into the stored text of one article, so that it outlives re-chunking."""

    article_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Example:
    """One judged question.

    Args:
        answers: Acceptable short answers; empty when the articles do not say.
        gold_articles: Articles judged relevant; may be set although the question cannot be answered from them.
        gold_spans: Evidence; spans of one article do not overlap.
        type: Groups the report, e.g. `comparison`.
        part: Which part of a composed set, e.g. `squad2`.
        context: The article the question was asked on, also when it cannot be answered; splits keep it together.
    """

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    gold_articles: tuple[str, ...] = ()
    gold_spans: tuple[GoldSpan, ...] = ()
    type: str = ""
    part: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A hit as measures see it, whatever system found it.

    Args:
        n_tokens: Length of the passage (tiktoken `o200k_base`); None when nobody measures by it.
    """

    article_id: str
    span: Span
    score: float
    n_tokens: int | None = None


Run = Mapping[str, tuple[Retrieved, ...]]
"""Hits per question id, best first; a question that is missing found nothing."""


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over questions with its bootstrap 95 % interval.

    Args:
        n: How many questions the mean is over.
    """

    name: str
    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, object]:
        """Return the score for JSON, rounded to what the interval can bear."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "n": self.n,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean difference of two systems over the same questions (first minus second).

    Args:
        low: Lower end of the bootstrap 95 % interval of the difference.
        high: Its upper end.
        p_value: Two-sided, of a paired randomisation test.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int
