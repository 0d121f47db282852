"""What is embedded of a passage: its sentences, one by one; the passage's own vector is their mean.

A question mostly asks for one sentence, which in a vector of the whole passage is drowned by its neighbours: the best
sentence's cosine alone ranks the right paragraph of wiki_squad first for 75 % of the questions instead of 63 %
(evals/RESULTS.md), and embedding six short texts costs no more than one long one. The mean is good enough to find the
candidates, so only one vector a passage is searched; the sentences' own are read for the candidates alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.errors import LibraryDamagedError
from corpus.types import Passage
from index.types import Vectors

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


def sentence_texts(passage: Passage) -> list[str]:
    """Return the sentences of a passage, as they are embedded."""
    start = passage.span.start
    return [passage.text[sentence.start - start : sentence.end - start] for sentence in passage.sentences]


def passage_vector(passage: Passage, sentences: Vectors) -> Vectors:
    """Return the passage's vector: the mean of its sentences' weighted by their length, at unit length.

    Sentences whose vectors cancel out have no mean direction; then the first one stands for the passage.
    """
    lengths = np.array([len(sentence) for sentence in passage.sentences], dtype=np.float32)
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
