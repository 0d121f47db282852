"""The one path from a question to an `Answer`: retrieve, read, cite, or abstain."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corpus.errors import SettingsError
from corpus.normalise import normalise_text
from index.stages import stage
from index.types import Filters, Hit
from qa.types import Abstention, Answer, Reader, Reading, StreamEvent, StreamingReader, Timings

if TYPE_CHECKING:
    from index.retrieve import Retriever

EVERYTHING = Filters()
MAX_K = 100  # passages in one answer that somebody else asks for: more is a dump, not an answer
N_READ = 20  # the reader's own ranking finds more evidence in ten of twenty hits than in the retriever's first ten


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A retriever and a reader, joined; safe to use from several threads when they are.

    Args:
        fingerprint: Put into `Answer.settings`.
        k: Hits that an answer shows when the caller names no number.
        n_read: Hits that the reader gets, when that is more: what is shown is the best of what was read.
        max_question_chars: Longer questions are refused.
    """

    retriever: Retriever
    reader: Reader
    fingerprint: str
    k: int
    max_question_chars: int
    n_read: int = N_READ

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

    def search(self, query: str, *, k: int | None = None, filters: Filters = EVERYTHING) -> list[Hit]:
        """Return the k best passages by the reader's own ranking of `n_read` that were found; nothing is answered.

        Raises:
            SettingsError: As in `ask`.
        """
        wanted, most = check_question(query, self.max_question_chars), check_k(k, self.k)
        hits = self.retriever.retrieve(wanted, k=max(most, self.n_read), filters=filters)
        ranker = self.reader.ranker if isinstance(self.reader, StreamingReader) else self.reader
        scores = ranker.read(wanted, hits).hit_scores if hits else ()
        return rank_read(hits, Reading((), (), 0.0, scores), most)

    def _events(self, question: str, k: int, filters: Filters) -> Iterator[StreamEvent]:
        started = time.perf_counter()
        hits = self.retriever.retrieve(question, k=max(k, self.n_read), filters=filters)
        retrieved = time.perf_counter()
        yield StreamEvent("hits", hits=tuple(hits[:k]))
        resumed = time.perf_counter()  # what the consumer did with the hits is not our time
        shown: list[StreamEvent] = []
        with stage("read"):
            if hits and isinstance(self.reader, StreamingReader):
                reading = yield from _stream_statements(self.reader, question, hits, shown)
            else:
                reading = self.reader.read(question, hits) if hits else _nothing_found(filters)
        finished = time.perf_counter()
        retrieve, read = _ms(retrieved - started), _ms(finished - resumed)
        timings = Timings(retrieve, read, round(retrieve + read, 1))
        # Built before the first statement leaves, so that nothing is shown that its citations do not carry.
        answer = self._answer(question, rank_read(hits, reading, k), reading, timings)
        by_number = {citation.n: citation for citation in answer.citations}
        for statement in answer.statements:
            cited = tuple(by_number[n] for n in statement.citations)
            event = StreamEvent("statement", statement=statement, citations=cited)
            if event not in shown:
                yield event
        yield StreamEvent("answer", answer=answer)

    def _answer(self, question: str, hits: Sequence[Hit], reading: Reading, timings: Timings) -> Answer:
        return Answer(
            question=question,
            statements=reading.statements,
            citations=reading.citations,
            hits=tuple(hits),
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
            cost=reading.cost,
        )


def _stream_statements(
    reader: StreamingReader, question: str, hits: Sequence[Hit], shown: list[StreamEvent]
) -> Generator[StreamEvent, None, Reading]:
    """Yield each statement as it is ready, keep the events in `shown`, and return the reading."""
    for step in reader.stream(question, hits):
        if isinstance(step, Reading):
            return step
        for citation in step.citations:
            citation.verify()
        shown.append(StreamEvent("statement", statement=step.statement, citations=step.citations))
        yield shown[-1]
    raise ValueError("A reader's stream ends with its reading.")


def check_question(question: str, max_chars: int) -> str:
    """Return the question normalised as the articles were, so that the same letters meet.

    Raises:
        SettingsError: If it is empty, holds no letter and no digit, or is longer than `max_chars`.
    """
    readable = normalise_text(question)
    if not readable:
        raise SettingsError("The question is empty. Ask one in words.")
    if not any(char.isalnum() for char in readable):
        raise SettingsError("The question holds no word. Ask one in words.")
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


def rank_read(hits: Sequence[Hit], reading: Reading, k: int) -> list[Hit]:
    """Rank hits by what the reader thought of them, and keep the best k.

    What the answer cites is kept before all else. A reader without scores leaves the retriever's order.
    """
    scores = reading.hit_scores
    if not scores:
        return list(hits[:k])
    if len(scores) != len(hits):
        raise ValueError(f"The reader scored {len(scores)} of {len(hits)} hits.")
    order = sorted(range(len(hits)), key=lambda i: (-scores[i], hits[i].passage.id))
    cited = {citation.passage_id for citation in reading.citations}
    first = sorted(order, key=lambda i: hits[i].passage.id not in cited)[:k]
    kept = [i for i in order if i in first]
    return [
        replace(
            hits[i],
            rank=rank,
            score=float(scores[i]),
            signals=replace(hits[i].signals, reader=float(scores[i])),
        )
        for rank, i in enumerate(kept, 1)
    ]


def _retrieval_degraded(hits: Sequence[Hit]) -> str | None:
    return next((hit.degraded for hit in hits if hit.degraded), None)


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
