"""The log of changes that lets the disposable indexes catch up with the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from index.library_file import LibraryFile, new_token


@dataclass(frozen=True, slots=True)
class IndexState:
    """Where a disposable index lives and how far it has caught up.

    Args:
        folder: Number of its folder, so that a rebuild never touches the one in use.
        format: Version of what the index stores; another one means rebuilding.
        applied: Generation of the last commit it took over.
    """

    folder: int
    format: int
    applied: int


def log_commit(connection: sqlite3.Connection, passage_ids: Iterable[str]) -> int:
    """Note inside a writing transaction that these passages came or went; return the new generation."""
    generation = connection.execute("INSERT INTO commits (token) VALUES (?)", (new_token(),)).lastrowid
    assert generation is not None
    connection.executemany(
        "INSERT OR IGNORE INTO changes (generation, passage_id) VALUES (?, ?)",
        ((generation, passage_id) for passage_id in passage_ids),
    )
    return generation


def last_commit(file: LibraryFile) -> tuple[int, str]:
    """Return generation and token of the newest commit."""
    with file.reading() as connection:
        row = connection.execute("SELECT generation, token FROM commits ORDER BY generation DESC LIMIT 1").fetchone()
    return int(row[0]), str(row[1])


def tokens_since(file: LibraryFile, generation: int) -> set[str]:
    """Return the tokens of that commit and all later ones."""
    with file.reading() as connection:
        rows = connection.execute("SELECT token FROM commits WHERE generation >= ?", (generation,)).fetchall()
    return {token for (token,) in rows}


def pending_changes(file: LibraryFile, applied: int) -> tuple[int, str, list[str]]:
    """Return generation and token of the newest commit, and the passages changed after `applied`, sorted."""
    with file.reading() as connection:
        generation, token = connection.execute(
            "SELECT generation, token FROM commits ORDER BY generation DESC LIMIT 1"
        ).fetchone()
        rows = connection.execute(
            "SELECT DISTINCT passage_id FROM changes WHERE generation > ? ORDER BY passage_id", (applied,)
        ).fetchall()
    return generation, token, [passage_id for (passage_id,) in rows]


def index_state(file: LibraryFile, name: str) -> IndexState | None:
    """Return the state of a disposable index; None when it was never built."""
    with file.reading() as connection:
        row = connection.execute("SELECT folder, format, applied FROM indexes WHERE name = ?", (name,)).fetchone()
    return IndexState(*row) if row else None


def set_index_state(file: LibraryFile, name: str, state: IndexState) -> None:
    """Acknowledge what an index took over, and forget the changes that every index has."""
    with file.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO indexes (name, folder, format, applied) VALUES (?, ?, ?, ?)",
            (name, state.folder, state.format, state.applied),
        )
        (done,) = connection.execute("SELECT min(applied) FROM indexes").fetchone()
        connection.execute("DELETE FROM changes WHERE generation <= ?", (done,))
        connection.execute("DELETE FROM commits WHERE generation < ?", (done,))
