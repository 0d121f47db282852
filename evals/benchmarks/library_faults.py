"""What a person sees when a library is damaged, and what mends it: `python -m evals.benchmarks.library_faults FOLDER`.

Every case damages a copy of a sound library, asks it a question with a known answer in a new process, and then does
what the message says until `byline doctor` finds all well and the answer is right. The table goes to FAULTS.md beside
this file. Questions search Chroma, whatever the library's size, so that its damage is met.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import index.lexical_tantivy
import index.vectors_chroma  # noqa: F401 - imported once, before the forks
from index import embed_onnx, retrieve  # noqa: F401
from qa import byline, network_onnx, pipeline  # noqa: F401
from qa.cli_typer import run

ROOT = Path(__file__).parents[2]
QUESTION = "Who repaired the clock of the lighthouse at Skagen?"
FACT = "The clock of the lighthouse at Skagen was repaired by Ingrid Halvorsen."
N_FILLERS = 1_100  # Chroma writes its graph to disk from 1,000 vectors on; with fewer there is nothing to damage
DEADLINE_S = 30.0  # of a question: three times the default, since the machine may be shared
LIMIT_S = 90.0  # of one process
FULL_DISK_BYTES = 12_000_000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # Chroma's name for the folder of a graph
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


@dataclass(slots=True)
class Seen:
    """What happened to one case."""

    name: str
    said: str = ""
    verdict: str = ""
    mended: str = "nothing to mend"
    sound: bool = False
    seconds: list[float] = field(default_factory=list)


def make_template(folder: Path) -> Path:
    """Fill a library with the fact and fillers, and close it cleanly."""
    rows = [{"id": "fact", "title": "Skagen", "text": FACT}]
    rows += [
        {"id": f"filler-{n}", "title": f"Report {n}", "text": f"Report {n} speaks of harbour number {n * 7} only."}
        for n in range(N_FILLERS)
    ]
    source = folder / "articles.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    library = folder / "template"
    done = run_byline(library, "add", str(source), limit_s=600)
    if done is None or done.returncode:
        raise RuntimeError(f"The template could not be made: {done and done.stderr}")
    return library


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, or less than 0 for the signal that killed it."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


def run_byline(library: Path, *arguments: str, limit_s: float = LIMIT_S) -> Ended | None:
    """Run one command in a process of its own; None when it had to be killed at the limit.

    It is forked from this one, which has imported the libraries and opened nothing, so that a case takes a second.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            _be_byline(library, arguments, out.fileno(), err.fileno())
        status = _wait_for(child, limit_s)
        seconds = time.monotonic() - started
        out.seek(0), err.seek(0)
        if status is None:
            return None
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, out.read().decode(), err.read().decode(errors="replace"), seconds)


