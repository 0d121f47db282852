"""Question text -> ranked hits: by words and meaning, with words for each clause, spread over articles.

```
question ─┬─ BM25, best 100 ───────┬─ cosine of the most ─┬─ scaled, fused ─┬─ mean ─ spread ─ hits
          ├─ dense, nearest 100 ───┘  alike sentence      │                 │
          └─ clauses ─ BM25, best 100 of each ────────────┴─ scaled, best ──┘
```
Passages that a near-duplicate already told are folded into its hit (`index.fold`).
Every figure named here is in evals/RESULTS.md; `python -m evals run SET` and `fusion` measure them again.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from corpus.chunk import article_id_of
from corpus.errors import (
    EmptyCorpusError,
    IndexingError,
    IndexMismatchError,
    IndexMissingError,
    LibraryDamagedError,
    RetrievalTimeoutError,
    SettingsError,
)
from index.clauses import split_clauses
from index.deadline import Deadline, Workers
from index.fold import Ranked, fold
from index.fuse import best_first, fuse_convex, scale
from index.open import OpenIndex
from index.sentence_vectors import by_sentence
from index.stages import stage
from index.types import Filters, Hit, Signals, Vectors

CANDIDATES = 100  # of each index and clause; fewer also narrow the scale of the scores and cost 0.005 nDCG
DENSE_WEIGHT = 0.5  # of the cosine against BM25: the flat top of the curve over three DEV sets
ARTICLE_FACTOR = 0.95  # of each further passage: ten hits of news hold 2 points more gold articles, 0.3 less evidence
EXACT_PASSAGES = 20_000  # up to here a scan is as fast as Chroma, which takes a second to import
DEADLINE_S = 10.0  # of a whole call; a cold start over 200,000 passages takes 3 s, everything later some milliseconds
_INDEX_SHARE = 0.7  # of the deadline: how long each index is waited for; the rest is for reading the hits
_MOST_HANGING = 8  # calls; while so many hang, further ones are refused at once, for each keeps a thread
EVERYTHING = Filters()
NO_STORIES: Mapping[str, str] = {}

_log = logging.getLogger(__name__)
ResultT = TypeVar("ResultT")
Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found for a question, as scores by passage id.

    Args:
        bm25: The best by the words of the whole question.
        cosine: Of the most alike sentence, for every candidate; empty when the deadline passed.
        clauses: The best by the words of each clause; empty when there is only one.
        runs: Cosines of the runs of sentences of every candidate, see `index.sentence_vectors`; empty like `cosine`.
        degraded: One sentence when an index was late or is damaged, so that the other one decided alone.
    """

    bm25: Scores
    cosine: Scores
    clauses: tuple[Scores, ...] = ()
    runs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    degraded: str | None = None


