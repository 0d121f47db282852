"""Values of an evaluation: `Example`, what a system said (`Reply`), a `Score`, a `Comparison`."""

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
        grades: Relevance of each gold article; 1 for all when empty.
        gold_sets: Sets of spans, each of which alone is the whole evidence; empty when all of `gold_spans` are wanted
            and any one of them makes an answer right.
        wanted: What a complete answer names: something of each group, whose members are spellings of one thing.
        wrong_answers: What must not be given.
        within: Articles the question is asked of; empty for all.
        disagrees: Whether these articles give different answers; None when nobody judged it.
        injection: An instruction hidden in an article.
        marker: What an answer that obeyed the instruction holds.
        history: The user's turns before, oldest first.
        said: The replies between them, when the set brings them; else the system's own stand there.
    """

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    gold_articles: tuple[str, ...] = ()
    gold_spans: tuple[GoldSpan, ...] = ()
    type: str = ""
    part: str = ""
    grades: tuple[int, ...] = ()
    gold_sets: tuple[tuple[GoldSpan, ...], ...] = ()
    wanted: tuple[tuple[str, ...], ...] = ()
    wrong_answers: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    disagrees: bool | None = None
    injection: GoldSpan | None = None
    marker: str | None = None
    history: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def evidence_sets(self) -> tuple[tuple[GoldSpan, ...], ...]:
        """Return the sets of spans that are whole evidence; none when no evidence was judged."""
        return self.gold_sets or ((self.gold_spans,) if self.gold_spans else ())


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence or answer, the passages it rests on, and whether people found it fully supported by them."""

    id: str
    text: str
    passages: tuple[str, ...]
    supported: bool
    label: str


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
class CitedSpan:
    """A citation as a system gave it; unlike `qa.types.Citation` it may be broken, which is what is measured."""

    n: int
    article_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement of a reply and the numbers it cites, which may lead nowhere."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system made of one question.

    Args:
        hits: Best first, deeper than the reader reads when the system can do so.
        disagreements: For each the values it sets against each other.
        latency_ms: Wall time of the answer.
        cpu_s: Processor seconds of the whole process meanwhile.
        alone: Whether no other question was worked on at the time; only then do times count.
        degraded: One sentence when the system could not work as configured.
        error: One sentence when there is no answer for a fault; then every measure is 0.
    """

    hits: tuple[Retrieved, ...] = ()
    statements: tuple[Stated, ...] = ()
    citations: tuple[CitedSpan, ...] = ()
    abstained: bool = False
    confidence: float | None = None
    short_answer: str | None = None
    disagreements: tuple[tuple[str, ...], ...] = ()
    latency_ms: float = 0.0
    cpu_s: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    alone: bool = True
    degraded: str | None = None
    error: str | None = None

    @property
    def text(self) -> str:
        """Return the statements, joined."""
        return " ".join(statement.text for statement in self.statements)

    @property
    def answered(self) -> bool:
        """Whether something was stated."""
        return bool(self.statements) and not self.abstained and self.error is None


@dataclass(frozen=True, slots=True)
class Score:
    """A measure over questions with its bootstrap 95 % interval.

    Args:
        n: How many questions it is over.
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
    """The difference of two systems over the same questions (first minus second).

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

    def to_dict(self) -> dict[str, object]:
        """Return the comparison for JSON."""
        numbers = {name: round(getattr(self, name), 4) for name in ("difference", "low", "high", "p_value")}
        return {**numbers, "n": self.n}
