"""A question in its chat and its time -> an `Answer`: put into words, tried within its days, or asked back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from corpus.errors import SettingsError
from index.stages import stage
from index.types import Filters, Hit
from qa.conversation import History, ask_back, parse_history, resolve
from qa.follow_up import Resolved
from qa.pipeline import EVERYTHING, Pipeline, check_k, check_question
from qa.safe_text import written_date
from qa.small_talk import is_small_talk, reply_to_small_talk
from qa.time_dateparser import TimeAsked, find_time
from qa.types import Abstention, Answer, StreamEvent, Timings
from qa.words import split_words

if TYPE_CHECKING:
    from index.library import Library
    from index.library_dates import DateCounts

_RELEVANT = 0.5  # of the best fused score: passages below are about something else, however new they are
_NEWEST_TRIED = 3  # days on which the newest articles are tried for "latest", each costs a reading


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a pipeline in the context of a chat and of time; safe to use from several threads.

    Args:
        pipeline: Retrieves and reads.
        library: Knows when its articles were published.
    """

    pipeline: Pipeline
    library: Library

    def stream(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> Iterator[StreamEvent]:
        """Yield the hits, each statement, and the finished answer.

        Args:
            question: As asked; it may lean on the history.
            k: Hits shown.
            filters: Which articles may be searched; what the question says about time narrows them further.
            history: The turns before, see `qa.conversation.History`.
            as_of: Answer with what was published by then; relative days are counted from it, else from today.

        Raises:
            SettingsError: If the question is empty or too long, `k` is below 1, or the history is not one.
        """
        asked = check_question(question, self.pipeline.max_question_chars)
        most = check_k(k, self.pipeline.k)
        if is_small_talk(asked):
            return _as_stage(self._small_talk(asked))
        resolved = resolve(asked, parse_history(history))
        if len(resolved.question) > self.pipeline.max_question_chars:
            resolved = Resolved(asked)  # so long a question names its topic itself
        within = _published_by(filters, as_of)
        return _as_stage(self._events(asked, resolved, most, within, as_of))

    def ask(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> Answer:
        """Answer as `stream` does, at once."""
        *_, last = self.stream(question, k=k, filters=filters, history=history, as_of=as_of)
        if last.answer is None:
            raise ValueError("A stream ends with its answer.")
        return last.answer

    def _events(
        self, asked: str, resolved: Resolved, k: int, filters: Filters, as_of: date | None
    ) -> Iterator[StreamEvent]:
        if resolved.unclear is not None:
            yield from self._ask_back(asked, resolved, k, filters)
            return
        today = as_of or date.today()
        words, note = resolved.question, ""
        wanted = find_time(words, today)
        if as_of:
            note = self._undated_note(f"as of {written_date(as_of)}", self._counts())
        attempts = self._attempts(words, wanted, filters, today) if wanted else iter([(filters, "", words)])
        spent = Timings()
        events: list[StreamEvent] = []
        for narrowed, said, read in attempts:
            notes = "; ".join(dict.fromkeys(part for part in f"{said}; {note}".split("; ") if part))
            shown = _shown(words, notes)
            live = self.pipeline.stream(read, k=k, filters=narrowed)
            if not wanted:
                yield from (_named(event, asked, shown, spent) for event in live)
                return
            events = list(live)
            answer = events[-1].answer
            if answer is not None:
                events[-1] = _named(events[-1], asked, shown, spent)
                spent = _sum(spent, answer.timings_ms)
                if not answer.abstained:
                    break
        yield from events

    def _attempts(
        self, question: str, wanted: TimeAsked, filters: Filters, today: date
    ) -> Iterator[tuple[Filters, str, str]]:
        """Yield which articles to try, what is said about it, and what is read; the first answer is taken."""
        narrowed, said = filters, ""
        if wanted.since or wanted.until:
            within = _narrow(filters, wanted)
            counts = self._counts(within) if within else None
            range_ = _range_in_words(wanted)
            counted = f", counted from {written_date(today)}" if wanted.is_relative else ""
            if within and counts and counts.within:
                narrowed, said = within, self._undated_note(f"articles published {range_}{counted}", counts)
                read = _without(question, wanted.words)
                yield from self._newest_first(read, wanted, narrowed, said)
                yield narrowed, said, read
                if not wanted.is_publication:
                    yield filters, f"no article published {range_} answers, so all were read", question
                return
            if counts and (counts.dated or wanted.is_publication):
                said = f"no article is dated {range_}{counted}, so all were read"
        yield from self._newest_first(question, wanted, narrowed, said)
        yield narrowed, "; ".join(part for part in (said, self._unordered(wanted)) if part), question

    def _newest_first(
        self, question: str, wanted: TimeAsked, filters: Filters, said: str
    ) -> Iterator[tuple[Filters, str, str]]:
        if not wanted.is_latest:
            return
        hits = self.pipeline.retriever.retrieve(question, k=max(self.pipeline.k, self.pipeline.n_read), filters=filters)
        best = max((hit.score for hit in hits), default=0.0)
        relevant = [hit for hit in hits if hit.score >= _RELEVANT * best and hit.article.published]
        days = sorted({hit.article.published for hit in relevant if hit.article.published}, reverse=True)
        for day in days[:_NEWEST_TRIED]:
            ids = tuple(sorted({hit.article.id for hit in relevant if hit.article.published == day}))
            note = f"the newest article that answers, of {written_date(day)}"
            yield replace(filters, article_ids=ids), "; ".join(part for part in (said, note) if part), question

    def _unordered(self, wanted: TimeAsked) -> str:
        if not wanted.is_latest:
            return ""
        counts = self._counts()
        return "no article has a date, so none is known to be the newest" if not counts.dated else "all days were read"

    def _counts(self, filters: Filters = EVERYTHING) -> DateCounts:
        from index.library_dates import count_dates

        return count_dates(self.library.file, filters.since, filters.until)

    def _undated_note(self, text: str, counts: DateCounts) -> str:
        if not counts.undated:
            return text
        left_out = (
            "1 article without a date was" if counts.undated == 1 else f"{counts.undated} articles without a date were"
        )
        return f"{text}; {left_out} left out"

    def _ask_back(self, asked: str, resolved: Resolved, k: int, filters: Filters) -> Iterator[StreamEvent]:
        hits = tuple(self.pipeline.retriever.retrieve(asked, k=k, filters=filters))
        yield from self._declined(asked, hits, ask_back(resolved))

    def _small_talk(self, asked: str) -> Iterator[StreamEvent]:
        counts = self._counts()
        yield from self._declined(asked, (), reply_to_small_talk(counts.dated + counts.undated))

    def _declined(self, asked: str, hits: tuple[Hit, ...], reason: str) -> Iterator[StreamEvent]:
        yield StreamEvent("hits", hits=hits)
        answer = Answer(
            question=asked,
            statements=(),
            citations=(),
            hits=hits,
            confidence=0.0,
            reader=self.pipeline.reader.name,
            settings=self.pipeline.fingerprint,
            abstention=Abstention(reason),
        )
        yield StreamEvent("answer", answer=answer)


def _as_stage(events: Iterator[StreamEvent]) -> Iterator[StreamEvent]:
    with stage("ask") as note:
        for event in events:
            if event.answer is not None:
                note(**_facts(event.answer))
            yield event


def _facts(answer: Answer) -> dict[str, object]:
    return {
        "abstained": answer.abstained,
        "confidence": answer.confidence,
        "n_statements": len(answer.statements),
        "reader": answer.reader,
        "settings": answer.settings,
        "degraded": answer.degraded is not None,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "question_text": answer.question,
        "answer_text": " ".join(statement.text for statement in answer.statements),
    }


def _named(event: StreamEvent, asked: str, shown: str, spent: Timings) -> StreamEvent:
    """Put the question as asked, and what it was read as, into the finished answer."""
    if event.answer is None:
        return event
    answer = replace(
        event.answer,
        question=asked,
        standalone_question=shown if shown != asked else None,
        timings_ms=_sum(spent, event.answer.timings_ms),
    )
    return replace(event, answer=answer)


def _shown(question: str, notes: str) -> str:
    if not notes:
        return question
    body = question.rstrip()
    mark = "?" if body.endswith("?") else ""
    return f"{body.rstrip('?. ')} ({notes}){mark}"


def _without(question: str, words: str) -> str:
    """Return the question without the words for its days, unless nothing else is left of it."""
    left = re.sub(r"\s+([?.!,])", r"\1", " ".join(question.replace(words, " ", 1).split()))
    return left if any(not word.is_stop for word in split_words(left)) else question


def _published_by(filters: Filters, as_of: date | None) -> Filters:
    if as_of is None:
        return filters
    try:
        return replace(filters, until=min(as_of, filters.until) if filters.until else as_of)
    except ValueError as error:
        raise SettingsError(f"Nothing can be published by {as_of} and since {filters.since}.") from error


def _narrow(filters: Filters, wanted: TimeAsked) -> Filters | None:
    """Return the filters within the days asked for; None when they have no day in common."""
    since = max((day for day in (filters.since, wanted.since) if day), default=None)
    until = min((day for day in (filters.until, wanted.until) if day), default=None)
    if since and until and since > until:
        return None
    return replace(filters, since=since, until=until)


def _range_in_words(wanted: TimeAsked) -> str:
    if wanted.since and wanted.until:
        if wanted.since == wanted.until:
            return f"on {written_date(wanted.since)}"
        return f"from {written_date(wanted.since)} to {written_date(wanted.until)}"
    if wanted.since:
        return f"on or after {written_date(wanted.since)}"
    return f"on or before {written_date(wanted.until)}" if wanted.until else ""


def _sum(first: Timings, second: Timings) -> Timings:
    return Timings(
        round(first.retrieve + second.retrieve, 1),
        round(first.read + second.read, 1),
        round(first.total + second.total, 1),
    )