class Retriever:
    """Finds the passages of an open library that have to do with a question. Thread-safe.

    Args:
        index: Belongs to the caller, who closes it.
        deadline_s: How long a call may take.
    """

    def __init__(self, index: OpenIndex, *, deadline_s: float = DEADLINE_S) -> None:
        self._index = index
        self._deadline_s = deadline_s
        self._workers = Workers("retrieve")
        self._hanging: list[Future[Any]] = []
        self._hanging_lock = threading.Lock()
        self._size = (-1, 0)  # generation of the library, and how many passages it had

    def retrieve(self, question: str, *, k: int = 10, filters: Filters = EVERYTHING) -> list[Hit]:
        """Return up to k hits, best first, ties by passage id; none when the filters leave nothing.

        When one index is late or damaged the other one decides alone, and every hit says so (`Hit.degraded`).

        Raises:
            SettingsError: If the question is blank.
            EmptyCorpusError: If the library holds no article.
            RetrievalTimeoutError: If the library does not answer before the deadline.
            LibraryDamagedError: If neither index can be used.
        """
        deadline = Deadline(self._deadline_s)
        if self._n_hanging() >= _MOST_HANGING:
            raise self._late("The library")
        with stage("retrieve") as note:
            call = self._workers.submit(self._retrieve, question, k, filters, deadline)
            try:
                hits = call.result(deadline.left())
            except TimeoutError as error:
                self._note_hanging(call)
                raise self._late("The library") from error
            note(n_hits=len(hits), degraded=any(hit.degraded for hit in hits))
            return hits

    def find(
        self, question: str, depth: int = CANDIDATES, *, filters: Filters = EVERYTHING, deadline: Deadline | None = None
    ) -> Candidates:
        """Return what both indexes find, before it is ranked; errors as in `retrieve`."""
        if not question.strip():
            raise SettingsError("The question is empty. Ask something.")
        if not self._n_passages():
            raise EmptyCorpusError("The library holds no article. Add some with: byline add PATH")
        waiting = Deadline((deadline.left() if deadline else self._deadline_s) * _INDEX_SHARE)
        near = self._workers.submit(self._find_near, question, depth, filters)
        words = self._workers.submit(self._find_words, question, depth, filters)
        by_words = self._wait(words, waiting, "The lexical index")
        by_meaning = self._wait(near, waiting, "The encoder or the vector index")
        if isinstance(by_words, IndexingError) and isinstance(by_meaning, IndexingError):
            raise by_words
        if isinstance(by_meaning, IndexingError):
            assert not isinstance(by_words, IndexingError)
            if not any(by_words):
                raise by_meaning  # "nothing found" would be a guess
            return Candidates(by_words[0], {}, by_words[1:], degraded=_alone(by_meaning, "words"))
        vector, nearest = by_meaning
        degraded = None
        if isinstance(by_words, IndexingError):
            degraded = _alone(by_words, "meaning")
            by_words = ({},)
        ids = sorted(nearest.union(*by_words))
        runs = self._index.library.sentence_vectors(ids).run_cosines(vector)
        cosine = {passage_id: max(cosines) for passage_id, cosines in runs.items()}
        return Candidates(by_words[0], cosine, by_words[1:], runs, degraded)

    def _retrieve(self, question: str, k: int, filters: Filters, deadline: Deadline) -> list[Hit]:
        candidates = self.find(question, max(k, CANDIDATES), filters=filters, deadline=deadline)
        fused = fuse_candidates(candidates)
        stories = self._index.library.stories(list({article_id_of(passage_id) for passage_id in fused}))
        hits: list[Hit] = []
        for one in fold(self._read(spread(fused, stories=stories), k), stories, k):
            passage, article, score = one.ranked
            bm25, cosine = candidates.bm25.get(passage.id), candidates.cosine.get(passage.id)
            signals = Signals(bm25, cosine, fused[passage.id])
            runs = candidates.runs.get(passage.id)
            sentences = by_sentence(passage, runs) if runs else ()
            hit = Hit(len(hits) + 1, passage, article, score, signals, sentences, one.story, one.copies)
            hits.append(replace(hit, degraded=candidates.degraded) if candidates.degraded else hit)
        return hits

    def _read(self, ranked: Iterator[tuple[str, float]], at_once: int) -> Iterator[Ranked]:
        """Yield what is ranked with its text, reading no more at once than a caller may want."""
        while some := list(islice(ranked, at_once)):
            found = self._index.library.passages_with_articles([passage_id for passage_id, _ in some])
            yield from ((*found[id_], score) for id_, score in some if id_ in found)  # it may have gone since

    def _find_words(self, question: str, depth: int, filters: Filters) -> tuple[dict[str, float], ...]:
        """Return the best by the words of the question, and of each of its clauses."""
        lexical = self._index.lexical
        with stage("search.words"):
            return tuple(dict(lexical.query(text, depth, filters)) for text in [question, *split_clauses(question)])

    def _wait(self, call: Future[ResultT], deadline: Deadline, what: str) -> ResultT | IndexingError:
        """Return what a call found, or the error that says why it found nothing."""
        try:
            return call.result(deadline.left())
        except TimeoutError:
            self._note_hanging(call)
            return self._late(what)
        except IndexingError as error:
            return error

    def _note_hanging(self, call: Future[Any]) -> None:
        with self._hanging_lock:
            self._hanging.append(call)

    def _n_hanging(self) -> int:
        with self._hanging_lock:
            self._hanging = [call for call in self._hanging if not call.done()]
            return len(self._hanging)

    def _late(self, what: str) -> RetrievalTimeoutError:
        return RetrievalTimeoutError(
            f"{what} did not answer within {self._deadline_s:g} seconds: the disk or another program holds it up. "
            "Try again, look with: byline doctor, or allow more time with BYLINE_DEADLINE_S"
        )

    def _find_near(self, question: str, depth: int, filters: Filters) -> tuple[Vectors, set[str]]:
        """Return the question's vector, and the ids of the passages near to it."""
        with stage("encode"):
            vector = self._index.embedder.embed_question(question)
        with stage("search.vectors"):
            return vector, self._nearest(vector, depth, filters)

    def _nearest(self, vector: Vectors, depth: int, filters: Filters) -> set[str]:
        index = self._index
        small = self._n_passages() <= EXACT_PASSAGES
        if filters and not small:
            return set(index.filtered.query(vector, depth, filters, self._query_large))
        if filters:
            found = index.exact.query_within(vector, depth, index.library.passage_ids_where(filters))
        elif small:
            found = index.exact.query(vector, depth)
        else:
            found = self._query_large(vector, depth)
        return {passage_id for passage_id, _ in found}

    def _query_large(self, vector: Vectors, depth: int) -> list[tuple[str, float]]:
        try:
            return self._index.vectors.query(vector, depth)
        except (IndexMissingError, IndexMismatchError, LibraryDamagedError) as error:
            # The library holds the same vectors: scanning them takes longer and finds as much.
            _log.warning("Searching without the vector index: %s", error)
            return self._index.exact.query(vector, depth)

    def _n_passages(self) -> int:
        generation = self._index.library.generation()
        if self._size[0] != generation:  # counting takes long in a large library
            self._size = (generation, self._index.library.n_passages())
        return self._size[1]


