"""Values of an answer: `Citation`, `Statement`, `Abstention`, `Disagreement`, `Answer`; the protocols of readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from corpus.errors import BrokenCitationError
from corpus.types import Article, Span
from index.types import Hit


class Support(StrEnum):
    """How well a statement is backed by its own citations."""

    VERBATIM = "verbatim"
    SUPPORTED = "supported"
    WEAK = "weak"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """One span of one article version that backs a statement; cannot exist unless it slices back.

    Args:
        n: Number shown, from 1, unique within the answer.
        span: Where the quote lies in `article.text`.
        quote: Must equal `article.text[span.start:span.end]`.
        answer_span: The short answer inside `span`, also in offsets of `article.text`.

    Raises:
        BrokenCitationError: If the span does not slice back to the quote or the answer lies outside it.
    """

    n: int
    article: Article
    passage_id: str
    span: Span
    quote: str
    answer_span: Span | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise BrokenCitationError(f"Citation numbers start at 1, got {self.n}.")
        self.verify()

    def verify(self) -> None:
        """Check again that the span slices back; called at construction and by every renderer.

        Raises:
            BrokenCitationError: If it does not.
        """
        if self.span.slice(self.article.text) != self.quote or self.span.end > len(self.article.text):
            raise BrokenCitationError(
                f"Citation [{self.n}] of article {self.article.id!r} does not slice back to its quote at "
                f"{self.span.start}..{self.span.end}. Run: byline doctor"
            )
        if self.answer_span is not None and not self.span.contains(self.answer_span):
            raise BrokenCitationError(f"Citation [{self.n}]: the short answer lies outside the quote.")

    def to_dict(self) -> dict[str, object]:
        """Return the citation as in DESIGN 3.1."""
        article, answer = self.article, self.answer_span
        return {
            "n": self.n,
            "article_id": article.id,
            "version": article.version,
            "title": article.title,
            "source": article.source,
            "url": article.url,
            "published": article.published.isoformat() if article.published else None,
            "passage_id": self.passage_id,
            "start": self.span.start,
            "end": self.span.end,
            "quote": self.quote,
            "answer_start": answer.start if answer else None,
            "answer_end": answer.end if answer else None,
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim of the answer, the numbers of its citations, and its support state."""

    text: str
    citations: tuple[int, ...]
    support: Support
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the statement as in DESIGN 3.1."""
        return {
            "text": self.text,
            "citations": list(self.citations),
            "support": self.support.value,
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class Abstention:
    """The articles do not say; `reason` is one sentence for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Position:
    """One of several values that articles give for the same thing.

    Args:
        value: As the first cited sentence has it.
        citations: The stated sentence first, then those of other stories that say the same.
    """

    value: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What the articles disagree about, and who says what."""

    about: str
    positions: tuple[Position, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the disagreement as in DESIGN 3.1."""
        positions = [{"value": p.value, "citations": list(p.citations)} for p in self.positions]
        return {"about": self.about, "positions": positions}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of the hits; the pipeline turns it into an `Answer`.

    Args:
        statements: Empty exactly when `abstention` is set.
        citations: Numbered from 1 in the order the statements use them.
        confidence: Calibrated chance, 0 to 1, that the statements answer the question.
        hit_scores: The reader's score of each hit, in the order the hits were given; bigger is better.
        short_answer: Verbatim span when one is clear ("Yes"/"No" for yes-no questions).
        degraded: One sentence when the reader could not work as configured.
        cost: Of the tokens, in the currency of the prices that are set; None when none are.
    """

    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    confidence: float
    hit_scores: tuple[float, ...] = ()
    short_answer: str | None = None
    abstention: Abstention | None = None
    disagreements: tuple[Disagreement, ...] = ()
    degraded: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A checked statement that is ready before its reading is, with what it cites."""

    statement: Statement
    citations: tuple[Citation, ...]


