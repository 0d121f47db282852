"""The one path from a question to an `Answer`: retrieve, read, cite, or abstain."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corpus.errors import SettingsError
from corpus.normalise import normalise_text
from index.types import Filters, Hit
from qa.types import Abstention, Answer, Reader, Reading, StreamEvent, Timings

if TYPE_CHECKING:
    from index.retrieve import Retriever

EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A retriever and a reader, joined; safe to use from several threads when they are.

    Args:
        fingerprint: Put into `Answer.settings`.
        k: Hits per question when the caller names no number.
        max_question_chars: Longer questions are refused.
    """

    retriever: Retriever
    reader: Reader
    fingerprint: str
    k: int
    max_question_chars: int

    def ask(self, question: str, *, k: int | None = None, filters: Filters = EVERYTHING) -> Answer:
        """Answer from the articles, or abstain with the hits as receipts.

        Raises:
            SettingsError: If the question is empty or too long, or `k` is below 1.
        """
        *_, last = self.stream(question, k=k, filters=filters)
        if last.answer is None:
            raise ValueError("A stream ends with its answer.")
        return last.answer

    def stream(self, question: str, *, k: int | None = None, filters: Filters = EVERYTHING) -> Iterator[StreamEvent]:
        """Yield the hits, then each statement, then the finished answer.

        Raises:
            SettingsError: As in `ask`; raised by the call, before the first event.
        """
        return self._events(check_question(question, self.max_question_chars), check_k(k, self.k), filters)

    def _events(self, question: str, k: int, filters: Filters) -> Iterator[StreamEvent]:
        started = time.perf_counter()
        hits = self.retriever.retrieve(question, k=k, filters=filters)
        retrieved = time.perf_counter()
        yield StreamEvent("hits", hits=tuple(hits))
        resumed = time.perf_counter()  # what the consumer did with the hits is not our time
        reading = self.reader.read(question, hits) if hits else _nothing_found(filters)
        finished = time.perf_counter()
        retrieve, read = _ms(retrieved - started), _ms(finished - resumed)
        timings = Timings(retrieve, read, round(retrieve + read, 1))
        # Built before the first statement leaves, so that nothing is shown that its citations do not carry.
        answer = self._answer(question, hits, reading, timings)
        by_number = {citation.n: citation for citation in answer.citations}
        for statement in answer.statements:
            cited = tuple(by_number[n] for n in statement.citations)
            yield StreamEvent("statement", statement=statement, citations=cited)
        yield StreamEvent("answer", answer=answer)

    def _answer(self, question: str, hits: Sequence[Hit], reading: Reading, timings: Timings) -> Answer:
        return Answer(
            question=question,
            statements=reading.statements,
            citations=reading.citations,
            hits=_with_reader_scores(hits, reading.hit_scores),
            confidence=reading.confidence,
            reader=self.reader.name,
            settings=self.fingerprint,
            short_answer=reading.short_answer,
            abstention=reading.abstention,
            disagreements=reading.disagreements,
            degraded=reading.degraded or _retrieval_degraded(hits),
            timings_ms=timings,
            prompt_tokens=reading.prompt_tokens,
            completion_tokens=reading.completion_tokens,
        )


def check_question(question: str, max_chars: int) -> str:
    """Return the question normalised as the articles were, so that the same letters meet.

    Raises:
        SettingsError: If it is empty or longer than `max_chars`.
    """
    readable = normalise_text(question)
    if not readable:
        raise SettingsError("The question is empty. Ask one in words.")
    if len(readable) > max_chars:
        raise SettingsError(
            f"The question has {len(readable):,} characters; at most {max_chars:,} are read. Shorten it."
        )
    return readable


def check_k(k: int | None, default: int) -> int:
    """Return how many hits are wanted.

    Raises:
        SettingsError: If it is below 1.
    """
    if k is not None and k < 1:
        raise SettingsError(f"k must be at least 1, not {k}.")
    return default if k is None else k


def _with_reader_scores(hits: Sequence[Hit], scores: Sequence[float]) -> tuple[Hit, ...]:
    # Rank and score stay the retriever's: they say what ordered the list; the reader's opinion is one more signal.
    if not scores:
        return tuple(hits)
    pairs = zip(hits, scores, strict=True)
    return tuple(replace(hit, signals=replace(hit.signals, reader=float(score))) for hit, score in pairs)


def _retrieval_degraded(hits: Sequence[Hit]) -> str | None:
    if hits and all(hit.signals.cosine is None for hit in hits):
        return "The encoder did not answer in time, so the passages were found by their words alone."
    return None


def _nothing_found(filters: Filters) -> Reading:
    reason = "No passage of the library has to do with the question."
    if filters:
        reason = f"No stored article is {_in_words(filters)}, so nothing was searched."
    return Reading((), (), 0.0, abstention=Abstention(reason))


def _in_words(filters: Filters) -> str:
    parts = []
    if filters.outlets:
        parts.append(f"by {' or '.join(filters.outlets)}")
    if filters.since:
        parts.append(f"dated {filters.since} or later")
    if filters.until:
        parts.append(f"dated {filters.until} or earlier")
    if filters.article_ids:
        parts.append(f"among the ids {', '.join(filters.article_ids)}")
    return " and ".join(parts)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
