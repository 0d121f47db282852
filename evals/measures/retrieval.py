"""How well passages are found: ranking measures by ir-measures (MacAvaney et al., ECIR 2022), evidence measures here.

A question without hits scores 0 and is never dropped; unjudged articles count as not relevant; bigger is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import ir_measures

from corpus.types import Span
from evals.types import Example, GoldSpan, Retrieved, Run

Values = dict[str, dict[str, float]]
"""Measure name -> question id -> value."""

COVERED = 0.5  # share of a gold span's characters that must be retrieved; see `found_spans`


def measure_articles(run: Run, examples: Sequence[Example], k: int) -> Values:
    """Return nDCG@k, Recall@k, RR@k and AP@k of the article ranking, each per question with gold articles.

    With g(i) = the grade of the article at rank i (from 1), 0 if it is not relevant, and R relevant articles:

    - nDCG@k = sum over i <= k of g(i) / log2(i + 1), divided by the same sum of a perfect ranking
      (Järvelin and Kekäläinen 2002; Burges et al. 2005 agrees for grades 0 and 1).
    - Recall@k = relevant articles among the first k / R.
    - RR@k = 1 / rank of the first relevant article, 0 if there is none up to k (Voorhees 1999).
    - AP@k = mean over the R relevant articles of the precision at their rank, 0 for those after k.

    Articles are ranked by their first passage. Questions without gold articles are left out; questions without hits
    score 0.

    Returns:
        Per measure name, e.g. `nDCG@10`, the value of each question id.
    """
    judged = [example for example in examples if example.gold_articles]
    qrels = [
        ir_measures.Qrel(example.id, name, grade)
        for example in judged
        for name, grade in zip(example.gold_articles, example.grades or [1] * len(example.gold_articles), strict=True)
    ]
    ranked = {example.id: rank_articles(run.get(example.id, ())) for example in judged}
    return _rank(qrels, ranked, k, "")


def measure_spans(run: Run, examples: Sequence[Example], k: int) -> Values:
    """Return Span nDCG@k, Recall@k, RR@k and AP@k over gold spans, each per question with gold spans.

    The formulas of `measure_articles` with gold spans as what is to be found, so that R does not change when articles
    are cut into other passages. A passage with which spans become found (`found_spans`, over the hits so far) stands
    at its rank for these, one after the other; a passage that adds none stands for something not relevant.
    """
    judged = [example for example in examples if example.gold_spans]
    qrels = [
        ir_measures.Qrel(example.id, f"span{number}", 1)
        for example in judged
        for number in range(len(example.gold_spans))
    ]
    ranked = {example.id: _rank_spans(run.get(example.id, ())[:k], example.gold_spans) for example in judged}
    return _rank(qrels, ranked, k, "Span ")


def measure_evidence(run: Run, examples: Sequence[Example], k: int) -> Values:
    """Return evidence recall@k and all-evidence@k of the passages, each per question with gold spans.

    - Evidence recall@k = gold spans found by the first k passages / gold spans.
    - All-evidence@k = 1 if every gold span is found, else 0 (as "all supporting facts", Yang et al. 2018, HotpotQA).

    Where several sets of spans are each enough, the one found best counts. `found_spans` defines found. Questions
    without gold spans are left out; questions without hits score 0.
    """
    judged = [example for example in examples if example.gold_spans]
    shares = {example.id: _share_found(run.get(example.id, ())[:k], example) for example in judged}
    return {
        f"Evidence recall@{k}": shares,
        f"All evidence@{k}": {name: float(share == 1.0) for name, share in shares.items()},
    }


def measure_evidence_within(run: Run, examples: Sequence[Example], budget_tokens: int) -> Values:
    """Return evidence recall within a token budget, per question with gold spans.

    The passages are read in order until `budget_tokens` tokens are used up; of the passage that crosses the budget,
    the share of its characters that still fits counts. So systems with long and short passages are compared by what
    a reader with so much room gets to see; recall@k favours long passages.

    Raises:
        ValueError: If a passage does not tell its length.
    """
    judged = [example for example in examples if example.gold_spans]
    values = {e.id: _share_found(list(_within(run.get(e.id, ()), budget_tokens)), e) for e in judged}
    return {f"Evidence recall@{budget_tokens} tokens": values}


def measure_seen_articles(run: Run, examples: Sequence[Example], k: int) -> Values:
    """Return the recall of gold articles among those the first k passages come from, and whether all are there.

    What somebody sees who asks for k hits, where Recall@k ranks k articles however many passages that takes. The
    second is the success of multi-hop retrieval (as in Tang and Yang 2024, MultiHop-RAG).
    """
    judged = [example for example in examples if example.gold_articles]
    shares = {}
    for example in judged:
        seen = {hit.article_id for hit in run.get(example.id, ())[:k]}
        shares[example.id] = len(seen.intersection(example.gold_articles)) / len(set(example.gold_articles))
    return {
        f"Articles in {k} passages": shares,
        f"All articles in {k} passages": {name: float(share == 1.0) for name, share in shares.items()},
    }


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


def _rank(qrels: Sequence[ir_measures.Qrel], ranked: Mapping[str, Sequence[str]], k: int, prefix: str) -> Values:
    names = {"nDCG": ir_measures.nDCG, "Recall": ir_measures.R, "RR": ir_measures.RR, "AP": ir_measures.AP}
    measures = {measure @ k: f"{prefix}{name}@{k}" for name, measure in names.items()}
    values: Values = {name: dict.fromkeys(ranked, 0.0) for name in measures.values()}
    scored = [
        # The rank is given as the score, because trec_eval would break ties of real scores its own way.
        ir_measures.ScoredDoc(question, name, -rank)
        for question, found in ranked.items()
        for rank, name in enumerate(found[:k])
    ]
    for found in ir_measures.iter_calc(list(measures), qrels, scored):
        values[measures[found.measure]][found.query_id] = float(found.value)
    return values


def _rank_spans(hits: Sequence[Retrieved], gold: Sequence[GoldSpan]) -> list[str]:
    ranked: list[str] = []
    known: set[int] = set()
    for place in range(len(hits)):
        shown = {number for number, found in enumerate(found_spans(hits[: place + 1], gold)) if found}
        ranked += [f"span{number}" for number in sorted(shown - known)] or [f"nothing{place}"]
        known |= shown
    return ranked


def _share_found(hits: Sequence[Retrieved], example: Example) -> float:
    return max(sum(found_spans(hits, spans)) / len(spans) for spans in example.evidence_sets)


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
