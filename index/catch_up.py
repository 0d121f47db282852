"""Bringing the two disposable indexes up to the truth: replay what changed, or rebuild."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from corpus.errors import IndexingError, IndexMismatchError, IndexMissingError, LibraryDamagedError
from index.disk import FULL_BYTES, INDEX_BYTES_A_PASSAGE, need_space
from index.library import Library
from index.library_log import IndexState, index_state, last_commit, pending_changes, set_index_state, tokens_since
from index.probe import probe
from index.seal import STAMP_NAME, Rewritten, Seal, break_seal, inspect_folder, seal_folder

if TYPE_CHECKING:
    from index.lexical_tantivy import TantivyLexical
    from index.vectors_chroma import ChromaVectors

_BATCH = 2_000  # passages read and written at once while replaying; a few MB of vectors and text
_log = logging.getLogger(__name__)


class Disposable(Protocol):
    """What both indexes have in common, as far as keeping them up to date goes."""

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget these passages; unknown ids are no error."""

    def count(self) -> int:
        """Return how many passages it holds."""

    def close(self) -> None:
        """Let go of its files."""


IndexT = TypeVar("IndexT", bound=Disposable)


@dataclass(frozen=True, slots=True)
class Kind(Generic[IndexT]):
    """One of the two disposable indexes.

    Args:
        name: Its row in the library's `indexes` and its folder.
        format: Version of what it stores.
        open: Opens or creates it in a folder.
        upsert: Stores the visible ones among these passages, from the truth, and returns their ids.
        rewritten: Tells files that reading alone rewrites.
    """

    name: str
    format: int
    open: Callable[[Path], IndexT]
    upsert: Callable[[IndexT, Library, Sequence[str]], set[str]]
    rewritten: Rewritten = lambda name, names: False


def vector_kind(dim: int) -> Kind[ChromaVectors]:
    """Return the vector index; importing Chroma takes most of a second."""
    from index.vectors_chroma import FORMAT, ChromaVectors, is_rewritten

    def upsert(index: ChromaVectors, library: Library, passage_ids: Sequence[str]) -> set[str]:
        known, vectors = library.known_vectors(passage_ids)
        index.upsert(known, vectors)
        return set(known)

    return Kind("chroma", FORMAT, lambda folder: ChromaVectors(folder, dim), upsert, is_rewritten)


def lexical_kind() -> Kind[TantivyLexical]:
    """Return the lexical index."""
    from index.lexical_tantivy import FORMAT, TantivyLexical

    def upsert(index: TantivyLexical, library: Library, passage_ids: Sequence[str]) -> set[str]:
        pairs = library.passages_with_articles(passage_ids)
        index.upsert(list(pairs.values()))
        return set(pairs)

    return Kind("lexical", FORMAT, TantivyLexical, upsert)


def open_current(root: Path, library: Library, kind: Kind[IndexT]) -> IndexT:
    """Open a disposable index as the truth stands now, rebuilding it when it is missing, broken or not the truth's own.

    No vector is computed: everything comes from the library.
    """
    if index_state(library.file, kind.name) is None:
        return rebuild(root, library, kind)
    try:
        return open_complete(root, library, kind)
    except (IndexMissingError, IndexMismatchError, LibraryDamagedError) as error:
        _log.warning("Rebuilding an index from the library: %s", error)
        return rebuild(root, library, kind)


def open_complete(root: Path, library: Library, kind: Kind[IndexT]) -> IndexT:
    """Open a disposable index, let it catch up, and make sure that it then holds as many passages as the library.

    Raises:
        IndexMissingError: If it is not there, not the one that this library last wrote to, or holds fewer or more.
        IndexMismatchError: As in `open_as_is`.
        LibraryDamagedError: As in `open_as_is`.
    """
    index = open_as_is(root, library, kind)
    with _closed_on_error(index):
        if not _is_complete(library, kind, index):
            raise IndexMissingError(
                f"The index {kind.name!r} does not hold as many passages as the library. "
                "Mend it with: byline doctor --repair"
            )
    return index


def open_as_is(root: Path, library: Library, kind: Kind[IndexT]) -> IndexT:
    """Open a disposable index and let it catch up.

    Raises:
        IndexMissingError: If it is not there, or not the one that this library last wrote to.
        IndexMismatchError: If another format or other settings wrote it.
        LibraryDamagedError: If its files are not those that were closed, or it cannot be read.
    """
    state = index_state(library.file, kind.name)
    if state is None or not _is_own(root, library, kind.name, state):
        raise IndexMissingError(
            f"The index {kind.name!r} is missing or another library's. Mend it with: byline doctor --repair"
        )
    if state.format != kind.format:
        raise IndexMismatchError(
            f"The index {kind.name!r} has format {state.format}, this Byline writes {kind.format}. "
            "Mend it with: byline doctor --repair"
        )
    folder = _folder(root, kind.name, state)
    _check_files(root, library, kind, folder)
    index = kind.open(folder)
    with _closed_on_error(index):
        replay(root, library, kind, index)
    return index


