"""Opening a library: lock, checks, and both indexes when they are first asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from corpus.chunk import CHUNKER_VERSION
from corpus.errors import IndexingError, IndexMismatchError, IndexMissingError, LibraryDamagedError
from corpus.tokens_tiktoken import ENCODING
from index import library_manifest
from index.catch_up import (
    IndexT,
    Kind,
    close_sealed,
    drop_former,
    lexical_kind,
    open_complete,
    open_current,
    rebuild,
    replay,
    vector_kind,
)
from index.library import Library
from index.library_file import LIBRARY_NAME
from index.library_log import index_state
from index.library_manifest import Build, check_build, create_with, current_build
from index.library_stories import link_unlinked
from index.owner import LOCK_NAME, OwnerLock
from index.types import Embedder, LexicalIndex, VectorIndex
from index.vectors_exact import ExactVectors
from index.vectors_filtered import FilteredVectors

if TYPE_CHECKING:
    from index.lexical_tantivy import TantivyLexical
    from index.vectors_chroma import ChromaVectors

RUNS_NAME = "eval-runs"  # where evaluation runs are kept: they may be there before the library is
_INDEX_NAMES = ("chroma", "lexical")
_REBUILT_AT_ONCE = 5_000  # passages: some seconds of a question's deadline
_CLOSING_S = 5.0  # a call that hangs in an index must not keep the process from ending
_log = logging.getLogger(__name__)


class OpenIndex:
    """A library that this process owns, with its embedder and indexes; any thread may use it.

    Make one with `open_index`. Reading needs no care; whoever writes does so inside `writing()`.

    Args:
        lock: Released by `close`.
    """

    def __init__(self, folder: Path, library: Library, embedder: Embedder, lock: OwnerLock) -> None:
        self.folder = folder
        self.library = library
        self.embedder = embedder
        self.exact = ExactVectors(library, embedder.fingerprint)
        self.filtered = FilteredVectors(library)
        self._owner = lock
        self._write_lock = threading.RLock()
        self._index_lock = threading.RLock()  # guards opening and catching up, not queries
        self._vectors: ChromaVectors | None = None
        self._lexical: TantivyLexical | None = None
        self._retired: list[ChromaVectors | TantivyLexical] = []  # replaced, but perhaps still being asked
        self._broken: dict[str, IndexingError] = {}  # why an index of a large library could not be opened

    @property
    def vectors(self) -> VectorIndex:
        """The Chroma index, opened and brought up to date when first asked for.

        Raises:
            IndexMissingError: If it has to be built anew, and the library is too large to do so within a question.
            IndexMismatchError: Likewise.
            LibraryDamagedError: Likewise.
        """
        return self._vectors or self._open_vectors(at_once=False)

    @property
    def lexical(self) -> LexicalIndex:
        """The tantivy index, opened and brought up to date when first asked for; errors as in `vectors`."""
        return self._lexical or self._open_lexical(at_once=False)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other writers of this process out."""
        with self._write_lock:
            yield

    def catch_up(self) -> None:
        """Bring both indexes up to what the library holds now; one that lacks nothing is not even opened."""
        with self._index_lock:
            for name, open_it in (("chroma", self._open_vectors), ("lexical", self._open_lexical)):
                state = index_state(self.library.file, name)
                if state.applied < self.library.generation() if state else self.library.n_passages():
                    open_it()
            if self._vectors is not None:
                replay(self.folder, self.library, vector_kind(self.library.build.dim), self._vectors)
            if self._lexical is not None:
                replay(self.folder, self.library, lexical_kind(), self._lexical)

    def announce(self, address: str, token: str) -> None:
        """Tell other processes, by the lock file, where this one answers them and with which token."""
        self._owner.announce(address, token)

    def rebuild(self) -> None:
        """Build both indexes anew from the library and go over to them; nothing is embedded again."""
        with self._write_lock, self._index_lock:
            self._drop_retired()  # from an earlier rebuild: no question takes that long
            self._retired = [index for index in (self._vectors, self._lexical) if index is not None]
            vectors = vector_kind(self.library.build.dim)
            self._vectors = rebuild(self.folder, self.library, vectors, keep_former=True)
            self._lexical = rebuild(self.folder, self.library, lexical_kind(), keep_former=True)
            self._broken.clear()

    def close(self) -> None:
        """Close everything and give the library up; a second call does nothing."""
        with self._write_lock:
            if self._index_lock.acquire(timeout=_CLOSING_S):
                try:
                    self._close_indexes()
                finally:
                    self._index_lock.release()
            else:
                _log.warning("An index does not answer and was left open; it is looked at closely the next time.")
            self.library.close()
            self._owner.release()

    def _close_indexes(self) -> None:
        vectors, lexical = self._vectors, self._lexical
        self._vectors = self._lexical = None
        if vectors is not None:
            close_sealed(self.folder, self.library, vector_kind(self.library.build.dim), vectors)
        if lexical is not None:
            close_sealed(self.folder, self.library, lexical_kind(), lexical)
        self._drop_retired()

    def __enter__(self) -> OpenIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _drop_retired(self) -> None:
        if self._retired:
            for index in self._retired:
                index.close()
            drop_former(self.folder, self.library, vector_kind(self.library.build.dim))
            drop_former(self.folder, self.library, lexical_kind())
        self._retired = []

    def _open_vectors(self, *, at_once: bool = True) -> ChromaVectors:
        with self._index_lock:
            if self._vectors is None:
                self._vectors = self._open(vector_kind(self.library.build.dim), at_once)
            return self._vectors

    def _open_lexical(self, *, at_once: bool = True) -> TantivyLexical:
        with self._index_lock:
            if self._lexical is None:
                self._lexical = self._open(lexical_kind(), at_once)
            return self._lexical

    def _open(self, kind: Kind[IndexT], at_once: bool) -> IndexT:
        """Open an index; one that cannot be used is built anew at once, or refused when that would take minutes."""
        if at_once or self.library.n_passages() <= _REBUILT_AT_ONCE:
            self._broken.pop(kind.name, None)
            return open_current(self.folder, self.library, kind)
        if kind.name in self._broken:  # looking again would take as long and find the same
            raise self._broken[kind.name]
        try:
            return open_complete(self.folder, self.library, kind)
        except (IndexMissingError, IndexMismatchError, LibraryDamagedError) as error:
            self._broken[kind.name] = error
            raise


