"""Question text -> ranked hits: BM25 and dense candidates, convex fusion of their scaled scores."""

from __future__ import annotations

from collections.abc import Mapping

from index.open import OpenIndex
from index.types import Filters, Hit, Signals

CANDIDATES = 100  # of each index


class Retriever:
    """Finds the passages of an open library that have to do with a question."""

    def __init__(self, index: OpenIndex) -> None:
        self._index = index

    def retrieve(self, question: str, *, k: int = 10, filters: Filters = Filters()) -> list[Hit]:  # noqa: B008
        """Return up to k hits, best first, ties by passage id."""
        index, vector = self._index, self._index.embedder.embed_question(question)
        lexical = dict(index.lexical.query(question, CANDIDATES, filters))
        if filters:
            dense = dict(index.exact.query_within(vector, CANDIDATES, index.library.passage_ids_where(filters)))
        else:
            dense = dict(index.exact.query(vector, CANDIDATES))
        cosines = dict(index.exact.query_within(vector, 2 * CANDIDATES, list(lexical | dense)))
        left, right = _scale(lexical), _scale(dense)
        fused = {name: 0.5 * left.get(name, 0.0) + 0.5 * right.get(name, 0.0) for name in lexical | dense}
        top = sorted(fused, key=lambda name: (-fused[name], name))[:k]
        passages = index.library.passages(top)
        return [
            Hit(
                rank,
                passages[name],
                index.library.article(passages[name].article_id),
                fused[name],
                Signals(lexical.get(name), cosines.get(name), fused[name]),
            )
            for rank, name in enumerate((name for name in top if name in passages), 1)
        ]


def _scale(scores: Mapping[str, float]) -> dict[str, float]:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {name: (score - low) / (high - low) if high > low else 1.0 for name, score in scores.items()}