def _be_byline(library: Path, arguments: Sequence[str], out: int, err: int) -> NoReturn:
    code = 70  # what is left when even the command line's own handling fails
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.environ.update(BYLINE_LIBRARY=str(library), BYLINE_DEADLINE_S=f"{DEADLINE_S:g}")
        retrieve.EXACT_PASSAGES = 0
        code = run(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait_for(child: int, limit_s: float) -> int | None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def run_case(case: Case, template: Path, folder: Path) -> Seen:
    """Damage a copy, ask, mend as told, and ask again."""
    shutil.copytree(template, folder, symlinks=True)
    seen = Seen(case.name)
    case.damage(folder)
    with case.around(folder) if case.around else nullcontext():
        if case.adds:
            _add(seen, folder)
        else:
            _ask(seen, folder, first=True)
    checked = _run(seen, folder, "doctor")
    if checked is None or checked.returncode or not _ask(seen, folder, first=False):
        for command in case.mend:
            if command == "restore":
                shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
                shutil.copytree(template, folder)
            else:
                _run(seen, folder, *command.split())
        seen.mended = " and ".join("backup restored" if each == "restore" else f"`byline {each}`" for each in case.mend)
        checked = _run(seen, folder, "doctor")
        seen.sound = checked is not None and not checked.returncode and _ask(seen, folder, first=False)
        return seen
    if "ebuilding" in seen.said:
        seen.mended = "by itself, while asking"
    seen.sound = True
    return seen


def cases() -> list[Case]:
    """Return every case."""
    restore, repair = ("restore",), ("doctor --repair",)
    listed = [Case("nothing is wrong")]
    for how, damage in (("cut to half", cut), ("noise in its middle", noise), ("header zeroed", zero_head)):
        listed.append(Case(f"library.sqlite3: {how}", _to("library.sqlite3", damage), restore))
    listed += [
        Case("library.sqlite3: removed", _to("library.sqlite3", remove), restore),
        Case("library.sqlite3: emptied", _to("library.sqlite3", empty), restore),
        Case("library.sqlite3: text of an article changed", _sql("UPDATE versions SET text = text || ' So.'"), restore),
        Case("library.sqlite3: vectors are noise", _sql("UPDATE vectors SET vector = randomblob(768)"), ("reindex",)),
        Case("library.sqlite3: vectors cut", _sql("UPDATE vectors SET vector = zeroblob(9)"), ("reindex",)),
        Case(
            "library.sqlite3: sentence vectors zeroed",
            _sql("UPDATE vectors SET sentences = zeroblob(384)"),
            ("reindex",),
        ),
        Case("library.sqlite3: of a newer Byline", _sql("PRAGMA user_version = 99"), restore),
        Case("library.sqlite3: of another program", _sql("PRAGMA application_id = 7"), restore),
        Case("library of another encoder", _sql("UPDATE embedders SET fingerprint = 'other'"), ("reindex",)),
    ]
    in_chroma: tuple[tuple[str, tuple[Damage, ...]], ...] = (
        ("data_level0.bin", (cut, noise, zero, remove)),
        ("header.bin", (cut, noise, remove)),
        ("length.bin", (noise, remove)),
        ("link_lists.bin", (cut, remove)),
        ("index_metadata.pickle", (noise, remove)),
        ("chroma.sqlite3", (cut, noise, zero_head, remove)),
    )
    for name, hows in in_chroma:
        listed += [Case(f"chroma: {name} {_HOW[how]}", _to(f"chroma/**/{name}", how), repair) for how in hows]
    listed += [
        Case("chroma: data_level0.bin rotted, its time unchanged", _to("chroma/**/data_level0.bin", rot), repair),
        Case("chroma: killed, then data_level0.bin is noise", _unsealed("chroma/**/data_level0.bin", noise), repair),
        Case("chroma: killed, then header.bin is noise", _unsealed("chroma/**/header.bin", noise), repair),
        Case("chroma: removed", _to("chroma", shutil.rmtree), repair),
        Case("chroma: stamp removed", _to("chroma/*/stamp", remove), repair),
        Case("chroma: seal is noise", _to("chroma/*/seal", noise), repair),
        Case("chroma: seal removed (killed)", _to("chroma/*/seal", remove), repair),
        Case("chroma: locked by another program, articles added", adds=True, around=_locked("chroma/*/chroma.sqlite3")),
        Case("chroma: locked by another program", around=_locked("chroma/*/chroma.sqlite3")),
    ]
    in_lexical: tuple[tuple[str, tuple[Damage, ...]], ...] = (
        ("meta.json", (cut, noise, remove)),
        ("*.idx", (cut, noise, remove)),
        ("*.term", (noise, zero)),
        ("*.store", (zero,)),
    )
    for name, hows in in_lexical:
        listed += [Case(f"lexical: {name} {_HOW[how]}", _to(f"lexical/**/{name}", how), repair) for how in hows]
    listed += [
        Case("lexical: killed, then *.idx is noise", _unsealed("lexical/**/*.idx", noise), repair),
        Case("lexical: removed", _to("lexical", shutil.rmtree), repair),
        Case("lexical: stamp is another's", _to("lexical/*/stamp", lambda path: path.write_text("0" * 16)), repair),
        Case("lexical: seal removed (killed)", _to("lexical/*/seal", remove), repair),
        Case("owner.lock: noise", lambda folder: (folder / "owner.lock").write_bytes(b"\xff" * 50)),
        Case("owner.lock: removed", _to("owner.lock", remove)),
        Case("owner.lock: held by another process", around=_owned),
        Case("library.sqlite3: locked by another program", around=_locked("library.sqlite3")),
        Case("folder of other files", _foreign, restore),
        Case("a file instead of a folder", _file_instead, restore),
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount"):
        listed += [
            Case("disk read-only", around=_mounted("ro")),
            Case("disk full, asked", around=_mounted("full")),
            Case("disk full, articles added", adds=True, around=_mounted("full")),
        ]
    return listed


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


def _run(seen: Seen, folder: Path, *arguments: str) -> Ended | None:
    done = run_byline(folder, *arguments)
    seen.seconds.append(done.seconds if done else LIMIT_S)
    if done is None:
        seen.verdict = "OVER ITS DEADLINE"
    elif done.returncode < 0 or "Traceback" in done.stderr:
        seen.verdict = f"CRASH ({done.returncode})"
    return done


def _add(seen: Seen, folder: Path) -> None:
    done = _run(seen, folder, "add", "--sample")
    if done is not None and not seen.verdict:
        seen.said = done.stderr.strip()
        named = done.returncode == 1 and seen.said.startswith("error: ")
        seen.verdict = "says what is wrong" if named else "SILENTLY WRONG"


def _ask(seen: Seen, folder: Path, *, first: bool) -> bool:
    """Ask the question; say whether the answer is right, and note what was said the first time."""
    done = _run(seen, folder, "ask", QUESTION, "--json")
    if done is None:
        return False
    answer = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None
    right = any(citation["quote"] == FACT for citation in (answer or {"citations": []})["citations"])
    if first:
        warnings = [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "error:"))]
        seen.said = " ".join([*warnings, (answer or {}).get("degraded") or ""]).strip()
        if not seen.verdict:
            named = done.returncode == 1 and seen.said.startswith("error: ")
            told = named or bool((answer or {}).get("degraded"))
            seen.verdict = "right answer" if right else "says what is wrong" if told else "SILENTLY WRONG"
    return right


