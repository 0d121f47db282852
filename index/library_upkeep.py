"""The truth looked after: integrity, unreachable rows, space, and switching to another build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import IndexingError
from index.library_file import LibraryFile
from index.library_log import log_commit
from index.library_rows import PASSAGE_COLUMNS
from index.library_write import CutArticle, insert_passages

PassageRow = tuple[str, str, int, int, int, bytes, int]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A row of `PASSAGE_COLUMNS`, and the hash and blobs of its vectors, which are None where they are gone."""

    row: PassageRow
    text_hash: bytes | None
    vector: bytes | None
    sentences: bytes | None


_MOST_PROBLEMS = 20  # of SQLite's own list: enough to see what is wrong


def integrity_problems(file: LibraryFile) -> list[str]:
    """Return what SQLite finds wrong with the file: broken pages, indexes, references. Reads all of it."""
    with file.outside_transaction() as connection:
        lines = [line for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})")]
        broken = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_PROBLEMS)
    problems = [] if lines == ["ok"] else lines
    return problems + [f"row {key} of {table} refers to a {parent} that is gone" for table, key, parent, _ in broken]


def stored_passages(file: LibraryFile, article_id: str) -> list[StoredPassage]:
    """Return the visible passages of an article in order, with what is stored of their vectors."""
    query = f"""
        SELECT vectors.text_hash, vectors.vector, vectors.sentences, {PASSAGE_COLUMNS}
        FROM visible LEFT JOIN vectors ON vectors.key = visible.vector
        WHERE visible.article_id = ? ORDER BY visible.ordinal
    """
    with file.reading() as connection:
        return [StoredPassage((*row[3:],), *row[:3]) for row in connection.execute(query, (article_id,))]


def add_to_build(file: LibraryFile, build: int, cut_articles: Sequence[CutArticle]) -> None:
    """Store passages of current versions for a build that nobody reads yet."""
    query = """
        SELECT versions.key FROM articles JOIN versions ON versions.key = articles.current
        WHERE articles.id = ? AND versions.version = ?
    """
    with file.writing() as connection:
        for cut in cut_articles:
            row = connection.execute(query, (cut.article.id, cut.article.version)).fetchone()
            insert_passages(connection, build, row[0], cut)


def switch_build(file: LibraryFile, build: int) -> None:
    """Let readers see another build and forget the former one; both disposable indexes are to be built anew."""
    with file.writing() as connection:
        connection.execute("UPDATE library SET build = ?", (build,))
        connection.execute("DELETE FROM passages WHERE build != ?", (build,))
        connection.execute("DELETE FROM manifest WHERE build != ?", (build,))
        connection.execute("DELETE FROM indexes")
        connection.execute("DELETE FROM changes")  # nothing replays them: the indexes start from the truth
        log_commit(connection, [])


def drop_unreachable(file: LibraryFile) -> None:
    """Delete what no reader can reach: former versions (unless they are kept), and vectors and embedders of nothing."""
    with file.writing() as connection:
        (keep_versions,) = connection.execute("SELECT keep_versions FROM library").fetchone()
        if not keep_versions:
            current = "SELECT 1 FROM articles WHERE articles.current = versions.key"
            connection.execute(f"DELETE FROM versions WHERE NOT EXISTS ({current})")
        connection.execute("DELETE FROM passages WHERE build != (SELECT build FROM library)")
        connection.execute("DELETE FROM manifest WHERE build != (SELECT build FROM library)")
        connection.execute("DELETE FROM vectors WHERE key NOT IN (SELECT vector FROM passages)")
        connection.execute("DELETE FROM embedders WHERE key NOT IN (SELECT embedder FROM manifest)")


def give_back_space(file: LibraryFile) -> None:
    """Rewrite the file without its free pages, so that deleted text is no longer on disk.

    Raises:
        IndexingError: If another program reads the file, say a backup: then the former pages still lie there.
    """
    with file.outside_transaction() as connection:
        connection.execute("VACUUM")
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise IndexingError(
            f"Another program reads {str(file.path)!r}, so deleted text may still be in it. "
            "Close it and run again: byline compact"
        )
