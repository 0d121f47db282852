"""The ways to damage a library, each as a `Case` with what mends it; `library_faults` runs them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FULL_DISK_BYTES = 12_000_000
RESTORE = ("restore",)
Damage = Callable[[Path], object]
Around = Callable[[Path], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to damage a library.

    Args:
        name: Shown in the table.
        damage: Is given the library's folder.
        mend: Commands (after `byline`) that mend it when asking alone does not; "restore" puts the backup back.
        adds: Articles are added in place of asking.
        around: Replaces `damage` where the fault lasts while the question is asked, and ends with the block.
    """

    name: str
    damage: Damage = lambda _: None
    mend: tuple[str, ...] = ("doctor --repair",)
    adds: bool = False
    around: Around | None = None


def cases() -> list[Case]:
    """Return every case."""
    return [Case("nothing is wrong"), *_of_truth(), *_of_chroma(), *_of_lexical(), *_of_folder(), *_of_disk()]


def _of_truth() -> list[Case]:
    """Return the cases that damage `library.sqlite3`."""
    listed = []
    for how, damage in (("cut to half", cut), ("noise in its middle", noise), ("header zeroed", zero_head)):
        listed.append(Case(f"library.sqlite3: {how}", _to("library.sqlite3", damage), RESTORE))
    listed += [
        Case("library.sqlite3: removed", _to("library.sqlite3", remove), RESTORE),
        Case("library.sqlite3: emptied", _to("library.sqlite3", empty), RESTORE),
        Case("library.sqlite3: text of an article changed", _sql("UPDATE versions SET text = text || ' So.'"), RESTORE),
        Case("library.sqlite3: vectors are noise", _sql("UPDATE vectors SET vector = randomblob(768)"), ("reindex",)),
        Case("library.sqlite3: vectors cut", _sql("UPDATE vectors SET vector = zeroblob(9)"), ("reindex",)),
        Case(
            "library.sqlite3: sentence vectors zeroed",
            _sql("UPDATE vectors SET sentences = zeroblob(384)"),
            ("reindex",),
        ),
        Case("library.sqlite3: of a newer Byline", _sql("PRAGMA user_version = 99"), RESTORE),
        Case("library.sqlite3: of another program", _sql("PRAGMA application_id = 7"), RESTORE),
        Case("library of another encoder", _sql("UPDATE embedders SET fingerprint = 'other'"), ("reindex",)),
    ]
    return listed


def _of_chroma() -> list[Case]:
    """Return the cases that damage the vector index."""
    in_chroma: tuple[tuple[str, tuple[Damage, ...]], ...] = (
        ("data_level0.bin", (cut, noise, zero, remove)),
        ("header.bin", (cut, noise, remove)),
        ("length.bin", (noise, remove)),
        ("link_lists.bin", (cut, remove)),
        ("index_metadata.pickle", (noise, remove)),
        ("chroma.sqlite3", (cut, noise, zero_head, remove)),
    )
    listed = []
    for name, hows in in_chroma:
        listed += [Case(f"chroma: {name} {_HOW[how]}", _to(f"chroma/**/{name}", how)) for how in hows]
    listed += [
        Case("chroma: data_level0.bin rotted, its time unchanged", _to("chroma/**/data_level0.bin", rot)),
        Case("chroma: killed, then data_level0.bin is noise", _unsealed("chroma/**/data_level0.bin", noise)),
        Case("chroma: killed, then header.bin is noise", _unsealed("chroma/**/header.bin", noise)),
        Case("chroma: removed", _to("chroma", shutil.rmtree)),
        Case("chroma: stamp removed", _to("chroma/*/stamp", remove)),
        Case("chroma: seal is noise", _to("chroma/*/seal", noise)),
        Case("chroma: seal removed (killed)", _to("chroma/*/seal", remove)),
        Case("chroma: locked by another program, articles added", adds=True, around=_locked("chroma/*/chroma.sqlite3")),
        Case("chroma: locked by another program", around=_locked("chroma/*/chroma.sqlite3")),
    ]
    return listed


def _of_lexical() -> list[Case]:
    """Return the cases that damage the lexical index."""
    in_lexical: tuple[tuple[str, tuple[Damage, ...]], ...] = (
        ("meta.json", (cut, noise, remove)),
        ("*.idx", (cut, noise, remove)),
        ("*.term", (noise, zero)),
        ("*.store", (zero,)),
    )
    listed = []
    for name, hows in in_lexical:
        listed += [Case(f"lexical: {name} {_HOW[how]}", _to(f"lexical/**/{name}", how)) for how in hows]
    listed += [
        Case("lexical: killed, then *.idx is noise", _unsealed("lexical/**/*.idx", noise)),
        Case("lexical: removed", _to("lexical", shutil.rmtree)),
        Case("lexical: stamp is another's", _to("lexical/*/stamp", lambda path: path.write_text("0" * 16))),
        Case("lexical: seal removed (killed)", _to("lexical/*/seal", remove)),
    ]
    return listed


