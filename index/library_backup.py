"""A library into one file, also while it is served, and back: the truth and what people gave, not the indexes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import zipfile
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from corpus.errors import ArticleFormatError, IndexingError, IndexMissingError
from index.doctor import repair
from index.library import Library
from index.library_file import LIBRARY_NAME
from index.open import own_folder

_BESIDE = ("kept.jsonl", "audit.jsonl", "sample-added")  # small files that belong to a library
_UPLOADS = "uploads"
_WAIT_S = 30.0  # for a commit in hand


def back_up(folder: Path, archive: Path) -> int:
    """Write one archive of the library as it is at one moment; return its size in bytes.

    Any process may do so, whoever owns the library: SQLite lets readers of `library.sqlite3` see one state of it
    while another process writes. The indexes are left out; they are made from it.

    Raises:
        IndexMissingError: If there is no library.
        IndexingError: If the archive is there already, cannot be written, or the library cannot be read.
    """
    if not (folder / LIBRARY_NAME).is_file():
        raise IndexMissingError(f"There is no library at {str(folder)!r}. Name one with --library.")
    if archive.exists():
        raise IndexingError(f"{str(archive)!r} is there already. Name a new file.")
    try:
        with tempfile.TemporaryDirectory(prefix=".byline-", dir=archive.absolute().parent) as scratch:
            copy, packed = Path(scratch) / LIBRARY_NAME, Path(scratch) / "backup.zip"
            _copy(folder / LIBRARY_NAME, copy)
            _pack(folder, copy, packed)
            os.replace(packed, archive)
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexingError(f"{str(archive)!r} cannot be written ({reason}). Name another file.") from error
    return archive.stat().st_size


def restore(archive: Path, folder: Path) -> int:
    """Make a library of an archive in a folder that holds none; return how many articles it has.

    Raises:
        ArticleFormatError: If the file is no backup, or is damaged.
        IndexingError: If the folder holds a library or other things.
        LibraryDamagedError: If what the archive holds is damaged.
    """
    if (folder / LIBRARY_NAME).exists():
        raise IndexingError(f"{str(folder)!r} holds a library already. Name an empty or new folder with --library.")
    lock = own_folder(folder)
    try:
        _unpack(archive, folder)
        library = Library.open(folder / LIBRARY_NAME)
        n_articles = len(library.articles())
        library.close()
    except BaseException:
        (folder / LIBRARY_NAME).unlink(missing_ok=True)
        raise
    finally:
        lock.release()
    repair(folder)
    return n_articles


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=_WAIT_S)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)  # all pages in one step, so that a busy writer cannot make it begin again for ever
            (verdict,) = writing.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise IndexingError(f"{str(source)!r} cannot be copied ({error}). Look into it with: byline doctor") from error
    if verdict != "ok":
        raise IndexingError(f"{str(source)!r} is damaged ({verdict}). Look into it with: byline doctor")


def _pack(folder: Path, copy: Path, packed: Path) -> None:
    packed.touch(mode=0o600)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        bundle.write(copy, LIBRARY_NAME)
        uploads = folder / _UPLOADS
        beside = [folder / name for name in _BESIDE] + (sorted(uploads.iterdir()) if uploads.is_dir() else [])
        for path in filter(Path.is_file, beside):
            with suppress(FileNotFoundError):  # somebody removed an uploaded article meanwhile, and its file with it
                bundle.write(path, str(path.relative_to(folder).as_posix()))


def _unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive; the library itself last, so that a broken run leaves none that looks whole."""
    try:
        with zipfile.ZipFile(archive) as bundle:
            names = bundle.namelist()
            if LIBRARY_NAME not in names or not all(map(_belongs, names)):
                raise ArticleFormatError(f"{str(archive)!r} is no backup of a library. Name one made by: byline backup")
            for name in sorted(names, key=lambda name: name == LIBRARY_NAME):
                target = folder / name
                target.parent.mkdir(exist_ok=True, mode=0o700)
                with bundle.open(name) as packed, os.fdopen(_create(target), "wb") as unpacked:
                    while piece := packed.read(1 << 20):
                        unpacked.write(piece)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ArticleFormatError(f"{str(archive)!r} is damaged or no backup ({error}). Use another one.") from error


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _belongs(name: str) -> bool:
    parts = PurePosixPath(name).parts
    plain = "\\" not in name and ".." not in parts and not name.startswith("/") and ":" not in name
    return name in (LIBRARY_NAME, *_BESIDE) or (plain and len(parts) == 2 and parts[0] == _UPLOADS)
