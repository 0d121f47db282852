"""Retrieval alone, as systems that answer nothing: words, meaning, both fused in three ways."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice

import numpy as np

from corpus.errors import SettingsError
from corpus.types import Passage
from evals.types import Example, Reply, Retrieved
from index.fuse import best_first, fuse_convex, fuse_reciprocal_ranks
from index.open import OpenIndex
from index.retrieve import CANDIDATES, EVERYTHING, Retriever, fuse_candidates, spread
from index.types import Vectors

RANKERS = ("bm25", "dense", "rrf", "hybrid", "maxsim")
LATE_DEPTH = 20  # passages that late interaction compares; each is embedded anew, some 10 ms
FUSED_SHARE = 0.6  # of the first ranking beside late interaction


class RankerSystem:
    """One part of retrieval over a library.

    - bm25: the lexical index alone.
    - dense: the nearest passages, ranked by their most alike sentence.
    - rrf: reciprocal ranks of those two, instead of their scaled scores; the question is not split.
    - hybrid: what the product finds before anything is read.
    - maxsim: the best of that, ranked again by late interaction (Khattab and Zaharia, "ColBERT", 2020): for every word
      piece of the question the most alike one of the passage, by the encoder's token vectors, which were not trained
      for it; fused with the first ranking, both scaled.

    Args:
        name: One of `RANKERS`.
        index: The library that is searched.
    """

    reads = False

    def __init__(self, name: str, index: OpenIndex) -> None:
        self.name = name
        self._index = index
        self._scorer = _SCORERS[name]
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


def _hybrid(index: OpenIndex, question: str) -> dict[str, float]:
    candidates = Retriever(index).find(question)
    return dict(islice(spread(fuse_candidates(candidates)), CANDIDATES))


def _maxsim(index: OpenIndex, question: str) -> dict[str, float]:
    from index.embed_onnx import OnnxEmbedder

    if not isinstance(index.embedder, OnnxEmbedder):
        raise SettingsError("maxsim needs an encoder that gives token vectors. Leave BYLINE_ENCODER as it is.")
    first = _hybrid(index, question)
    passages = index.library.passages(best_first(first)[:LATE_DEPTH])
    asked = _unit(index.embedder.embed_tokens(question))
    late = {}
    for passage_id, passage in passages.items():
        read = _unit(index.embedder.embed_tokens(passage.text))
        late[passage_id] = float(np.einsum("qd,pd->qp", asked, read).max(axis=1).mean())
    fused = fuse_convex({each: first[each] for each in late}, late, 1 - FUSED_SHARE)
    return {each: score - 1.0 for each, score in first.items()} | fused  # what was not compared stays behind


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


_SCORERS = {"bm25": _bm25, "dense": _dense, "rrf": _rrf, "hybrid": _hybrid, "maxsim": _maxsim}


def _retrieved(scores: Mapping[str, float], passages: Mapping[str, Passage]) -> list[Retrieved]:
    ranked = ((passages[passage_id], scores[passage_id]) for passage_id in best_first(scores))
    return [Retrieved(passage.article_id, passage.span, score, passage.n_tokens) for passage, score in ranked]
