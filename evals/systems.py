"""The retrieval systems that are compared: ours, its parts alone, reciprocal ranks, and the LlamaIndex starter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from corpus.types import Passage
from evals.types import Retrieved
from index.fuse import best_first, fuse_reciprocal_ranks
from index.open import OpenIndex
from index.retrieve import CANDIDATES, EVERYTHING, Retriever

Ranker = Callable[[str], Sequence[Retrieved]]
"""Question -> hits, best first, deep enough to rank articles by their first passage."""

SYSTEMS = ("hybrid", "bm25", "dense", "rrf", "llamaindex")


def make_ranker(name: str, index: OpenIndex, kept: Path) -> Ranker:
    """Build one of `SYSTEMS` over a library.

    - hybrid: `index.retrieve.Retriever`, as the product uses it.
    - bm25: the lexical index alone.
    - dense: the nearest passages, ranked by their most alike sentence.
    - rrf: reciprocal ranks of those two, instead of their scaled scores; the question is not split.
    - llamaindex: see `evals.baseline_llamaindex_chroma`.

    Args:
        name: Which one.
        index: The library that all of them search.
        kept: Folder where the LlamaIndex starter keeps its own index.
    """
    if name == "llamaindex":
        from evals.baseline_llamaindex_chroma import make_baseline

        return make_baseline(list(index.library.all_articles()), index.embedder, kept)
    if name == "hybrid":
        return _hybrid(Retriever(index))
    scorer = {"bm25": _bm25, "dense": _dense, "rrf": _rrf}[name]
    passages = index.library.passages(index.library.passage_ids())
    return lambda question: _retrieved(scorer(index, question), passages)


def _hybrid(retriever: Retriever) -> Ranker:
    def rank(question: str) -> list[Retrieved]:
        hits = retriever.retrieve(question, k=CANDIDATES)
        return [Retrieved(hit.article.id, hit.passage.span, hit.score, hit.passage.n_tokens) for hit in hits]

    return rank


def _bm25(index: OpenIndex, question: str) -> dict[str, float]:
    return dict(index.lexical.query(question, CANDIDATES, EVERYTHING))


def _dense(index: OpenIndex, question: str) -> dict[str, float]:
    vector = index.embedder.embed_question(question)
    near = [passage_id for passage_id, _ in index.exact.query(vector, CANDIDATES)]
    return index.library.sentence_vectors(near).best_cosines(vector)


def _rrf(index: OpenIndex, question: str) -> dict[str, float]:
    return fuse_reciprocal_ranks(_bm25(index, question), _dense(index, question))


def _retrieved(scores: Mapping[str, float], passages: Mapping[str, Passage]) -> list[Retrieved]:
    ranked = ((passages[passage_id], scores[passage_id]) for passage_id in best_first(scores))
    return [Retrieved(passage.article_id, passage.span, score, passage.n_tokens) for passage, score in ranked]
