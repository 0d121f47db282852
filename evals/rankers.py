"""Retrieval alone, as systems that answer nothing: words, meaning, and reciprocal ranks of both."""

from __future__ import annotations

import time
from collections.abc import Mapping

from corpus.types import Passage
from evals.types import Example, Reply, Retrieved
from index.fuse import best_first, fuse_reciprocal_ranks
from index.open import OpenIndex
from index.retrieve import CANDIDATES, EVERYTHING

RANKERS = ("bm25", "dense", "rrf")


class RankerSystem:
    """One part of retrieval over a library.

    - bm25: the lexical index alone.
    - dense: the nearest passages, ranked by their most alike sentence.
    - rrf: reciprocal ranks of those two, instead of their scaled scores; the question is not split.

    Args:
        name: One of `RANKERS`.
        index: The library that is searched.
    """

    reads = False

    def __init__(self, name: str, index: OpenIndex) -> None:
        self.name = name
        self._index = index
        self._scorer = {"bm25": _bm25, "dense": _dense, "rrf": _rrf}[name]
        self._passages = index.library.passages(index.library.passage_ids())
        self.fingerprint = f"{name}:{index.embedder.fingerprint}"

    def reply(self, example: Example) -> Reply:
        """Return the hits; those outside of the articles asked about are dropped."""
        clock, processor = time.perf_counter(), time.process_time()
        scores = self._scorer(self._index, example.question)
        latency_ms, cpu_s = (time.perf_counter() - clock) * 1000, time.process_time() - processor
        ranked = _retrieved(scores, self._passages)
        within = set(example.within)
        hits = tuple(hit for hit in ranked if not within or hit.article_id in within)
        return Reply(hits=hits, latency_ms=latency_ms, cpu_s=cpu_s)


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
