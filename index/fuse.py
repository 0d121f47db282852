"""Join the scores of two indexes into one ranking: convex sum of scaled scores, or reciprocal ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SCALED_DEPTH = 100  # scores are scaled over the best hundred: the worst of them is 0
RRF_CONSTANT = 60  # Cormack, Clarke and Büttcher 2009; only used to compare


def fuse_convex(lexical: Mapping[str, float], dense: Mapping[str, float], dense_weight: float) -> dict[str, float]:
    """Return (1 - dense_weight) * scaled lexical + dense_weight * scaled dense, 0 to 1, for every id of either.

    An id that one side did not score counts as that side's worst (Bruch, Gai and Ingber 2023 compare the ways to
    fuse and find this one the most robust).

    Args:
        lexical: Passage id -> BM25 score.
        dense: Passage id -> cosine.
        dense_weight: 0 to 1; 0 ranks by BM25 alone, 1 by cosine alone.
    """
    if not 0.0 <= dense_weight <= 1.0:
        raise ValueError(f"dense_weight is {dense_weight!r}; use a number from 0 to 1.")
    left, right = scale(lexical), scale(dense)
    return {
        passage_id: (1.0 - dense_weight) * left.get(passage_id, 0.0) + dense_weight * right.get(passage_id, 0.0)
        for passage_id in left.keys() | right.keys()
    }


def fuse_reciprocal_ranks(lexical: Mapping[str, float], dense: Mapping[str, float]) -> dict[str, float]:
    """Return the sum of 1 / (60 + rank) over both rankings; kept only as the measured comparison."""
    fused: dict[str, float] = {}
    for scores in (lexical, dense):
        for rank, passage_id in enumerate(best_first(scores), 1):
            fused[passage_id] = fused.get(passage_id, 0.0) + 1.0 / (RRF_CONSTANT + rank)
    return fused


def scale(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores moved to 0..1: the best is 1, the hundredth best and all below it are 0; equal scores are 1."""
    if not scores:
        return {}
    best = sorted(scores.values(), reverse=True)[:SCALED_DEPTH]
    high, low = best[0], best[-1]
    if high == low:
        return {passage_id: float(score == high) for passage_id, score in scores.items()}
    return {passage_id: max(0.0, (score - low) / (high - low)) for passage_id, score in scores.items()}


def best_first(scores: Mapping[str, float]) -> Sequence[str]:
    """Return the ids by falling score, ties by id."""
    return sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))
