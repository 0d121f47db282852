"""The one-process lock: who owns a library, since when."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import IndexingError, LibraryBusyError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "owner.lock"
_UNNAMED_S = 0.5  # between locking and naming, and between clearing the name and letting go, pass microseconds
_WINDOWS_LOCK_BYTE = 1 << 30  # Windows locks bar reading too, so the locked byte lies far behind the JSON


@dataclass(frozen=True, slots=True)
class Owner:
    """What the lock file says.

    Args:
        pid: Process that owns the library.
        since: When it took it, ISO 8601 with offset.
        address: Where it answers other processes, e.g. `http://127.0.0.1:7860`; None when it does not.
        token: What it demands of them. Whoever may read the lock file may read the library too.
    """

    pid: int
    since: str
    address: str | None = None
    token: str | None = field(default=None, repr=False)


class OwnerLock:
    """Holds `owner.lock` of one library folder from construction until `release` or the end of the process.

    The operating system keeps the lock, so a killed owner never leaves a stale one; the JSON inside only informs.

    Raises:
        LibraryBusyError: If somebody else, or this process, has the library open.
        IndexingError: If the lock file cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        try:
            # Opened without truncating: the file may be another owner's.
            self._file: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise IndexingError(
                f"The library {str(folder)!r} cannot be locked ({error.strerror}). "
                "Make the folder writable, or name another with --library."
            ) from error
        if not _take(self._file, folder):
            os.close(self._file)
            raise LibraryBusyError(_busy_message(folder, read_owner(folder)))
        if sys.platform != "win32":
            os.fchmod(
                self._file, 0o600
            )  # an older file may have come with another mode, and a token is written into it
        self._owner = Owner(os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
        self._write(self._owner)

    def announce(self, address: str | None, token: str | None) -> None:
        """Say in the lock file where this process answers others, or with None that it no longer does."""
        if self._file is not None:
            self._owner = replace(self._owner, address=address, token=token)
            self._write(self._owner)

    def release(self) -> None:
        """Give the library up; a second call does nothing."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)  # closing lets go of the lock
            self._file = None

    def _write(self, owner: Owner) -> None:
        assert self._file is not None
        facts = json.dumps(asdict(owner)).encode() + b"\n"
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, facts)


def read_owner(folder: Path) -> Owner | None:
    """Return who the lock file names; None when it is absent, empty or not readable as such."""
    try:
        facts = json.loads((folder / LOCK_NAME).read_text(encoding="utf-8"))
        return Owner(int(facts["pid"]), str(facts["since"]), facts.get("address"), facts.get("token"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _busy_message(folder: Path, owner: Owner | None) -> str:
    if owner is None:
        who = "another process"
    elif owner.pid == os.getpid():
        who = f"this process (pid {owner.pid}, since {owner.since})"
    else:
        who = f"process {owner.pid} (since {owner.since})"
    return f"The library {str(folder)!r} is in use by {who}. Close that one first, or name another with --library."


def _take(file: int, folder: Path) -> bool:
    """Lock the file; while it names nobody, its owner is about to write its name or has just left, so try again."""
    patience = time.monotonic() + _UNNAMED_S
    while not _try_lock(file):
        if read_owner(folder) is not None or time.monotonic() > patience:
            return False
        time.sleep(_UNNAMED_S / 50)
    return True


def _try_lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(file, _WINDOWS_LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
