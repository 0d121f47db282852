"""Nearest passages of the articles that pass filters, in a library too large to scan as a whole.

Chroma's own filter takes 36-51 ms at this size. Here the filters are decided article by article over columns in
memory. When few passages are left their vectors are scanned; when many are, Chroma is asked for more than is wanted,
and what does not pass is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.chunk import article_id_of
from index.library import Library
from index.types import Filters, Vectors
from index.vectors_exact import checked, products

Everything = Callable[[Vectors, int], list[tuple[str, float]]]
SCANNED = 20_000  # passages: about where a scan costs as much as asking Chroma for the share that is needed
_BLOCK = 2_048  # rows turned to float32 at once, so that they stay in the processor's cache
_READ = 1_000  # vectors read from the library at once
_LARGEST_CODE = 127  # int8
_MARGIN = 1.3  # more than the share that passes, since it may be rarer near the question
_MOST_ASKED = 1_500  # of Chroma at once, whose time grows with it


class _Codes:
    """Vectors that some filter has let through so far, as int8; a row that was written stays where it is.

    Memory is taken as rows are written: `dim` + 4 bytes each.

    Args:
        dim: Width of a vector.
        capacity: How many are expected at most; more may come.
    """

    def __init__(self, dim: int, capacity: int) -> None:
        self.n = 0
        self.rows = np.empty((capacity, dim), np.int8)  # multiplied by its scale a row is of unit length
        self.scales = np.empty(capacity, np.float32)

    def add(self, rows: NDArray[np.int8], scales: Vectors) -> NDArray[np.int32]:
        """Write rows behind the others, and return their places."""
        end = self.n + len(rows)
        if end > len(self.rows):
            grown = _Codes(self.rows.shape[1], end + end // 4)
            grown.add(self.rows[: self.n], self.scales[: self.n])
            self.rows, self.scales = grown.rows, grown.scales
        self.rows[self.n : end], self.scales[self.n : end] = rows, scales
        start, self.n = self.n, end
        return np.arange(start, end, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class _Columns:
    """All visible passages of one generation, a row each, and all articles.

    Args:
        keys: Of the passages, rising.
        owner: For each passage the row of its article.
        places: For each passage where `codes` holds its vector; -1 until a filter lets it through.
        article_row: Article id -> row.
        outlets: For each article its number in `outlet_numbers`.
        days: For each article, as `date.toordinal`; 0 when unknown, which no range of days holds.
        outlet_numbers: Outlet, casefolded -> number; "" stands for unknown ones.
    """

    generation: int
    keys: NDArray[np.int64]
    owner: NDArray[np.int32]
    places: NDArray[np.int32]
    codes: _Codes
    article_row: dict[str, int]
    outlets: NDArray[np.int32]
    days: NDArray[np.int32]
    outlet_numbers: dict[str, int]


class FilteredVectors:
    """Answers filtered queries over one library; any thread may ask.

    Vectors are read when a filter first lets them through and kept from then on: `dim` bytes each. Filters that let
    through more than is scanned read none.

    Cosines are those of vectors rounded to int8, off by 0.002 at most: good enough to choose candidates by, which are
    compared again sentence by sentence.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._dim = library.build.dim
        self._lock = threading.Lock()
        keys, none = np.empty(0, np.int64), np.empty(0, np.int32)
        self._columns = _Columns(-1, keys, none, none, _Codes(self._dim, 0), {}, none, none, {})

    def query(self, vector: Vectors, k: int, filters: Filters, everything: Everything) -> list[str]:
        """Return the ids of about the k nearest passages whose article passes the filters, best first.

        Args:
            vector: The question's.
            k: How many.
            filters: At least one of them is set.
            everything: Finds the nearest of all passages; asked when too many pass to be scanned.
        """
        question = checked(vector, self._dim)
        columns = self._current()
        passes = _passing(columns, filters)
        rows = np.flatnonzero(passes[columns.owner])
        if len(rows) > SCANNED:
            asked = int(k * len(columns.keys) / len(rows) * _MARGIN)
            found = [
                passage_id
                for passage_id, _ in everything(question, min(asked, _MOST_ASKED))
                if passes[columns.article_row.get(article_id_of(passage_id), -1)]
            ]
            if len(found) >= k:
                return found[:k]
        self._read(columns, rows)
        return self._ids(columns.keys[_nearest(columns, rows, question, k)])

    def _ids(self, keys: NDArray[np.int64]) -> list[str]:
        by_key = self._library.passage_ids_of(keys.tolist())
        return [by_key[key] for key in keys.tolist() if key in by_key]  # it may have been removed since

    def _current(self) -> _Columns:
        generation = self._library.generation()
        with self._lock:
            if self._columns.generation < generation:
                self._columns = self._refreshed(generation)
            return self._columns

    def _refreshed(self, generation: int) -> _Columns:
        """Read the facts anew; the vectors that are known stay so."""
        old = self._columns
        articles = self._library.article_facts()
        keys, owner = _owned(self._library.passage_versions(), np.array([fact[0] for fact in articles], np.int64))
        places = np.full(len(keys), -1, np.int32)
        _, mine, olds = np.intersect1d(keys, old.keys, assume_unique=True, return_indices=True)
        places[mine] = old.places[olds]
        codes = old.codes
        known = np.flatnonzero(places >= 0)
        if len(known) < codes.n // 2 or not codes.n:  # half of them are of passages that went
            codes = _Codes(self._dim, len(keys))
            places[known] = codes.add(old.codes.rows[places[known]], old.codes.scales[places[known]])
        outlet_numbers: dict[str, int] = {}
        return _Columns(
            generation,
            keys,
            owner,
            places,
            codes,
            {article_id: row for row, (_, article_id, _, _) in enumerate(articles)},
            np.array([outlet_numbers.setdefault(fact[2] or "", len(outlet_numbers)) for fact in articles], np.int32),
            np.array([day.toordinal() if day else 0 for _, _, _, day in articles], np.int32),
            outlet_numbers,
        )

    def _read(self, columns: _Columns, rows: NDArray[np.int64]) -> None:
        """Read the vectors of these rows that no filter has let through before."""
        with self._lock:
            new = rows[columns.places[rows] < 0]
            for start in range(0, len(new), _READ):
                part = new[start : start + _READ]
                found, vectors = self._library.vectors_by_key(columns.keys[part].tolist())
                columns.places[part[np.searchsorted(columns.keys[part], found)]] = columns.codes.add(*_packed(vectors))


