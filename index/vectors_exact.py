"""Nearest passages by scanning every stored vector: the checker, and the path for small or filtered sets."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexMismatchError
from index.library import Library
from index.types import Vectors

SCORE_DIGITS = 6  # more than float16 vectors carry; what is equal up to here is a tie, which ids break
_READ = 1_000  # vectors read from the library at once; all at once would take thrice the memory that stays
_FLOAT32_NOISE = 1e-5  # far above what summing 1,000 float32 products can be off by

Real = TypeVar("Real", np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class _Matrix:
    """All visible vectors of one generation; row i belongs to ids[i], whose passage has key keys[i]."""

    generation: int
    ids: list[str]
    keys: NDArray[np.int64]
    rows: Vectors
    row_of: dict[str, int]


class ExactVectors:
    """`VectorIndex` without an index: cosines of the question with each stored vector.

    The matrix is kept in memory, 4 bytes a number, and brought up to date when the library has changed.

    Args:
        library: Where the vectors are; what is stored there is found here at once.
        fingerprint: The embedder that questions come from.

    Raises:
        IndexMismatchError: If the library's vectors are another embedder's.
    """

    def __init__(self, library: Library, fingerprint: str) -> None:
        build = library.build
        if build.fingerprint != fingerprint:
            raise IndexMismatchError(
                f"The library was built with embedder {build.fingerprint!r}, but {fingerprint!r} is set. "
                "Mend it with: byline reindex"
            )
        self._library = library
        self._dim = build.dim
        self._lock = threading.Lock()
        self._matrix = _Matrix(-1, [], np.empty(0, np.int64), np.empty((0, self._dim), np.float32), {})

    def upsert(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """Do nothing: the library holds the vectors."""

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Do nothing: what the library removed is no longer scanned."""

    def query(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k (passage id, cosine) over all visible passages, best first, ties by passage id."""
        matrix = self._current()
        return best(matrix.ids, matrix.rows, checked(vector, self._dim), k)

    def query_within(self, vector: Vectors, k: int, passage_ids: Sequence[str]) -> list[tuple[str, float]]:
        """Return the same over these passages only; ids that are not visible are left out."""
        matrix = self._current()
        ids = [passage_id for passage_id in dict.fromkeys(passage_ids) if passage_id in matrix.row_of]
        rows = matrix.rows[[matrix.row_of[passage_id] for passage_id in ids]]
        return best(ids, rows, checked(vector, self._dim), k)

    def _current(self) -> _Matrix:
        generation = self._library.generation()
        with self._lock:
            if self._matrix.generation < generation:
                self._matrix = self._refreshed(generation)
            return self._matrix

    def _refreshed(self, generation: int) -> _Matrix:
        """Read only the vectors that the old matrix lacks: after one edit, those of one article."""
        old = self._matrix
        pairs = self._library.passage_keys()
        keys = np.fromiter((key for _, key in pairs), np.int64, len(pairs))
        kept = np.isin(old.keys, keys)
        new_ids = [
            passage_id for (passage_id, key), known in zip(pairs, np.isin(keys, old.keys), strict=True) if not known
        ]
        ids = [passage_id for passage_id, keep in zip(old.ids, kept, strict=True) if keep]
        rows = np.empty((len(ids) + len(new_ids), self._dim), np.float32)
        rows[: len(ids)] = old.rows[kept]
        for start in range(0, len(new_ids), _READ):
            known_ids, new_rows = self._library.known_vectors(new_ids[start : start + _READ])
            rows[len(ids) : len(ids) + len(known_ids)] = new_rows
            ids += known_ids
        key_of = dict(pairs)
        return _Matrix(
            generation,
            ids,
            np.fromiter((key_of[passage_id] for passage_id in ids), np.int64, len(ids)),
            rows[: len(ids)],
            {passage_id: row for row, passage_id in enumerate(ids)},
        )


def best(ids: Sequence[str], rows: Vectors, vector: Vectors, k: int) -> list[tuple[str, float]]:
    """Return the k rows of highest cosine with their ids, best first, ties by id.

    The scan is in float32, whose rounding depends on a row's place; those near the top are scored again in float64,
    so that equal vectors tie wherever they lie.
    """
    rough = products(rows, vector)
    if 0 < k < len(ids):
        floor = np.partition(rough, len(ids) - k)[len(ids) - k] - _FLOAT32_NOISE
        candidates = np.flatnonzero(rough >= floor)
    else:
        candidates = np.arange(len(ids))
    scores = products(rows[candidates].astype(np.float64), vector.astype(np.float64))
    pairs = [
        (ids[row], round(score, SCORE_DIGITS)) for row, score in zip(candidates.tolist(), scores.tolist(), strict=True)
    ]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k]


def products(rows: NDArray[Real], vector: NDArray[Real]) -> NDArray[Real]:
    """Return the inner product of each row with the vector.

    Not `rows @ vector`: NumPy's linear algebra would start threads that burn a processor while they wait; on two
    cores 3,000 rows took 8 ms of processor time instead of 0.3.
    """
    result: NDArray[Real] = np.einsum("ij,j->i", rows, vector)
    return result


def checked(vector: Vectors, dim: int) -> Vectors:
    """Return the question's vector if it can be compared with rows of `dim` numbers.

    Raises:
        IndexMismatchError: If it is of another width.
        ValueError: If it holds NaN or infinity.
    """
    if vector.shape != (dim,):
        raise IndexMismatchError(
            f"The question's vector has shape {vector.shape}, but the library's have {dim} numbers. "
            "Mend it with: byline reindex"
        )
    if not np.isfinite(vector).all():
        raise ValueError("The question's vector holds NaN or infinity.")
    return vector.astype(np.float32, copy=False)
