"""Measures, each one function over one question or one list of per-question values; bigger is better.

A question without hits scores 0 and is never dropped; unjudged articles count as not relevant. The ranking measures
are computed by ir-measures (MacAvaney et al., ECIR 2022), the evidence measures here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import ir_measures
import numpy as np
from numpy.typing import NDArray

from corpus.types import Span
from evals.types import Comparison, Example, GoldSpan, Retrieved, Run, Score

COVERED = 0.5  # share of a gold span's characters that must be retrieved; see `found_spans`
RESAMPLES = 2000  # the interval's ends then wander by about a twentieth of its width
PERMUTATIONS = 10_000  # resolves p-values down to 0.0001
SEED = 20261122  # any; fixed, so that a re-run gives identical intervals


def measure_articles(run: Run, examples: Sequence[Example], k: int) -> dict[str, dict[str, float]]:
    """Return nDCG@k, Recall@k, RR@k and AP@k of the article ranking, each per question with gold articles.

    With g(i) = 1 if the article at rank i (from 1) is relevant, and R relevant articles:

    - nDCG@k = sum over i <= k of g(i) / log2(i + 1), divided by the same sum of a perfect ranking of min(R, k)
      articles (Järvelin and Kekäläinen 2002; Burges et al. 2005 agrees for grades 0 and 1).
    - Recall@k = relevant articles among the first k / R.
    - RR@k = 1 / rank of the first relevant article, 0 if there is none up to k (Voorhees 1999).
    - AP@k = mean over the R relevant articles of the precision at their rank, 0 for those after k.

    Articles are ranked by their first passage. Questions without gold articles are left out; questions without hits
    score 0.

    Returns:
        Per measure name, e.g. `nDCG@10`, the value of each question id.
    """
    judged = [example for example in examples if example.gold_articles]
    names = {"nDCG": ir_measures.nDCG, "Recall": ir_measures.R, "RR": ir_measures.RR, "AP": ir_measures.AP}
    measures = {measure @ k: f"{name}@{k}" for name, measure in names.items()}
    values = {name: {example.id: 0.0 for example in judged} for name in measures.values()}
    qrels = [ir_measures.Qrel(example.id, name, 1) for example in judged for name in example.gold_articles]
    ranked = [
        # The rank is given as the score, because trec_eval would break ties of real scores its own way.
        ir_measures.ScoredDoc(example.id, name, -rank)
        for example in judged
        for rank, name in enumerate(rank_articles(run.get(example.id, ())))
    ]
    for found in ir_measures.iter_calc(list(measures), qrels, ranked):
        values[measures[found.measure]][found.query_id] = float(found.value)
    return values


def measure_evidence(run: Run, examples: Sequence[Example], k: int) -> dict[str, dict[str, float]]:
    """Return evidence recall@k and all-evidence@k of the passages, each per question with gold spans.

    - Evidence recall@k = gold spans found by the first k passages / gold spans.
    - All-evidence@k = 1 if every gold span is found, else 0 (as "all supporting facts", Yang et al. 2018, HotpotQA).

    `found_spans` defines found. Questions without gold spans are left out; questions without hits score 0.
    """
    judged = [example for example in examples if example.gold_spans]
    shares = {}
    for example in judged:
        found = found_spans(run.get(example.id, ())[:k], example.gold_spans)
        shares[example.id] = sum(found) / len(example.gold_spans)
    return {
        f"Evidence recall@{k}": shares,
        f"All evidence@{k}": {name: float(share == 1.0) for name, share in shares.items()},
    }


def measure_evidence_within(run: Run, examples: Sequence[Example], budget_tokens: int) -> dict[str, dict[str, float]]:
    """Return evidence recall within a token budget, per question with gold spans.

    The passages are read in order until `budget_tokens` tokens are used up; of the passage that crosses the budget,
    the share of its characters that still fits counts. So systems with long and short passages are compared by what
    a reader with so much room gets to see; recall@k favours long passages.

    Raises:
        ValueError: If a passage does not tell its length.
    """
    judged = [example for example in examples if example.gold_spans]
    values = {}
    for example in judged:
        found = found_spans(_within(run.get(example.id, ()), budget_tokens), example.gold_spans)
        values[example.id] = sum(found) / len(example.gold_spans)
    return {f"Evidence recall@{budget_tokens} tokens": values}


def rank_articles(hits: Iterable[Retrieved]) -> list[str]:
    """Return each article once, in the order of its first passage."""
    return list(dict.fromkeys(hit.article_id for hit in hits))


def found_spans(hits: Iterable[Retrieved], gold: Sequence[GoldSpan], *, covered: float = COVERED) -> list[bool]:
    """Say of each gold span whether the hits show it.

    A span is found when the union of the hits' spans in its article covers at least the share `covered` of its
    characters. So a sentence that a passage border cuts is found by the larger part, or by two halves that are both
    retrieved, and never by a stray word. The article must be the judged one: the same words elsewhere do not count.
    """
    spans: dict[str, list[Span]] = {}
    for hit in hits:
        spans.setdefault(hit.article_id, []).append(hit.span)
    return [
        _covered_characters(target.span, spans.get(target.article_id, ())) >= covered * len(target.span)
        for target in gold
    ]


def summarise(name: str, values: Mapping[str, float]) -> Score:
    """Return the mean over questions with its percentile bootstrap 95 % interval.

    Questions are drawn with replacement (Efron 1979; for retrieval, Sakai 2006). Without questions every number is
    NaN, because a mean of nothing is not 0. The interval depends on the values alone, not on their order.
    """
    sample = np.sort(np.fromiter(values.values(), float, len(values)))
    if not len(sample):
        return Score(name, float("nan"), float("nan"), float("nan"), 0)
    low, high = _interval(sample)
    return Score(name, float(sample.mean()), low, high, len(sample))


def compare(first: Mapping[str, float], second: Mapping[str, float]) -> Comparison:
    """Return the mean difference over the questions of both, with interval and p-value.

    The p-value is of the two-sided paired randomisation test (Fisher 1935; Smucker, Allan and Carterette 2007): the
    share of random swaps of the two systems' values, question by question, whose mean difference is at least as far
    from 0. The observed one is counted among the swaps, so it is never 0, and it is 1 when all values are equal.

    Raises:
        ValueError: If the two do not hold the same questions.
    """
    if first.keys() != second.keys():
        raise ValueError(f"The systems answered different questions: {sorted(first.keys() ^ second.keys())[:3]}...")
    if not first:
        raise ValueError("There is no question to compare on.")
    differences = np.array([first[name] - second[name] for name in sorted(first)])
    random = np.random.default_rng(SEED)
    observed = abs(differences.sum())
    moved = differences[differences != 0]
    as_far = 1
    for _ in range(PERMUTATIONS):
        signs = random.integers(0, 2, len(moved)) * 2 - 1
        as_far += bool(abs(signs @ moved) >= observed - 1e-9)  # sums of floats in another order
    low, high = _interval(np.sort(differences))
    return Comparison(float(differences.mean()), low, high, as_far / (PERMUTATIONS + 1), len(differences))


def _within(hits: Iterable[Retrieved], budget_tokens: int) -> Iterator[Retrieved]:
    left = budget_tokens
    for hit in hits:
        if hit.n_tokens is None:
            raise ValueError(f"A passage of article {hit.article_id!r} does not tell how many tokens it has.")
        if hit.n_tokens > left:
            fitting = len(hit.span) * left // hit.n_tokens
            if fitting:
                yield replace(hit, span=Span(hit.span.start, hit.span.start + fitting))
            return
        left -= hit.n_tokens
        yield hit


def _covered_characters(target: Span, spans: Iterable[Span]) -> int:
    covered, reached = 0, target.start
    for span in sorted(spans):
        start, end = max(span.start, reached), min(span.end, target.end)
        if start < end:
            covered += end - start
            reached = end
    return covered


def _interval(sample: NDArray[np.float64]) -> tuple[float, float]:
    random = np.random.default_rng(SEED)
    n = len(sample)
    means = np.array([sample[random.integers(0, n, n)].mean() for _ in range(RESAMPLES)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