def open_index(
    folder: Path, embedder: Embedder, *, chunk_tokens: int = 200, keep_versions: bool | None = None
) -> OpenIndex:
    """Open the library in a folder, making it when the folder is empty or absent.

    Args:
        folder: Belongs to one library alone; made with mode 0700.
        embedder: Must be the one the library was built with.
        chunk_tokens: Likewise.
        keep_versions: Whether former versions of edited articles stay readable; None leaves that as it is.

    Raises:
        LibraryBusyError: If another process, or this one, has it open.
        IndexMismatchError: If it was built otherwise (mended by `byline reindex`), by a newer Byline, or is foreign.
        LibraryDamagedError: If it cannot be read.
        IndexingError: If the folder cannot be used.
    """
    wanted = wanted_build(embedder, chunk_tokens)
    lock = own_folder(folder)
    library: Library | None = None
    try:
        path = folder / LIBRARY_NAME
        if not path.exists() or not path.stat().st_size:
            create_with(path, wanted)
        library = Library.open(path)
        check_build(current_build(library.file)[1], wanted, folder)
        if keep_versions is not None:
            library_manifest.keep_versions(library.file, keep_versions)
        if linked := link_unlinked(library.file):
            _log.info("Compared %d articles of %s, to know which ones tell the same story.", linked, folder)
        return OpenIndex(folder, library, embedder, lock)
    except BaseException:
        if library is not None:
            library.close()
        lock.release()
        raise


def wanted_build(embedder: Embedder, chunk_tokens: int) -> Build:
    """Return the build that these settings ask for."""
    return Build(embedder.fingerprint, embedder.dim, CHUNKER_VERSION, chunk_tokens, ENCODING)


def own_folder(folder: Path) -> OwnerLock:
    """Make the folder if need be, refuse it when it is not a library's, and take its lock.

    Raises:
        LibraryBusyError: If somebody has the library open.
        LibraryDamagedError: If its indexes are there but the library itself is not.
        IndexingError: If the folder is a file, cannot be made, or holds other things.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except (FileExistsError, NotADirectoryError) as error:
        raise IndexingError(f"{str(folder)!r} is a file, not a folder. Name a folder with --library.") from error
    except OSError as error:
        raise IndexingError(
            f"The folder {str(folder)!r} cannot be used ({error.strerror}). Name another with --library."
        ) from error
    if LIBRARY_NAME not in names and names - {LOCK_NAME, RUNS_NAME, *_INDEX_NAMES}:
        raise IndexingError(
            f"{str(folder)!r} holds other files and no library. Name an empty or new folder with --library."
        )
    if names & set(_INDEX_NAMES) and not _has_content(folder / LIBRARY_NAME):
        raise LibraryDamagedError(
            f"{str(folder)!r} has lost its {LIBRARY_NAME}. Restore it from a backup, or remove the folder and add the "
            "articles again."
        )
    return OwnerLock(folder)


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