def _of_folder() -> list[Case]:
    """Return the cases around the folder and its lock."""
    return [
        Case("owner.lock: noise", lambda folder: (folder / "owner.lock").write_bytes(b"\xff" * 50)),
        Case("owner.lock: removed", _to("owner.lock", remove)),
        Case("owner.lock: held by another process", around=_owned),
        Case("library.sqlite3: locked by another program", around=_locked("library.sqlite3")),
        Case("folder of other files", _foreign, RESTORE),
        Case("a file instead of a folder", _file_instead, RESTORE),
    ]


def _of_disk() -> list[Case]:
    """Return the cases that need a small disk of their own; only root may mount one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("mount"):
        return []
    return [
        Case("disk read-only", around=_mounted("ro")),
        Case("disk full, asked", around=_mounted("full")),
        Case("disk full, articles added", adds=True, around=_mounted("full")),
    ]


def cut(path: Path) -> None:
    """Cut a file to half its length."""
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def empty(path: Path) -> None:
    """Leave nothing in a file."""
    os.truncate(path, 0)


def noise(path: Path) -> None:
    """Overwrite the middle half of a file with bytes that follow from nothing in it."""
    content = bytearray(path.read_bytes())
    quarter = len(content) // 4
    content[quarter : 3 * quarter] = bytes((n * 167 + 91) % 256 for n in range(2 * quarter))
    path.write_bytes(content)


def rot(path: Path) -> None:
    """Overwrite as `noise` does, and put the file's times back, as a failing disk would."""
    status = path.stat()
    noise(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def zero(path: Path) -> None:
    """Overwrite all of a file with zeros."""
    path.write_bytes(bytes(path.stat().st_size))


def zero_head(path: Path) -> None:
    """Overwrite the first 100 bytes, where SQLite says what the file is."""
    with path.open("r+b") as file:
        file.write(bytes(100))


_HOW: dict[Damage, str] = {cut: "cut to half", noise: "is noise", zero: "zeroed", remove: "removed", rot: "rotted"}
_HOW[zero_head] = "header zeroed"


def _to(pattern: str, damage: Damage) -> Damage:
    def act(folder: Path) -> None:
        found = sorted(folder.glob(pattern))
        if not found:
            raise FileNotFoundError(f"{folder} has no {pattern}: the case would damage nothing.")
        for path in found:
            damage(path)

    return act


def _unsealed(pattern: str, damage: Damage) -> Damage:
    def act(folder: Path) -> None:
        _to(f"{pattern.partition('/')[0]}/*/seal", remove)(folder)
        _to(pattern, damage)(folder)

    return act


def _sql(statement: str) -> Damage:
    def act(folder: Path) -> None:
        connection = sqlite3.connect(folder / "library.sqlite3")
        connection.execute(statement)
        connection.commit()
        connection.close()

    return act


def _foreign(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"picture")


def _file_instead(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def _locked(pattern: str) -> Around:
    @contextmanager
    def hold(folder: Path) -> Iterator[None]:
        (path,) = folder.glob(pattern)
        code = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "c.execute('PRAGMA locking_mode = EXCLUSIVE'); c.execute('BEGIN EXCLUSIVE');"
            "print('held', flush=True); sys.stdin.read()"
        )
        with _child(code, str(path)):
            yield

    return hold


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    code = (
        "import sys; from pathlib import Path; from index.owner import OwnerLock; lock = OwnerLock(Path(sys.argv[1]));"
        "print('held', flush=True); sys.stdin.read()"
    )
    with _child(code, str(folder)):
        yield


@contextmanager
def _child(code: str, argument: str) -> Iterator[None]:
    command = [sys.executable, "-c", code, argument]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None and child.stdout.readline() == "held\n"
            yield
        finally:
            child.kill()


def _mounted(how: str) -> Around:
    @contextmanager
    def mount(folder: Path) -> Iterator[None]:
        """Move the library onto a small disk of its own, and spoil that."""
        backup = folder.with_name(f"{folder.name}-backup")
        shutil.move(folder, backup)
        n_bytes = sum(path.stat().st_size for path in backup.rglob("*") if path.is_file())
        folder.mkdir()
        size = n_bytes * 2 + FULL_DISK_BYTES
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
        try:
            shutil.copytree(backup, folder, dirs_exist_ok=True)
            if how == "ro":
                subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
            else:
                with (folder / ".filler").open("wb") as file:
                    file.write(bytes(max(0, shutil.disk_usage(folder).free - 65_536)))
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
            folder.rmdir()
            shutil.move(backup, folder)

    return mount
