"""The seal of a disposable index: checksums of its files, written when it was closed cleanly.

A sealed folder whose files still have these checksums is opened at once. Chroma kills the process over some damaged
files and answers "nothing found" over others, and neither it nor tantivy looks at its own checksums when opening.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

SEAL_NAME = "seal"
STAMP_NAME = "stamp"  # of `index.catch_up`, which replaces it after every commit
Rewritten = Callable[[str, Collection[str]], bool]  # a file's name and those of all files -> does reading rewrite it
_READ_BYTES = 1 << 20


def _nothing(name: str, names: Collection[str]) -> bool:
    return False


class Seal(Enum):
    """What the seal says about a folder."""

    WHOLE = "the files are those that were closed"
    BROKEN = "the files are not those that were closed"
    ABSENT = "nobody closed it cleanly, or reading alone may explain the difference"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the seal says, and in a phrase which file differs."""

    seal: Seal
    difference: str = ""


def seal_folder(folder: Path, rewritten: Rewritten = _nothing) -> None:
    """Note the checksums of a folder that nobody has open.

    Where the former seal was never broken nothing was written, so only what reading rewrites is noted anew: damage
    that was done meanwhile still shows.
    """
    former = _read(folder) or {}
    files = _files(folder)
    names = former.keys() | files.keys()
    sums = {name: value for name, value in former.items() if not rewritten(name, names)}
    for name, path in files.items():
        if not former or rewritten(name, names):
            sums[name] = _crc(path)
    if sums != former:
        draft = folder / f"{SEAL_NAME}.new"
        draft.write_text(json.dumps(sums), encoding="utf-8")
        os.replace(draft, folder / SEAL_NAME)


def break_seal(folder: Path) -> None:
    """Take the seal off before writing: killed in between, the next opening looks closely."""
    (folder / SEAL_NAME).unlink(missing_ok=True)


def inspect_folder(folder: Path, rewritten: Rewritten = _nothing) -> Inspection:
    """Compare every file, byte by byte, with the seal.

    Args:
        folder: Of one index.
        rewritten: Tells files that reading alone rewrites: when only these differ, the seal proves nothing.
    """
    sums = _read(folder)
    if sums is None:
        return Inspection(Seal.ABSENT)
    files = _files(folder)
    names = sums.keys() | files.keys()
    different = sorted(
        name for name in names if name not in sums or name not in files or _crc(files[name]) != sums[name]
    )
    if not different:
        return Inspection(Seal.WHOLE)
    certain = [name for name in different if not rewritten(name, names)]
    if not certain:
        return Inspection(Seal.ABSENT)
    name = certain[0]
    state = "is gone" if name not in files else "is new" if name not in sums else "has changed"
    return Inspection(Seal.BROKEN, f"its file {name!r} {state} since it was last closed")


def _files(folder: Path) -> dict[str, Path]:
    """Return what belongs to the index by its path in the folder; lock files hold nothing."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock" and path.name.partition(".")[0] not in (SEAL_NAME, STAMP_NAME)
    }


def _crc(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def _read(folder: Path) -> dict[str, int] | None:
    try:
        facts = json.loads((folder / SEAL_NAME).read_text(encoding="utf-8"))
        return {str(name): int(crc) for name, crc in facts.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # damaged like any other file; then the index is looked at closely