def _alone(error: IndexingError, how: str) -> str:
    if isinstance(error, RetrievalTimeoutError):
        slow = "encoder or the vector index" if how == "words" else "lexical index"
        return f"The {slow} did not answer in time, so the passages were found by their {how} alone."
    return f"The passages were found by their {how} alone. {error}"


def fuse_candidates(candidates: Candidates, dense_weight: float = DENSE_WEIGHT) -> dict[str, float]:
    """Return the fused score of every candidate, 0 to 1.

    A question of several clauses mostly needs a passage for each, and a passage rarely speaks of all. So its score is
    the mean of what it is to the whole question, and of what it is by its words to the clause that it fits best.
    """
    whole = fuse_convex(candidates.bm25, candidates.cosine, dense_weight)
    if not candidates.clauses:
        return whole
    clauses = [scale(scores) for scores in candidates.clauses]
    return {
        passage_id: (whole.get(passage_id, 0.0) + max(clause.get(passage_id, 0.0) for clause in clauses)) / 2
        for passage_id in whole.keys() | {passage_id for clause in clauses for passage_id in clause}
    }


def spread(
    fused: Scores, factor: float = ARTICLE_FACTOR, *, stories: Mapping[str, str] = NO_STORIES
) -> Iterator[tuple[str, float]]:
    """Yield (passage id, score), best first, ties by id; each further passage of an article counts `factor` less.

    So one long article does not fill the hits when others are nearly as good. An article's first passage keeps its
    score. Near-duplicates count as one article.

    Args:
        fused: Scores by passage id.
        factor: Of each further passage.
        stories: Article id -> its story; an article that is not in it stands for itself.
    """
    waiting: dict[str, list[str]] = {}
    for passage_id in reversed(best_first(fused)):
        waiting.setdefault(_story_of(passage_id, stories), []).append(passage_id)
    heap = [(-fused[ids[-1]], ids[-1], 1.0) for ids in waiting.values()]
    heapq.heapify(heap)
    while heap:
        score, passage_id, weight = heapq.heappop(heap)
        yield passage_id, -score
        ids = waiting[_story_of(passage_id, stories)]
        ids.pop()
        if ids:
            weight *= factor
            heapq.heappush(heap, (-fused[ids[-1]] * weight, ids[-1], weight))


def _story_of(passage_id: str, stories: Mapping[str, str]) -> str:
    article_id = article_id_of(passage_id)
    return stories.get(article_id, article_id)
