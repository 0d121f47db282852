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
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import index.lexical_tantivy
import index.vectors_chroma  # noqa: F401 - imported once, before the forks
from evals.benchmarks.library_damages import Case, cases
from index import embed_onnx, retrieve  # noqa: F401
from qa import byline, network_onnx, pipeline  # noqa: F401
from qa.cli_typer import run

QUESTION = "Who repaired the clock of the lighthouse at Skagen?"
FACT = "The clock of the lighthouse at Skagen was repaired by Ingrid Halvorsen."
N_FILLERS = 1_100  # Chroma writes its graph to disk from 1,000 vectors on; with fewer there is nothing to damage
DEADLINE_S = 30.0  # of a question: three times the default, since the machine may be shared
LIMIT_S = 90.0  # of one process
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # Chroma's name for the folder of a graph


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
