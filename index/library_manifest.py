"""The manifest: with which embedder and chunker a library was built, and which build is read."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import IndexMismatchError, LibraryDamagedError
from index.library_file import LibraryFile, create_library, new_token

DISTANCE = "cosine"


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that decides which passages and vectors a library holds.

    Args:
        fingerprint: The embedder's name, file hash and dimension.
        dim: Width of its vectors.
        chunker_version: `corpus.chunk.CHUNKER_VERSION` at the time.
        chunk_tokens: Most tokens a passage may have.
        tokenizer: What counted them.
        distance: How vectors are compared.
    """

    fingerprint: str
    dim: int
    chunker_version: int
    chunk_tokens: int
    tokenizer: str
    distance: str = DISTANCE


def create_with(path: Path, build: Build) -> None:
    """Write an empty library whose passages will be made as `build` says."""
    created = _now()
    create_library(
        path,
        f"""
        INSERT INTO embedders (fingerprint, dim) VALUES ({_quoted(build.fingerprint)}, {build.dim});
        INSERT INTO manifest (embedder, distance, chunker_version, chunk_tokens, tokenizer, created)
        VALUES (1, {_quoted(build.distance)}, {build.chunker_version}, {build.chunk_tokens},
                {_quoted(build.tokenizer)}, '{created}');
        INSERT INTO library (one, id, build, created) VALUES (1, '{new_token()}', 1, '{created}');
        INSERT INTO commits (token) VALUES ('{new_token()}');
        """,
    )


def current_build(file: LibraryFile) -> tuple[int, Build]:
    """Return the number of the build that is read, and what it was made with.

    Raises:
        LibraryDamagedError: If the manifest lacks it.
    """
    with file.reading() as connection:
        row = connection.execute(
            """
            SELECT build, fingerprint, dim, chunker_version, chunk_tokens, tokenizer, distance
            FROM library JOIN manifest USING (build) JOIN embedders ON embedders.key = manifest.embedder
            """
        ).fetchone()
    if row is None:
        raise LibraryDamagedError(f"{str(file.path)!r} has no manifest. Restore the folder from a backup.")
    return row[0], Build(*row[1:])


def keep_versions(file: LibraryFile, wanted: bool) -> None:
    """Decide whether former versions stay readable from now on; those there are go with the next `byline compact`."""
    with file.reading() as connection:
        (kept,) = connection.execute("SELECT keep_versions FROM library").fetchone()
    if bool(kept) != wanted:
        with file.writing() as connection:
            connection.execute("UPDATE library SET keep_versions = ?", (int(wanted),))


def check_build(found: Build, wanted: Build, folder: Path) -> None:
    """Refuse a library that was built otherwise than the settings say.

    Raises:
        IndexMismatchError: Naming every difference and the command that mends it.
    """
    differences = [
        f"{field.name.replace('_', ' ')} {getattr(found, field.name)!r} (now {getattr(wanted, field.name)!r})"
        for field in fields(Build)
        if getattr(found, field.name) != getattr(wanted, field.name)
    ]
    if differences:
        raise IndexMismatchError(
            f"The library {str(folder)!r} was built with {', '.join(differences)}. "
            "Mend it with: byline reindex, or go back to the former settings."
        )


def start_build(file: LibraryFile, build: Build) -> int:
    """Drop unfinished builds, note a new one that nobody reads yet, and return its number."""
    with file.writing() as connection:
        connection.execute("DELETE FROM passages WHERE build != (SELECT build FROM library)")
        connection.execute("DELETE FROM manifest WHERE build != (SELECT build FROM library)")
        row = (embedder_key(connection, build), build.distance, build.chunker_version, build.chunk_tokens)
        cursor = connection.execute(
            """
            INSERT INTO manifest (embedder, distance, chunker_version, chunk_tokens, tokenizer, created)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (*row, build.tokenizer, _now()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def embedder_key(connection: sqlite3.Connection, build: Build) -> int:
    """Return the key of the build's embedder, noting it when it is new."""
    connection.execute(
        "INSERT INTO embedders (fingerprint, dim) VALUES (?, ?) ON CONFLICT (fingerprint) DO NOTHING",
        (build.fingerprint, build.dim),
    )
    query = "SELECT key FROM embedders WHERE fingerprint = ?"
    return int(connection.execute(query, (build.fingerprint,)).fetchone()[0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
