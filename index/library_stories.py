"""Near-duplicates in the truth: articles that tell one story, found by bands and verified by their texts.

A story is what hangs together by pairs of articles that are at least 0.8 alike. It is a matter of what is stored now,
not of the order in which it came: when a member changes or goes, the others are compared anew.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

import numpy as np

from index.library_file import LibraryFile
from index.shingles_rensa import METHOD, NEAR_DUPLICATE, Shingles, band_hashes, jaccard, shingles_of

_PER_BAND = 20  # articles looked at in each band: a thousand copies of one notice must not make each addition slow
_COMPARED_ANEW = 200  # members of a story, at most; a larger one stays together when a member leaves it
_AT_ONCE = 500  # articles of an older library that are linked in one transaction
_CACHED = 512  # sets of shingles kept while linking


def link_stories(connection: sqlite3.Connection, changed: Iterable[int], left: Iterable[int]) -> None:
    """Bring the stories up to date inside a writing transaction.

    Args:
        connection: In a writing transaction.
        changed: Keys of the articles that are new or have another text; see `leave_story` for what comes before.
        left: Stories that a member left.
    """
    linker = _Linker(connection)
    again = set(changed)
    for key in again:
        linker.note_bands(key)
    for story in sorted(set(left)):
        query = "SELECT key FROM articles WHERE story = ? ORDER BY key LIMIT ?"
        members = [key for (key,) in connection.execute(query, (story, _COMPARED_ANEW + 1))]
        if len(members) <= _COMPARED_ANEW:
            connection.execute("UPDATE articles SET story = NULL WHERE story = ?", (story,))
            again.update(members)
    for key in sorted(again):
        linker.link(key)


def leave_story(connection: sqlite3.Connection, article_key: int) -> list[int]:
    """Take an article out of its story and of the bands, before its text changes or goes; return the story it left."""
    query = "SELECT story, current FROM articles WHERE key = ?"
    story, version = connection.execute(query, (article_key,)).fetchone()
    bands = ((band, article_key) for band in _stored_bands(connection, version))
    connection.executemany("DELETE FROM bands WHERE hash = ? AND article = ?", bands)
    if story is None:
        return []
    connection.execute("UPDATE articles SET story = NULL WHERE key = ?", (article_key,))
    return [story]


def link_unlinked(file: LibraryFile) -> int:
    """Link what an older Byline, or one with other bands, stored; return how many articles that were.

    Each slice is a transaction of its own, so that a run that was broken off goes on where it was.
    """
    with file.reading() as connection:
        (method,) = connection.execute("SELECT story_method FROM library").fetchone()
    if method != METHOD:
        with file.writing() as connection:
            connection.execute("DELETE FROM bands")
            connection.execute("UPDATE articles SET story = NULL WHERE story IS NOT NULL")
            connection.execute("UPDATE versions SET bands = NULL WHERE bands IS NOT NULL")
            connection.execute("UPDATE library SET story_method = ?", (METHOD,))
    done = 0
    while keys := _unlinked(file):
        with file.writing() as connection:
            link_stories(connection, keys, [])
        done += len(keys)
    return done


def _unlinked(file: LibraryFile) -> list[int]:
    query = """
        SELECT articles.key FROM versions JOIN articles ON articles.current = versions.key
        WHERE versions.bands IS NULL ORDER BY articles.key LIMIT ?
    """
    with file.reading() as connection:
        return [key for (key,) in connection.execute(query, (_AT_ONCE,))]


class _Linker:
    """Links articles within one transaction, reading each text once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._shingles: dict[int, Shingles] = {}

    def note_bands(self, key: int) -> None:
        """Store the bands of an article's current text."""
        bands = band_hashes(self._shingles_of(key))
        rows = ((band, key) for band in bands)
        self._connection.executemany("INSERT OR IGNORE INTO bands (hash, article) VALUES (?, ?)", rows)
        update = "UPDATE versions SET bands = ? WHERE key = (SELECT current FROM articles WHERE key = ?)"
        self._connection.execute(update, (np.array(bands, dtype="<i8").tobytes(), key))

    def link(self, key: int) -> None:
        """Join an article with the stories of the articles that it is nearly a copy of."""
        own = self._story(key)
        stories = set() if own is None else {own}
        alone = {key} if own is None else set()
        for candidate in self._candidates(key):
            story = self._story(candidate)
            if (story is None or story not in stories) and self._are_alike(key, candidate):
                (alone if story is None else stories).add(candidate if story is None else story)
        if len(alone) + len(stories) > 1:
            name = min(stories | alone)
            update = "UPDATE articles SET story = ? WHERE story = ?"
            self._connection.executemany(update, ((name, story) for story in stories if story != name))
            update = "UPDATE articles SET story = ? WHERE key = ?"
            self._connection.executemany(update, ((name, member) for member in alone))

    def _story(self, key: int) -> int | None:
        (story,) = self._connection.execute("SELECT story FROM articles WHERE key = ?", (key,)).fetchone()
        return None if story is None else int(story)

    def _candidates(self, key: int) -> list[int]:
        """Return the articles that share a band, those that share most first."""
        shared: Counter[int] = Counter()
        (version,) = self._connection.execute("SELECT current FROM articles WHERE key = ?", (key,)).fetchone()
        query = "SELECT article FROM bands WHERE hash = ? ORDER BY article LIMIT ?"
        for band in _stored_bands(self._connection, version):
            shared.update(article for (article,) in self._connection.execute(query, (band, _PER_BAND)))
        del shared[key]
        return sorted(shared, key=lambda article: (-shared[article], article))

    def _are_alike(self, one: int, other: int) -> bool:
        return jaccard(self._shingles_of(one), self._shingles_of(other)) >= NEAR_DUPLICATE

    def _shingles_of(self, key: int) -> Shingles:
        if key not in self._shingles:
            query = "SELECT text FROM articles JOIN versions ON versions.key = articles.current WHERE articles.key = ?"
            (text,) = self._connection.execute(query, (key,)).fetchone()
            if len(self._shingles) >= _CACHED:
                self._shingles.clear()
            self._shingles[key] = shingles_of(text)
        return self._shingles[key]


def _stored_bands(connection: sqlite3.Connection, version: int | None) -> list[int]:
    row = connection.execute("SELECT bands FROM versions WHERE key = ?", (version,)).fetchone()
    bands: list[int] = np.frombuffer(row[0], dtype="<i8").tolist() if row and row[0] else []
    return bands
