"""Question text -> ranked hits: words and meaning, of the whole question and of each of its clauses.

```
question ─┬─ itself ──┬─ BM25, best 100 ────────┬─ cosine of the most ─┬─ scaled, ─┐
          └─ clauses ─┴─ dense, nearest 100 ────┘  alike sentence      └─ fused   ─┴─ sum ─ spread over articles ─ hits
```
Every figure named here is in evals/RESULTS.md; `python -m evals retrieval` measures them again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from corpus.errors import EmptyCorpusError, SettingsError
from index.clauses import split_clauses
from index.fuse import best_first, fuse_convex
from index.open import OpenIndex
from index.types import Filters, Hit, Signals, Vectors

CANDIDATES = 100  # of each index and wording; what fusion can still lift lies well within it
DENSE_WEIGHT = 0.4  # of the cosine against BM25; see the curve in evals/RESULTS.md
EXACT_PASSAGES = 20_000  # up to here a scan is as fast as Chroma, which takes a second to import
DEADLINE_S = 2.0  # for the embedder and the vector index; when it passes, the words alone decide
EVERYTHING = Filters()

Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Wording:
    """The question or one of its clauses, with what was found for it.

    Args:
        bm25: Passage id -> BM25 score, the best candidates only.
        cosine: Passage id -> cosine of its most alike sentence, for the candidates of every wording; empty when
            the deadline passed.
    """

    text: str
    bm25: Scores
    cosine: Scores


class Retriever:
    """Finds the passages of an open library that have to do with a question. Thread-safe.

    Args:
        index: Belongs to the caller, who closes it.
        deadline_s: How long a call waits for the embedder and the vector index.
    """

    def __init__(self, index: OpenIndex, *, deadline_s: float = DEADLINE_S) -> None:
        self._index = index
        self._deadline_s = deadline_s
        self._pool = ThreadPoolExecutor(thread_name_prefix="dense")
        self._size = (-1, 0)  # generation of the library, and how many passages it had

    def retrieve(self, question: str, *, k: int = 10, filters: Filters = EVERYTHING) -> list[Hit]:
        """Return up to k hits, best first, ties by passage id; none when the filters leave nothing.

        Raises:
            SettingsError: If the question is blank.
            EmptyCorpusError: If the library holds no article.
        """
        wordings = self.find(question, max(k, CANDIDATES), filters=filters)
        fused = fuse_wordings(wordings)
        ranked = best_first(fused)[:k]
        found = self._index.library.passages_with_articles(ranked)
        whole = wordings[0]
        hits: list[Hit] = []
        for passage_id in ranked:
            if passage_id in found:  # it may have been removed since
                passage, article = found[passage_id]
                signals = Signals(whole.bm25.get(passage_id), whole.cosine.get(passage_id), fused[passage_id])
                hits.append(Hit(len(hits) + 1, passage, article, fused[passage_id], signals))
        return hits

    def find(self, question: str, depth: int = CANDIDATES, *, filters: Filters = EVERYTHING) -> list[Wording]:
        """Return the candidates of the question and, after it, of each of its clauses.

        Raises:
            SettingsError: If the question is blank.
            EmptyCorpusError: If the library holds no article.
        """
        texts = [question, *split_clauses(question)]
        if not question.strip():
            raise SettingsError("The question is empty. Ask something.")
        if not self._n_passages():
            raise EmptyCorpusError("The library holds no article. Add some with: byline add PATH")
        deadline = time.monotonic() + self._deadline_s
        near = self._pool.submit(self._find_near, texts, depth, filters)
        bm25 = [dict(self._index.lexical.query(text, depth, filters)) for text in texts]
        try:
            vectors, ids = near.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return [Wording(text, scores, {}) for text, scores in zip(texts, bm25, strict=True)]
        candidates = sorted(ids.union(*bm25))
        sentences = self._index.library.sentence_vectors(candidates)
        return [
            Wording(text, scores, sentences.best_cosines(vector))
            for text, scores, vector in zip(texts, bm25, vectors, strict=True)
        ]

    def _find_near(self, texts: Sequence[str], depth: int, filters: Filters) -> tuple[list[Vectors], set[str]]:
        """Return the vector of each text, and the ids of the passages near to any of them."""
        index = self._index
        vectors = [index.embedder.embed_question(text) for text in texts]
        if filters:
            allowed = index.library.passage_ids_where(filters)
            found = [index.exact.query_within(vector, depth, allowed) for vector in vectors]
        else:
            near = index.exact if self._n_passages() <= EXACT_PASSAGES else index.vectors
            found = [near.query(vector, depth) for vector in vectors]
        return vectors, {passage_id for pairs in found for passage_id, _ in pairs}

    def _n_passages(self) -> int:
        generation = self._index.library.generation()
        if self._size[0] != generation:  # counting takes long in a large library
            self._size = (generation, self._index.library.n_passages())
        return self._size[1]


def fuse_wordings(wordings: Sequence[Wording], dense_weight: float = DENSE_WEIGHT) -> dict[str, float]:
    """Return the fused score of every candidate, 0 to 1.

    A question of several clauses mostly needs a passage for each, and a passage rarely speaks of all. So its score is
    the mean of what it is to the whole question and to the clause that it fits best.
    """
    whole, *clauses = (fuse_convex(wording.bm25, wording.cosine, dense_weight) for wording in wordings)
    if not clauses:
        return whole
    ids = whole.keys() | {passage_id for clause in clauses for passage_id in clause}
    return {
        passage_id: (whole.get(passage_id, 0.0) + max(clause.get(passage_id, 0.0) for clause in clauses)) / 2
        for passage_id in ids
    }
