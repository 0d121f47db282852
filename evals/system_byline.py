"""Byline itself as a system under test, through its Python API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import index.retrieve
from evals.types import CitedSpan, Example, Reply, Retrieved, Stated
from index.types import Filters, Hit
from qa.byline import Byline
from qa.conversation import Turn
from qa.types import Answer

DEPTH = 100  # hits measured: enough to rank ten articles by their first passage and to fill 2,000 tokens
WARM_UP = "What is known?"  # loads encoder, reader and index, so that no measured question pays for it


class BylineSystem:
    """An open library that answers; any thread may ask it.

    Args:
        byline: Holds the articles of the set.
    """

    name = "byline"
    reads = True

    def __init__(self, byline: Byline) -> None:
        self._byline = byline
        self.fingerprint = byline.ask(WARM_UP).settings

    def reply(self, example: Example) -> Reply:
        """Answer the question as the product does; its hits are fetched again, deeper than it reads."""
        filters = Filters(article_ids=example.within)
        history = self._history(example, filters)
        clock, processor = time.perf_counter(), time.process_time()
        answer = self._byline.ask(example.question, filters=filters, history=history)
        latency_ms, cpu_s = (time.perf_counter() - clock) * 1000, time.process_time() - processor
        asked = answer.standalone_question or example.question
        hits = self._byline.search(asked, k=DEPTH, filters=filters)
        return reply_of(answer, hits, latency_ms=latency_ms, cpu_s=cpu_s)

    def _history(self, example: Example, filters: Filters) -> list[Answer | Turn]:
        """Return the turns before: as they were said where the set tells, else Byline's own answers."""
        if example.said:
            pairs = zip(example.history, example.said, strict=False)
            return [turn for user, reply in pairs for turn in (Turn("user", user), Turn("assistant", reply))]
        history: list[Answer | Turn] = []
        for question in example.history:
            history.append(self._byline.ask(question, filters=filters, history=history))
        return history


def reply_of(answer: Answer, hits: list[Hit], *, latency_ms: float, cpu_s: float) -> Reply:
    """Return an answer as measures see it."""
    return Reply(
        hits=tuple(Retrieved(hit.article.id, hit.passage.span, hit.score, hit.passage.n_tokens) for hit in hits),
        statements=tuple(Stated(statement.text, statement.citations) for statement in answer.statements),
        citations=tuple(CitedSpan(c.n, c.article.id, c.span.start, c.span.end, c.quote) for c in answer.citations),
        abstained=answer.abstained,
        confidence=answer.confidence,
        short_answer=answer.short_answer,
        disagreements=tuple(tuple(p.value for p in each.positions) for each in answer.disagreements),
        latency_ms=latency_ms,
        cpu_s=cpu_s,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        degraded=answer.degraded,
    )


@contextmanager
def weighing(dense_weight: float | None) -> Iterator[None]:
    """Let retrieval in this process weigh meaning against words otherwise while the block runs.

    The product has no such setting, only the constant that was chosen; a sweep asks what it should be.
    """
    shipped = index.retrieve.fuse_candidates
    if dense_weight is not None:
        index.retrieve.fuse_candidates = partial(shipped, dense_weight=dense_weight)
    try:
        yield
    finally:
        index.retrieve.fuse_candidates = shipped