def replay(root: Path, library: Library, kind: Kind[IndexT], index: IndexT) -> None:
    """Take over every change since the last acknowledged one; does nothing when there is none.

    What happened to a passage does not matter, only whether it is visible now, so that replaying twice is harmless.
    """
    state = index_state(library.file, kind.name)
    if state is None:
        raise LibraryDamagedError(f"The library lost track of its index {kind.name!r}. Mend it with: byline doctor")
    generation, token, changed = pending_changes(library.file, state.applied)
    if generation == state.applied:
        return
    break_seal(_folder(root, kind.name, state))
    with _full_disk_explained(root):
        for batch in _batches(changed):
            gone = set(batch) - kind.upsert(index, library, batch)
            if gone:
                index.remove(sorted(gone))
        _acknowledge(root, library, kind.name, replace(state, applied=generation), token)


def rebuild(root: Path, library: Library, kind: Kind[IndexT], *, keep_former: bool = False) -> IndexT:
    """Build the index anew from the truth in a folder of its own, switch to it, and delete the other folders.

    With `keep_former` those stay until `drop_former`: somebody may still be asking the index in one of them.
    """
    former = index_state(library.file, kind.name)
    state = IndexState((former.folder if former else 0) + 1, kind.format, 0)
    folder = _folder(root, kind.name, state)
    while folder.exists():  # left by a build that was killed; it may be open in this process, so it is not reused
        state = replace(state, folder=state.folder + 1)
        folder = _folder(root, kind.name, state)
    generation, token = last_commit(library.file)
    need_space(root, library.n_passages() * INDEX_BYTES_A_PASSAGE // 2, f"building the index {kind.name!r}")
    with _full_disk_explained(root):
        folder.mkdir(parents=True, mode=0o700)
        index = kind.open(folder)
        with _closed_on_error(index):
            for batch in _batches(library.passage_ids()):
                kind.upsert(index, library, batch)
            _acknowledge(root, library, kind.name, replace(state, applied=generation), token)
    if not keep_former:
        _delete_others(folder)
    return index


def close_sealed(root: Path, library: Library, kind: Kind[IndexT], index: IndexT) -> None:
    """Close an index that is well, and note what its files are, so that the next opening knows them."""
    state = index_state(library.file, kind.name)
    index.close()
    if state is not None and _folder(root, kind.name, state).is_dir():
        with suppress(OSError):  # a full disk: without a seal the next opening looks closely
            seal_folder(_folder(root, kind.name, state), kind.rewritten)


def _check_files(root: Path, library: Library, kind: Kind[IndexT], folder: Path) -> None:
    """Make sure that opening the index in this process will neither kill it nor answer nonsense.

    Raises:
        LibraryDamagedError: If not.
    """
    inspection = inspect_folder(folder, kind.rewritten)
    if inspection.seal is Seal.BROKEN:
        raise LibraryDamagedError(
            f"The index {kind.name!r} is damaged: {inspection.difference}. Mend it with: byline doctor --repair"
        )
    if inspection.seal is Seal.ABSENT:
        probe(root, kind.name, folder, library.n_passages())


def drop_former(root: Path, library: Library, kind: Kind[IndexT]) -> None:
    """Delete every folder of the index but the current one."""
    state = index_state(library.file, kind.name)
    if state is not None:
        _delete_others(_folder(root, kind.name, state))


def _is_complete(library: Library, kind: Kind[IndexT], index: IndexT) -> bool:
    """Say whether the index holds as many passages as the truth; a truth that moves on meanwhile is no evidence."""
    state = index_state(library.file, kind.name)
    return index.count() == library.n_passages() or state is None or state.applied < library.generation()


@contextmanager
def _closed_on_error(index: Disposable) -> Iterator[None]:
    try:
        yield
    except BaseException:
        index.close()
        raise


@contextmanager
def _full_disk_explained(root: Path) -> Iterator[None]:
    try:
        yield
    except (LibraryDamagedError, OSError) as error:
        if isinstance(error, LibraryDamagedError) and shutil.disk_usage(root).free > FULL_BYTES:
            raise
        reason = error.strerror if isinstance(error, OSError) else "the disk is full"
        raise IndexingError(
            f"An index in {str(root)!r} could not be written ({reason}). Free some space and try again; "
            "what was added is safe."
        ) from error


def _is_own(root: Path, library: Library, name: str, state: IndexState) -> bool:
    """Say whether the folder is there and was last stamped at a commit this truth remembers."""
    try:
        stamp = (_folder(root, name, state) / STAMP_NAME).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    return stamp in tokens_since(library.file, state.applied)


def _acknowledge(root: Path, library: Library, name: str, state: IndexState, token: str) -> None:
    # The stamp comes first: killed in between, the folder carries a later token, which the truth still remembers.
    stamp = _folder(root, name, state) / STAMP_NAME
    draft = stamp.with_suffix(".new")
    draft.write_text(token, encoding="ascii")
    os.replace(draft, stamp)
    set_index_state(library.file, name, state)


def _folder(root: Path, name: str, state: IndexState) -> Path:
    return root / name / str(state.folder)


def _delete_others(folder: Path) -> None:
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)  # what stays, say an open file on Windows, goes next time


def _batches(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