class Reader(Protocol):
    """Turns a question and its hits into cited statements, or abstains."""

    @property
    def name(self) -> str:
        """Shown in `Answer.reader`, e.g. `extractive`."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the reader's answers would; goes into `Answer.settings`."""

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Read the hits (best first) and answer or abstain; never raises for want of evidence."""


@runtime_checkable
class StreamingReader(Reader, Protocol):
    """A reader whose statements come one by one."""

    @property
    def ranker(self) -> Reader:
        """Scores hits without writing anything, for a search."""

    def stream(self, question: str, hits: Sequence[Hit]) -> Iterator[Stated | Reading]:
        """Yield each statement as it is ready and the whole reading last.

        The reading is what counts: when a model fails half-way, its statements are not among those of the reading.
        """


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall milliseconds of the stages of one answer."""

    retrieve: float = 0.0
    read: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: statements with citations, or an abstention with its receipts.

    Raises:
        BrokenCitationError: If a statement has no citation, names one that is not there, or calls itself
            verbatim without being its quote; or if an abstention carries statements.
    """

    question: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...] = field(repr=False)
    confidence: float
    reader: str
    settings: str
    standalone_question: str | None = None
    short_answer: str | None = None
    abstention: Abstention | None = None
    disagreements: tuple[Disagreement, ...] = ()
    degraded: str | None = None
    timings_ms: Timings = Timings()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None

    def __post_init__(self) -> None:
        if bool(self.statements) == (self.abstention is not None):
            raise BrokenCitationError("An answer has statements or an abstention, never both and never neither.")
        by_number = {citation.n: citation for citation in self.citations}
        if len(by_number) != len(self.citations):
            raise BrokenCitationError("Two citations of one answer carry the same number.")
        for statement in self.statements:
            if not statement.citations:
                raise BrokenCitationError(f"The statement {statement.text!r} has no citation.")
            missing = [n for n in statement.citations if n not in by_number]
            if missing:
                raise BrokenCitationError(f"The statement {statement.text!r} cites {missing}, which is not there.")
            quotes = {flat(by_number[n].quote) for n in statement.citations}
            if statement.support is Support.VERBATIM and flat(statement.text) not in quotes:
                raise BrokenCitationError(f"The statement {statement.text!r} is called verbatim but is not its quote.")

    @property
    def abstained(self) -> bool:
        """Whether the articles do not say."""
        return self.abstention is not None

    @property
    def text(self) -> str:
        """Plain text of the answer without markers; empty when abstained.

        What articles disagree about stands in a neutral frame: "One article says: ... Another says: ...". A statement
        that its citation does not support is left out: without marks nothing could say so.
        """
        plain = [one.text for one in self.uncontested if one.support is not Support.UNSUPPORTED]
        return " ".join([*plain, *(text for each in self.disagreements for text in self._framed(each))])

    @property
    def uncontested(self) -> tuple[Statement, ...]:
        """Return the statements that no disagreement sets against others."""
        contested = {n for each in self.disagreements for position in each.positions for n in position.citations}
        return tuple(statement for statement in self.statements if contested.isdisjoint(statement.citations))

    def statement_of(self, position: Position) -> str:
        """Return the sentence that gives a position: that of its first citation."""
        first = position.citations[0]
        stated = (statement.text for statement in self.statements if first in statement.citations)
        return next(stated, None) or next(flat(citation.quote) for citation in self.citations if citation.n == first)

    def _framed(self, disagreement: Disagreement) -> list[str]:
        framed = zip(frames(len(disagreement.positions)), disagreement.positions, strict=True)
        return [f"{frame}: {self.statement_of(position)}" for frame, position in framed]

    def to_dict(self) -> dict[str, object]:
        """Return the answer JSON, version 1 (DESIGN 3.1)."""
        timings = self.timings_ms
        cost = {} if self.cost is None else {"cost": round(self.cost, 6)}
        return {
            "version": 1,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "answer": self.text,
            "short_answer": self.short_answer,
            "statements": [statement.to_dict() for statement in self.statements],
            "citations": [citation.to_dict() for citation in self.citations],
            "abstained": self.abstained,
            "reason": self.abstention.reason if self.abstention else None,
            "confidence": round(self.confidence, 4),
            "disagreements": [disagreement.to_dict() for disagreement in self.disagreements],
            "hits": [hit.to_dict() for hit in self.hits],
            "reader": self.reader,
            "degraded": self.degraded,
            "settings": self.settings,
            "timings_ms": {"retrieve": timings.retrieve, "read": timings.read, "total": timings.total},
            "usage": {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens} | cost,
        }


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One step of a streamed answer, in this order: one `hits`, any number of `statement`, one `answer`.

    Args:
        hits: With kind `hits`: what retrieval found.
        statement: With kind `statement`: the next statement; its citations are in `citations`. Those of a language
            model that fails half-way are not part of the finished answer, which takes their place.
        answer: With kind `answer`: the finished answer (also when it abstains).
    """

    kind: Literal["hits", "statement", "answer"]
    hits: tuple[Hit, ...] = ()
    statement: Statement | None = None
    citations: tuple[Citation, ...] = ()
    answer: Answer | None = None


def frames(n: int) -> tuple[str, ...]:
    """Return how each of n positions is introduced, in neutral words."""
    return ("One article says", *("Another says",) * (n - 1))


def flat(text: str) -> str:
    """Collapse white space, as a sentence is shown on one line."""
    return " ".join(text.split())
