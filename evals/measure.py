"""Every measure over the replies to a set: values for each question, pooled rows, and their summary by group."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evals.measures.citations import (
    ArticleTexts,
    measure_citations,
    measure_exactness,
    measure_injection,
    right_sentence,
)
from evals.measures.pooled import POOLED
from evals.measures.retrieval import (
    Values,
    measure_articles,
    measure_evidence,
    measure_evidence_within,
    measure_seen_articles,
    measure_spans,
)
from evals.measures.statistics import summarise, summarise_pooled
from evals.measures.text import contains, measure_completeness, measure_text
from evals.types import Example, Reply, Run, Score

K = 10
BUDGETS_TOKENS = (500, 1_000, 2_000)  # 1,000 is what five of our passages fill, or one chunk of the LlamaIndex starter
PooledRows = dict[str, dict[str, tuple[float, ...]]]
"""Kind of rows (see `POOLED`) -> question id -> its numbers."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: means are over `values`, the other figures over `pooled`."""

    values: Values
    pooled: PooledRows = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for a million tokens of a model that is paid by the token."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, reply: Reply) -> float:
        """Return dollars for a thousand questions such as this one."""
        return (self.prompt * reply.prompt_tokens + self.completion * reply.completion_tokens) / 1_000


def measure_replies(
    examples: Sequence[Example],
    replies: Mapping[str, Reply],
    texts: ArticleTexts,
    *,
    reads: bool = True,
    prices: Prices | None = None,
) -> Figures:
    """Measure everything that the set judges.

    Args:
        examples: The questions asked; one without a reply counts 0.
        replies: By question id.
        texts: Of the articles asked about.
        reads: Whether the system answers; if not, only its hits are measured.
        prices: For the cost; nothing when None.
    """
    run: Run = {name: reply.hits for name, reply in replies.items() if reply.error is None}
    values = measure_run(run, examples)
    if not reads:
        return Figures(values, _times(examples, replies, None))
    right = {example.id: float(is_right(replies.get(example.id), example, texts)) for example in examples}
    values |= {"Right": right}
    values |= measure_citations(replies, examples, texts)
    values |= measure_text(replies, examples)
    values |= measure_completeness(replies, examples)
    values |= measure_injection(replies, examples)
    values |= measure_exactness(replies, examples, texts)
    values["Replied"] = {e.id: float(_came(replies.get(e.id))) for e in examples}
    pooled = _judgements(examples, replies, right) | _times(examples, replies, prices or Prices())
    return Figures({name: by_id for name, by_id in values.items() if by_id}, pooled)


def measure_run(run: Run, examples: Sequence[Example]) -> Values:
    """Return every retrieval measure that the set judges."""
    values = measure_articles(run, examples, K) | measure_seen_articles(run, examples, K)
    values |= measure_spans(run, examples, K) | measure_evidence(run, examples, K)
    for budget in BUDGETS_TOKENS:
        values |= measure_evidence_within(run, examples, budget)
    return {name: by_id for name, by_id in values.items() if by_id}


def is_right(reply: Reply | None, example: Example, texts: ArticleTexts) -> bool:
    """Say whether a question was dealt with rightly: the one figure for answering and declining together.

    Without an answer in the articles, declining is right. Otherwise evidence must be cited where it was judged, else
    a gold article where these were, else an acceptable answer be contained. A failed or missing reply is wrong.
    """
    if reply is None or reply.error is not None:
        return False
    if not example.answerable:
        return reply.abstained
    if not reply.answered:
        return False
    if example.gold_spans:
        return right_sentence(reply, example, texts)
    if example.gold_articles:
        cited = {citation.article_id for citation in reply.citations if texts.holds(citation)}
        return not cited.isdisjoint(example.gold_articles)
    said = (reply.short_answer or "", reply.text)
    return any(contains(text, answer) for text in said for answer in example.answers)


def summarise_figures(figures: Figures, ids: set[str] | None = None) -> list[Score]:
    """Return every score over these questions (all when None); what is not defined on them is left out."""

    def within(rows: Mapping[str, object]) -> dict[str, object]:
        return {name: row for name, row in rows.items() if ids is None or name in ids}

    means = [summarise(name, within(by_id)) for name, by_id in figures.values.items()]  # type: ignore[arg-type]
    pooled = [
        summarise_pooled(name, within(figures.pooled[kind]), statistic)  # type: ignore[arg-type]
        for name, (kind, statistic) in POOLED.items()
        if kind in figures.pooled
    ]
    return [score for score in [*means, *pooled] if score.n and not math.isnan(score.value)]


def group_ids(facts: Sequence[tuple[str, str, str]]) -> dict[str, set[str]]:
    """Return the question ids of each part and type, where there are several, from (id, part, type)."""
    groups: dict[str, set[str]] = {}
    for place in (1, 2):
        names = sorted({fact[place] for fact in facts} - {""})
        if len(names) > 1:
            groups |= {name: {fact[0] for fact in facts if fact[place] == name} for name in names}
    return groups


def _came(reply: Reply | None) -> bool:
    return reply is not None and reply.error is None


def _judgements(examples: Sequence[Example], replies: Mapping[str, Reply], right: Mapping[str, float]) -> PooledRows:
    pooled: PooledRows = {name: {} for name in ("abstention", "risk", "calibration", "disagreement")}
    confident = any(reply.confidence is not None for reply in replies.values())
    for example in examples:
        reply = replies.get(example.id) or Reply(error="missing")
        declined = reply.abstained and reply.error is None
        pooled["abstention"][example.id] = (float(not example.answerable), float(declined))
        if confident:
            confidence = reply.confidence or 0.0
            pooled["risk"][example.id] = (confidence, right[example.id], float(reply.answered))
            if reply.answered:
                pooled["calibration"][example.id] = (confidence, right[example.id])
        if example.disagrees is not None:
            pooled["disagreement"][example.id] = (float(example.disagrees), float(bool(reply.disagreements)))
    if all(example.answerable for example in examples):
        del pooled["abstention"]  # then no abstention is right, and nothing is learned from their number
    return {kind: rows for kind, rows in pooled.items() if rows}


def _times(examples: Sequence[Example], replies: Mapping[str, Reply], prices: Prices | None) -> PooledRows:
    # Times of questions that were worked on together say how busy the machine was, not how long an answer takes.
    asked = {e.id: replies[e.id] for e in examples if e.id in replies and replies[e.id].error is None}
    kinds: dict[str, Callable[[Reply], float]] = {"latency": lambda r: r.latency_ms, "processor": lambda r: r.cpu_s}
    pooled: PooledRows = {
        kind: {name: (of(reply),) for name, reply in asked.items() if reply.alone} for kind, of in kinds.items()
    }
    if prices is not None:
        pooled["tokens"] = {n: (float(r.prompt_tokens + r.completion_tokens),) for n, r in asked.items()}
        pooled["cost"] = {n: (prices.cost(r),) for n, r in asked.items()}
    return {kind: rows for kind, rows in pooled.items() if rows}