def main() -> None:
    """Run every case and write the table."""
    base = Path(sys.argv[1])
    base.mkdir(parents=True, exist_ok=True)
    template = make_template(base)
    rows = []
    for number, case in enumerate(case for case in cases() if all(word in case.name for word in sys.argv[2:])):
        folder = base / f"case-{number}"
        rows.append(run_case(case, template, folder))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    Path(__file__).with_name("FAULTS.md").write_text(render(rows, str(base)), encoding="utf-8")


def render(rows: list[Seen], base: str) -> str:
    """Return the table as Markdown, without the paths of this run."""
    slowest = max(second for row in rows for second in row.seconds)
    lines = [
        "# What happens to a damaged library",
        "",
        "Made by `python -m evals.benchmarks.library_faults FOLDER`, each command in a process of its own: a "
        f"library of {N_FILLERS + 1:,} articles is damaged, a question is asked that searches both indexes, and what "
        "the message says is done until `byline doctor` finds all well and the answer is right again.",
        "",
        f"{len(rows)} cases: {_count(rows, 'CRASH')} crashes, {_count(rows, 'OVER')} calls over {LIMIT_S:.0f} s (the "
        f"slowest process took {slowest:.0f} s on a shared machine), {_count(rows, 'SILENTLY')} silent wrong answers, "
        f"{sum(not row.sound for row in rows)} not mended.",
        "",
        "| case | the question gets | what is said | mended by |",
        "|---|---|---|---|",
    ]
    for row in rows:
        said = _UUID.sub("GRAPH", row.said.replace(base, "")).replace("|", "/").replace("\n", " ") or "-"
        mended = row.mended if row.sound else f"**not mended** ({row.mended})"
        lines.append(f"| {row.name} | {row.verdict} | {said} | {mended} |")
    return "\n".join(lines) + "\n"


def _count(rows: list[Seen], verdict: str) -> int:
    return sum(row.verdict.startswith(verdict) for row in rows)


if __name__ == "__main__":
    main()
