"""What is embedded of a passage: its sentences, one by one; the passage's own vector is their mean.

A question mostly asks for one sentence, which in a vector of the whole passage is drowned by its neighbours: on
wiki_squad the best sentence's cosine alone has a reciprocal rank of 0.81, a whole passage's 0.71 (evals/RESULTS.md),
and embedding some short texts costs little more than one long one. The mean is good enough to find the candidates,
so only one vector a passage is searched; the sentences' own are read for the candidates alone.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.errors import LibraryDamagedError
from corpus.types import Passage, Span
from index.types import Vectors

# Shorter sentences say little alone, and each costs a pass through the encoder: joined, news takes a quarter fewer of
# them and is found as well (0 to 100 characters measured alike, longer ones worse).
MIN_RUN_CHARS = 60
_LARGEST_CODE = 127  # int8
_CANCELLED = 1e-5  # of the length that the mean would have if all sentences were alike: rounding, not meaning


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """The sentence vectors of some passages, stacked.

    Args:
        passage_ids: In the order of the rows.
        starts: First row of each passage; every passage has at least one.
        rows: Unit rows.
    """

    passage_ids: Sequence[str]
    starts: NDArray[np.int64]
    rows: Vectors

    def best_cosines(self, question: Vectors) -> dict[str, float]:
        """Return for each passage the cosine of its most alike sentence."""
        if not len(self.passage_ids):
            return {}
        # `rows @ question` would start threads of NumPy's; see `index.vectors_exact.products`.
        best = np.maximum.reduceat(np.einsum("ij,j->i", self.rows, question), self.starts)
        return dict(zip(self.passage_ids, best.tolist(), strict=True))

    def run_cosines(self, question: Vectors) -> dict[str, tuple[float, ...]]:
        """Return for each passage the cosines of its runs, in order."""
        cosines = np.einsum("ij,j->i", self.rows, question).tolist()
        bounds = [*self.starts.tolist(), len(cosines)]
        parts = zip(self.passage_ids, bounds, bounds[1:], strict=False)
        return {passage_id: tuple(cosines[first:last]) for passage_id, first, last in parts}


def sentence_runs(passage: Passage) -> list[Span]:
    """Return the spans that are embedded: sentences, the short ones joined with what follows in the passage.

    Spans point into the article's text; together they hold every sentence once, in order.
    """
    runs: list[Span] = []
    for sentence in passage.sentences:
        if runs and len(runs[-1]) < MIN_RUN_CHARS:
            runs[-1] = Span(runs[-1].start, sentence.end)
        else:
            runs.append(sentence)
    if len(runs) > 1 and len(runs[-1]) < MIN_RUN_CHARS:
        runs[-2:] = [Span(runs[-2].start, runs[-1].end)]
    return runs


def by_sentence(passage: Passage, of_runs: Sequence[float]) -> tuple[float, ...]:
    """Return for each sentence of a passage the value of the run that it lies in."""
    ends = [run.end for run in sentence_runs(passage)]
    return tuple(of_runs[bisect.bisect_right(ends, sentence.start)] for sentence in passage.sentences)


def sentence_texts(passage: Passage) -> list[str]:
    """Return the texts of the runs, as they are embedded."""
    start = passage.span.start
    return [passage.text[run.start - start : run.end - start] for run in sentence_runs(passage)]


def passage_vector(passage: Passage, sentences: Vectors) -> Vectors:
    """Return the passage's vector: the mean of its runs' weighted by their length, at unit length.

    Runs whose vectors cancel out have no mean direction; then the first one stands for the passage.
    """
    lengths = np.array([len(run) for run in sentence_runs(passage)], dtype=np.float32)
    mean: Vectors = lengths @ sentences
    norm = np.linalg.norm(mean)
    if norm < _CANCELLED * lengths.sum():
        return np.asarray(sentences[0], dtype=np.float32)
    return mean / norm


def pack_sentences(rows: Vectors) -> bytes:
    """Pack unit rows as int8, scaled to their own largest number: cosines move by 0.002 at most, a library by half."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    codes: NDArray[np.int8] = np.rint(rows / largest * _LARGEST_CODE).astype(np.int8)
    return codes.tobytes()


def unpack_sentences(passage_ids: Sequence[str], blobs: Sequence[bytes], dim: int) -> SentenceVectors:
    """Undo `pack_sentences` for several passages.

    Raises:
        LibraryDamagedError: If a blob is not one or more rows of `dim` numbers, none of them zero throughout.
    """
    sizes = np.array([len(blob) for blob in blobs], dtype=np.int64)
    codes = np.frombuffer(b"".join(blobs), dtype=np.int8)
    if not np.all(sizes > 0) or np.any(sizes % dim):
        raise LibraryDamagedError(
            f"Stored sentence vectors are not rows of {dim} numbers. Mend it with: byline reindex"
        )
    rows: Vectors = codes.reshape(-1, dim).astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, np.newaxis]
    if not np.all(norms > 0):
        raise LibraryDamagedError("A stored sentence vector is zero throughout. Mend it with: byline reindex")
    rows /= norms
    return SentenceVectors(passage_ids, np.concatenate([[0], np.cumsum(sizes // dim)[:-1]]).astype(np.int64), rows)
