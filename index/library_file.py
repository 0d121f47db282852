"""The SQLite file of a library: opening, checking, connections, transactions, and its errors in our words."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from corpus.errors import IndexingError, IndexMismatchError, IndexMissingError, LibraryDamagedError

LIBRARY_NAME = "library.sqlite3"
SCHEMA_VERSION = 3
_OLDEST_SCHEMA = 1  # from here on there are scripts, `schema_1_to_2.sql` and so on
APPLICATION_ID = 0x42796C6E  # "Byln": what tells our file from any other program's SQLite file
_LOCK_TIMEOUT_S = 5.0  # the owner lock keeps other Bylines out, so only a stranger can hold SQLite's lock
# Pages kept per connection: the b-tree tops of 200,000 passages. With 16 MiB 200 candidates were read no faster.
_CACHE_KIB = 4_096

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_IOERR_SHORT_READ}


class LibraryFile:
    """Connections to one `library.sqlite3`; many threads may read while one writes.

    Each read is one snapshot: it sees an article wholly before or wholly after a change.

    Args:
        path: The file; it must exist, see `create_library`.

    Raises:
        IndexMissingError: If there is no file.
        IndexMismatchError: If it is another program's, or a newer Byline's.
        LibraryDamagedError: If it cannot be read as a library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._write_lock = threading.RLock()
        self._closed = False
        if not path.is_file():
            raise IndexMissingError(f"There is no library at {str(path)!r}. Make one with: byline add PATH")
        with self.reading() as connection:
            schema = _check_identity(connection, path)
        for version in range(schema, SCHEMA_VERSION):
            self._migrate(version)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one unchanging state of the library until the block ends."""
        with _in_our_words(self.path):
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection whose changes become visible and durable together, or not at all."""
        with _in_our_words(self.path), self._write_lock:
            connection = self._borrow()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                self._give_back(connection)

    @contextmanager
    def outside_transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection without a transaction, for VACUUM and integrity checks."""
        with _in_our_words(self.path), self._write_lock:
            connection = self._borrow()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close every connection; those in use close when they are given back."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _migrate(self, version: int) -> None:
        """Take the file one schema version further, wholly or not at all."""
        script = Path(__file__).with_name(f"schema_{version}_to_{version + 1}.sql").read_text(encoding="utf-8")
        with self.outside_transaction() as connection:
            # `executescript` commits what is open before it starts, so the transaction is the script's own.
            connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {version + 1}; COMMIT;")

    def _borrow(self) -> sqlite3.Connection:
        with self._idle_lock:
            if self._closed:
                raise IndexingError(f"The library {str(self.path.parent)!r} is closed. Open it again.")
            if self._idle:
                return self._idle.pop()
        return _connect(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the error that led here says more
                connection.execute("ROLLBACK")
        with self._idle_lock:
            if not self._closed and not connection.in_transaction:
                self._idle.append(connection)
                return
        connection.close()


def create_library(path: Path, first_rows: str) -> None:
    """Write an empty library: schema, identity and the rows it cannot be without, in one transaction.

    Args:
        path: Must not exist, or be an empty file that a killed predecessor left.
        first_rows: SQL of the rows that are there from the start.

    Raises:
        IndexingError: If the folder cannot be written.
    """
    schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    identity = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    with _in_our_words(path):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own files take this one's mode
        except OSError as error:
            raise IndexingError(_cannot_write(path, str(error.strerror))) from error
        connection = _connect(path)
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {schema} {first_rows} {identity} COMMIT;")
        finally:
            connection.close()


def new_token() -> str:
    """Return a random name for a commit or a library."""
    return secrets.token_hex(8)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"cache_size = -{_CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check_identity(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a library that this Byline can read or take further."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
    if application != APPLICATION_ID and n_tables:
        raise IndexMismatchError(
            f"{str(path)!r} is a database of another program (application id {application}). "
            "Name another folder with --library."
        )
    if application != APPLICATION_ID:
        raise LibraryDamagedError(f"{str(path)!r} is empty. {_RESTORE}")
    if schema > SCHEMA_VERSION:
        raise IndexMismatchError(
            f"The library {str(path.parent)!r} was written by a newer Byline (schema {schema}, this one knows "
            f"{SCHEMA_VERSION}). Update with: pip install --upgrade byline"
        )
    if schema < _OLDEST_SCHEMA:
        raise LibraryDamagedError(f"{str(path)!r} has schema {schema}, which no Byline ever wrote. {_RESTORE}")
    return int(schema)


_RESTORE = "Restore the folder from a backup, or remove it and add the articles again."


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translate(error, path) from error


def _translate(error: sqlite3.DatabaseError, path: Path) -> IndexingError:
    extended = getattr(error, "sqlite_errorcode", None)
    code = extended & 0xFF if extended is not None else None
    if extended in _DAMAGE or code in _DAMAGE:
        return LibraryDamagedError(f"{str(path)!r} is damaged ({error}). {_RESTORE}")
    if code == sqlite3.SQLITE_FULL:
        return IndexingError(f"The disk is full: {str(path)!r} could not grow. Free some space and try again.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return IndexingError(_cannot_write(path, str(error)))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexingError(f"Another program holds {str(path)!r} open. Close it and try again.")
    return LibraryDamagedError(f"{str(path)!r} cannot be used ({error}). Look into it with: byline doctor")


def _cannot_write(path: Path, reason: str) -> str:
    return (
        f"The library {str(path.parent)!r} cannot be written ({reason}). "
        "Make the folder writable, or name another with --library."
    )
