"""What the network makes of a question over each hit: the best span of every sentence, and its two verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from corpus.types import Span
from index.types import Hit
from qa.answer_spans import AnswerSpan, best_spans
from qa.left_out import find_left_out, spans_left_out
from qa.network_onnx import Logits
from qa.reading_input import ReadingInput, make_header, make_input


class PairScorer(Protocol):
    """Scores (text, passage) pairs; `qa.network_onnx.ReaderNetwork` is the shipped one."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the logits would."""

    def score(self, pairs: Sequence[ReadingInput]) -> list[Logits]:
        """Return the logits of each pair, in order."""


@dataclass(frozen=True, slots=True)
class PassageReading:
    """One hit as the network read it.

    Args:
        answers: For each sentence of the passage, its best span, in offsets of the article's text; None where the
            input was cut before it, or where the question leaves out what alone could answer.
        answerable: Logit that the passage answers the question.
        supported: Logit that the passage supports the question, taken as a statement.
    """

    answers: tuple[AnswerSpan | None, ...]
    answerable: float
    supported: float

    @property
    def best(self) -> float:
        """Return the best span's score; that of a passage without sentences is low."""
        return max((answer.score for answer in self.answers if answer), default=LOW_SCORE)


LOW_SCORE = -30.0  # below what the network gives to any span


def read_passages(network: PairScorer, question: str, hits: Sequence[Hit]) -> list[PassageReading]:
    """Read the question over every hit, in order; what the question leaves out ("besides Rwanda") answers nowhere."""
    left_out = find_left_out(question)
    pairs = [make_input(question, make_header(hit.article), hit.passage.text) for hit in hits]
    scored = zip(hits, pairs, network.score(pairs), strict=True)
    return [_in_article(hit, pair, logits, left_out) for hit, pair, logits in scored]


def _in_article(hit: Hit, pair: ReadingInput, logits: Logits, left_out: frozenset[str]) -> PassageReading:
    passage, offset = hit.passage, hit.passage.span.start
    bounds = [Span(sentence.start - offset, sentence.end - offset) for sentence in passage.sentences]
    found = best_spans(pair, logits.spans, passage.text, bounds, spans_left_out(passage.text, left_out))
    answers = tuple(
        AnswerSpan(Span(one.span.start + offset, one.span.end + offset), one.score) if one else None for one in found
    )
    return PassageReading(answers, logits.answerable, logits.supported)
