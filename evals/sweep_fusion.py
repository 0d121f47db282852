"""How the weight of meaning against words changes what is found: `python -m evals fusion SET... --libraries DIR`.

The weight in `index.retrieve` is one for all questions. It is chosen on the even half of each set's questions (by a
hash of their ids) and checked on the odd half, which has no part in the choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.table import Table

from evals.data import EvalSet, check_stored
from evals.measure import K
from evals.measures.retrieval import measure_articles, measure_evidence
from evals.types import Example, Retrieved, Run
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import CANDIDATES, Retriever, fuse_candidates, spread
from index.types import Embedder

WEIGHTS = tuple(step / 20 for step in range(21))


@dataclass(frozen=True, slots=True)
class WeightRow:
    """What one weight scores on one half of a set.

    Args:
        ndcg: nDCG@10 of articles.
        evidence: Evidence recall@10 of passages.
    """

    set_name: str
    half: str
    dense_weight: float
    ndcg: float
    evidence: float


def sweep_weights(
    of: EvalSet, library: Path, *, embedder: Embedder | None = None, on_question: Callable[[], None] = lambda: None
) -> list[WeightRow]:
    """Return a row for every weight and half; each question is searched once.

    Args:
        of: The set; questions without gold articles have no part.
        library: Folder to keep; a second sweep embeds nothing.
        embedder: The embedded one when None.
        on_question: Called after each question.
    """
    articles = of.load_articles()
    check_stored(of.examples, {article.id: article.text for article in articles})
    examples = [example for example in of.examples if example.gold_articles]
    runs: dict[float, dict[str, tuple[Retrieved, ...]]] = {weight: {} for weight in WEIGHTS}
    with open_index(library, embedder or embedded_encoder()) as index:
        add_articles(index, articles)
        passages = index.library.passages(index.library.passage_ids())
        retriever = Retriever(index)
        for example in examples:
            candidates = retriever.find(example.question)
            for weight, run in runs.items():
                ranked = islice(spread(fuse_candidates(candidates, weight)), CANDIDATES)
                found = ((passages[passage_id], score) for passage_id, score in ranked)
                run[example.id] = tuple(Retrieved(p.article_id, p.span, score) for p, score in found)
            on_question()
    halves = {half: [e for e in examples if half_of(e) == half] for half in ("even", "odd")}
    return [_row(of.name, half, weight, run, own) for weight, run in runs.items() for half, own in halves.items()]


def half_of(example: Example) -> str:
    """Return `even` or `odd` by a hash of the question's id, so that neighbours in the file are parted."""
    return ("even", "odd")[hashlib.sha256(example.id.encode()).digest()[0] % 2]


def best_weight(rows: Sequence[WeightRow], half: str) -> float:
    """Return the weight with the highest mean, over sets, of nDCG and evidence recall; the smaller of equals."""
    totals: dict[float, float] = {}
    for row in rows:
        if row.half == half:
            totals[row.dense_weight] = totals.get(row.dense_weight, 0.0) + row.ndcg + row.evidence
    return max(totals, key=lambda weight: (round(totals[weight], 6), -weight))


def weight_table(rows: Sequence[WeightRow]) -> Table:
    """Return a line for each weight and a column for each half of each set."""
    columns = sorted({(row.set_name, row.half) for row in rows})
    table = Table("weight", *(f"{name}, {half}" for name, half in columns), title="nDCG@10 / evidence recall@10")
    for weight in WEIGHTS:
        cells = {(r.set_name, r.half): f"{r.ndcg:.4f} / {r.evidence:.4f}" for r in rows if r.dense_weight == weight}
        table.add_row(f"{weight:.2f}", *(cells[column] for column in columns))
    return table


def _row(name: str, half: str, weight: float, run: Run, examples: Sequence[Example]) -> WeightRow:
    ndcg = measure_articles(run, examples, K)[f"nDCG@{K}"]
    evidence = measure_evidence(run, examples, K)[f"Evidence recall@{K}"]
    return WeightRow(name, half, weight, sum(ndcg.values()) / len(ndcg), sum(evidence.values()) / len(evidence))