def _owned(passages: NDArray[np.int64], versions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the keys of the passages whose version is among these, and its place there."""
    order = np.argsort(versions)
    places = np.searchsorted(versions, passages[:, 1], sorter=order)
    owner = order[np.minimum(places, len(order) - 1)] if len(order) else places
    known = versions[owner] == passages[:, 1] if len(order) else np.zeros(len(passages), bool)
    return passages[known, 0], owner[known].astype(np.int32)


def _passing(columns: _Columns, filters: Filters) -> NDArray[np.bool_]:
    """Return for each article whether it passes, and False behind the last one, for those that are not known."""
    passes = np.zeros(len(columns.outlets) + 1, bool)
    passes[:-1] = True
    if filters.outlets:
        numbers = [columns.outlet_numbers.get(outlet.casefold(), -1) for outlet in filters.outlets]
        passes[:-1] &= np.isin(columns.outlets, numbers)
    if filters.since or filters.until:
        passes[:-1] &= columns.days > 0
    if filters.since:
        passes[:-1] &= columns.days >= filters.since.toordinal()
    if filters.until:
        passes[:-1] &= columns.days <= filters.until.toordinal()
    if filters.article_ids:
        wanted = [columns.article_row[each] for each in filters.article_ids if each in columns.article_row]
        named = np.zeros(len(passes), bool)
        named[wanted] = True
        passes &= named
    return passes


def _nearest(columns: _Columns, rows: NDArray[np.int64], question: Vectors, k: int) -> NDArray[np.int64]:
    """Return the k rows of highest cosine among these, best first, ties by row."""
    places = columns.places[rows]
    rows, places = rows[places >= 0], places[places >= 0]  # the others were removed before they could be read
    codes, scales = columns.codes.rows, columns.codes.scales
    scores = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = places[start : start + _BLOCK]
        scores[start : start + len(part)] = products(codes[part].astype(np.float32), question)
    scores *= scales[places]
    if k < len(rows):
        best = np.argpartition(-scores, k)[:k]
        rows, scores = rows[best], scores[best]
    return rows[np.lexsort((rows, -scores))]


def _packed(vectors: Vectors) -> tuple[NDArray[np.int8], Vectors]:
    """Return unit rows as int8, and what to multiply each by to have it at unit length."""
    largest = np.abs(vectors).max(axis=1, initial=np.finfo(np.float32).tiny)
    codes = np.rint(vectors / largest[:, None] * _LARGEST_CODE).astype(np.int8)
    return codes, (largest / _LARGEST_CODE).astype(np.float32)
