"""The truth as readers see it: current articles, their passages and vectors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ArticleNotFoundError
from corpus.types import Article, Passage
from index.library_file import LibraryFile
from index.library_log import last_commit
from index.library_manifest import Build, current_build
from index.library_rows import ARTICLE_COLUMNS, PASSAGE_COLUMNS, article_from, day_from, passage_from, rows_from
from index.sentence_vectors import SentenceVectors, unpack_sentences
from index.types import ArticleInfo, Filters, Vectors


class Library:
    """Reads one library; every method is one snapshot and safe to call from any thread.

    Only current versions of stored articles are seen, and of an article all passages or none.

    Args:
        file: Shared with the functions that write (`index.library_write`).
    """

    def __init__(self, file: LibraryFile) -> None:
        self.file = file

    @classmethod
    def open(cls, path: Path) -> Library:
        """Open an existing `library.sqlite3`; see `LibraryFile` for what is refused."""
        return cls(LibraryFile(path))

    def close(self) -> None:
        """Close the file; later calls fail."""
        self.file.close()

    @property
    def build(self) -> Build:
        """Embedder and chunker settings of the build that is read."""
        return current_build(self.file)[1]

    def generation(self) -> int:
        """Return a number that grows with every change of what is visible."""
        return last_commit(self.file)[0]

    def articles(self) -> list[ArticleInfo]:
        """Return what is known of each article but its text, in the order they were first added."""
        query = """
            SELECT articles.id, title, source, url, published, versions.version,
                   (SELECT json_group_array(origin)
                    FROM (SELECT DISTINCT origin FROM origins
                          WHERE origins.article = articles.key AND origin != '' ORDER BY origin)),
                   (SELECT count(*) FROM passages WHERE passages.version = articles.current
                    AND passages.build = (SELECT library.build FROM library)),
                   (SELECT first.id FROM articles AS first WHERE first.story = articles.story
                    ORDER BY first.key LIMIT 1)
            FROM articles JOIN versions ON versions.key = articles.current
            ORDER BY articles.key
        """
        with self.file.reading() as connection:
            rows = connection.execute(query).fetchall()
        return [
            ArticleInfo(id_, title, source, url, day_from(published, id_), version, tuple(json.loads(origins)), *rest)
            for id_, title, source, url, published, version, origins, *rest in rows
        ]

    def article(self, article_id: str) -> Article:
        """Return one article with its text.

        Raises:
            ArticleNotFoundError: If there is none with that id.
        """
        found = self.articles_by_id([article_id])
        if not found:
            raise ArticleNotFoundError(f"There is no article {article_id!r}. See what there is with: byline list")
        return found[article_id]

    def version(self, article_id: str, version: str) -> Article:
        """Return an article as it was when it was cited: as it is now, or a former version if the library keeps those.

        Raises:
            ArticleNotFoundError: If the article or that version is gone, or former versions are not kept.
        """
        query = f"""
            SELECT {ARTICLE_COLUMNS} FROM articles JOIN versions ON versions.article = articles.key
            WHERE articles.id = ? AND versions.version = ?
            AND (versions.key = articles.current OR (SELECT keep_versions FROM library))
        """
        with self.file.reading() as connection:
            row = connection.execute(query, (article_id, version)).fetchone()
        if row is None:
            raise ArticleNotFoundError(
                f"The version {version!r} of article {article_id!r} is not kept. To keep former versions from now on, "
                "set BYLINE_KEEP_VERSIONS=1."
            )
        return article_from(row)

    def articles_by_id(self, article_ids: Sequence[str]) -> dict[str, Article]:
        """Return the articles that exist among these, by id."""
        with self.file.reading() as connection:
            return _articles(connection, article_ids)

    def stories(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return the story of each stored article among these: the id of its first article.

        Near-duplicates (`index.library_stories`) share a story; an article without any is a story by itself.
        """
        query = """
            SELECT articles.id, coalesce(
                (SELECT first.id FROM articles AS first WHERE first.story = articles.story ORDER BY first.key LIMIT 1),
                articles.id)
            FROM json_each(?) AS wanted CROSS JOIN articles ON articles.id = wanted.value
        """
        with self.file.reading() as connection:
            return dict(connection.execute(query, (json.dumps(list(article_ids)),)).fetchall())

    def passages(self, passage_ids: Sequence[str]) -> dict[str, Passage]:
        """Return the visible ones among these passages, by id."""
        return {id_: passage for id_, (passage, _) in self.passages_with_articles(passage_ids).items()}

    def passages_with_articles(self, passage_ids: Sequence[str]) -> dict[str, tuple[Passage, Article]]:
        """Return the visible ones among these passages, each with its article, by passage id."""
        query = f"""
            SELECT {PASSAGE_COLUMNS}
            FROM json_each(?) AS wanted CROSS JOIN visible ON visible.id = wanted.value
        """
        with self.file.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(passage_ids)),)).fetchall()
            articles = _articles(connection, list({row[1] for row in rows}))
        pairs = {}
        for row in rows:
            article = articles[row[1]]
            pairs[row[0]] = (passage_from(row, article.version, article.text), article)
        return pairs

    def passages_of(self, article_id: str) -> list[Passage]:
        """Return the passages of one article in reading order.

        Raises:
            ArticleNotFoundError: If there is no such article.
        """
        query = f"SELECT {PASSAGE_COLUMNS} FROM visible WHERE visible.article_id = ? ORDER BY ordinal"
        with self.file.reading() as connection:
            rows = connection.execute(query, (article_id,)).fetchall()
            article = _articles(connection, [article_id]).get(article_id)
        if article is None:
            raise ArticleNotFoundError(f"There is no article {article_id!r}. See what there is with: byline list")
        return [passage_from(row, article.version, article.text) for row in rows]

    def n_passages(self) -> int:
        """Return how many passages are visible."""
        with self.file.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM visible").fetchone()[0])

    def passage_ids(self) -> list[str]:
        """Return the ids of all visible passages in the order they were stored."""
        return [passage_id for passage_id, _ in self.passage_keys()]

    def passage_keys(self) -> list[tuple[str, int]]:
        """Return id and key of every visible passage, by key; a key stands for one vector for ever."""
        with self.file.reading() as connection:
            return connection.execute("SELECT id, key FROM visible ORDER BY key").fetchall()

    def passage_versions(self) -> NDArray[np.int64]:
        """Return key, and key of the article version, of every visible passage, by key; shape (passages, 2)."""
        query = """
            SELECT key, version FROM passages
            WHERE build = (SELECT library.build FROM library) ORDER BY key
        """  # without a look at `articles`: whoever asks knows which versions are current from `article_facts`
        with self.file.reading() as connection:
            numbers = (number for row in connection.execute(query) for number in row)
            return np.fromiter(numbers, np.int64).reshape(-1, 2)

    def article_facts(self) -> list[tuple[int, str, str | None, date | None]]:
        """Return of every article: key of its current version, id, outlet (casefolded), day."""
        query = """
            SELECT versions.key, articles.id, outlet, published FROM articles
            JOIN versions ON versions.key = articles.current
        """
        with self.file.reading() as connection:
            rows = connection.execute(query)
            return [(key, id_, outlet, day_from(published, id_)) for key, id_, outlet, published in rows]

    def passage_ids_of(self, keys: Sequence[int]) -> dict[int, str]:
        """Return the ids of the visible ones among these passages, by key."""
        query = """
            SELECT visible.key, visible.id FROM json_each(?) AS wanted
            CROSS JOIN visible ON visible.key = wanted.value
        """
        with self.file.reading() as connection:
            return dict(connection.execute(query, (json.dumps(list(keys)),)).fetchall())

    def vectors_by_key(self, keys: Sequence[int]) -> tuple[list[int], Vectors]:
        """Return the keys of those among these passages that exist, in the order given, and their vectors."""
        query = """
            SELECT wanted.key, passages.key, vectors.vector FROM json_each(?) AS wanted
            CROSS JOIN passages ON passages.key = wanted.value
            CROSS JOIN vectors ON vectors.key = passages.vector
        """
        with self.file.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(keys)),)).fetchall()
        rows.sort(key=itemgetter(0))  # as in `_vector_rows`
        return [row[1] for row in rows], rows_from([row[2] for row in rows], self.build.dim)

    def passage_ids_where(self, filters: Filters) -> list[str]:
        """Return the ids of the visible passages whose article passes the filters, in no particular order."""
        conditions, values = _conditions(filters)
        # Joined by hand, from the side that the filters narrow down: SQLite cannot know which one that is.
        narrowed = "articles CROSS JOIN versions" if filters.article_ids else "versions CROSS JOIN articles"
        query = f"""
            SELECT passages.id FROM {narrowed} ON articles.current = versions.key
            CROSS JOIN passages ON passages.version = versions.key
            WHERE {" AND ".join([*conditions, "passages.build = (SELECT library.build FROM library)"])}
        """
        with self.file.reading() as connection:
            return [passage_id for (passage_id,) in connection.execute(query, values)]

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the stored vectors of these passages, float32, unit rows, in the order given.

        Raises:
            ValueError: If one of them is not visible; `known_vectors` leaves those out instead.
        """
        known, rows = self.known_vectors(passage_ids)
        if len(known) != len(passage_ids):
            raise ValueError(f"{len(passage_ids) - len(known)} of {len(passage_ids)} passages are not in the library.")
        return rows

    def known_vectors(self, passage_ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """Return the visible ones among these passages in the order given, and their vectors row by row."""
        rows = self._vector_rows("vector", passage_ids)
        return [row[1] for row in rows], rows_from([row[2] for row in rows], self.build.dim)

    def sentence_vectors(self, passage_ids: Sequence[str]) -> SentenceVectors:
        """Return the sentence vectors of the visible ones among these passages, in the order given."""
        rows = self._vector_rows("sentences", passage_ids)
        return unpack_sentences([row[1] for row in rows], [row[2] for row in rows], self.build.dim)

    def _vector_rows(
        self, column: Literal["vector", "sentences"], passage_ids: Sequence[str]
    ) -> list[tuple[int, str, bytes]]:
        """Return place, id and vectors of the visible ones among these passages, by their place among them."""
        query = f"""
            SELECT wanted.key, visible.id, vectors.{column}
            FROM json_each(?) AS wanted
            CROSS JOIN visible ON visible.id = wanted.value
            CROSS JOIN vectors ON vectors.key = visible.vector
        """
        with self.file.reading() as connection:
            rows = connection.execute(query, (json.dumps(list(passage_ids)),)).fetchall()
        # Sorted here: SQLite, told to, would copy every vector. For 200 passages alone 1.5 to 1.7 ms, not 2.4.
        rows.sort(key=itemgetter(0))
        return rows

    def all_articles(self) -> Iterator[Article]:
        """Yield every article in the order first added, reading one at a time."""
        for info in self.articles():
            yield from self.articles_by_id([info.id]).values()


def _articles(connection: sqlite3.Connection, article_ids: Sequence[str]) -> dict[str, Article]:
    query = f"""
        SELECT {ARTICLE_COLUMNS}
        FROM json_each(?) AS wanted
        CROSS JOIN articles ON articles.id = wanted.value
        CROSS JOIN versions ON versions.key = articles.current
    """
    rows = connection.execute(query, (json.dumps(list(article_ids)),))
    return {row[0]: article_from(row) for row in rows}


def _conditions(filters: Filters) -> tuple[list[str], list[str]]:
    conditions, values = [], []
    if filters.outlets:
        conditions.append("versions.outlet IN (SELECT value FROM json_each(?))")
        values.append(json.dumps([outlet.casefold() for outlet in filters.outlets]))
    if filters.since:
        conditions.append("versions.published >= ?")
        values.append(filters.since.isoformat())
    if filters.until:
        conditions.append("versions.published <= ?")
        values.append(filters.until.isoformat())
    if filters.article_ids:
        conditions.append("articles.id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(filters.article_ids)))
    return conditions, values
