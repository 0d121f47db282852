"""Where runs are kept unless another folder is named, and which are there: `LIBRARY/eval-runs/NAME/SUITE`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from corpus.errors import SettingsError
from evals.run import MANIFEST, ROWS
from index.open import RUNS_NAME
from qa.settings import Settings

WORK = "work"  # beside the runs: libraries that were made for them, which are no runs
MAX_LISTED = 200  # of the newest; more are not looked through, and each costs a file to read
_DEPTH = 3  # a sweep keeps its runs in sweep/SUITE/SETTINGS
_NAME = re.compile(r"\w[\w.=,+-]{0,99}")


class Manifest(BaseModel):
    """What a run's manifest must hold to be shown; see `evals.run`."""

    suite: str
    system: str
    fingerprint: str
    settings: dict[str, Any]
    questions: str
    articles: int
    n: int
    of: int
    seed: int
    machine: str
    started: str


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of one suite as it lies on the disk.

    Args:
        id: Its folder's path below the folder of all runs, with `/`.
        manifest: Empty when it cannot be read.
        problem: Why it cannot be shown, in one sentence; empty when it can.
    """

    id: str
    folder: Path = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)
    problem: str = ""

    @property
    def name(self) -> str:
        """Return what it was kept as, without the suite."""
        return "/".join(part for part in self.id.split("/") if part != self.suite) or self.id

    @property
    def suite(self) -> str:
        """Return the suite's name."""
        return str(self.manifest.get("suite", ""))

    @property
    def stamp(self) -> tuple[int, ...]:
        """Return what changes whenever its files do."""
        facts = [path.stat() for path in (self.folder / MANIFEST, self.folder / ROWS) if path.exists()]
        return tuple(number for fact in facts for number in (fact.st_mtime_ns, fact.st_size))


def runs_folder(library: Path | None = None) -> Path:
    """Return the folder of all runs of a library; of the one that is set when None."""
    return (library or Settings().library) / RUNS_NAME


def run_folder(name: str, library: Path | None = None) -> Path:
    """Return the folder for the runs that are kept as `name`; what must hold it is made.

    Raises:
        SettingsError: If the name cannot be a folder's.
    """
    if name == WORK:
        raise SettingsError(f"{name!r} is the folder of libraries beside the runs. Choose another name.")
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} cannot name a run. Use letters, digits and the signs . _ = , + - alone.")
    return _made(runs_folder(library)) / name


def work_folder() -> Path:
    """Return the folder for what runs need again, such as libraries; what must hold it is made."""
    return _made(runs_folder()) / WORK


def find_folder(named: Path) -> Path:
    """Return the folder that was named: itself, or the run of that name."""
    kept = runs_folder() / named
    return named if named.exists() or not kept.exists() else kept


def find_stored(runs: Path) -> list[StoredRun]:
    """Return the runs in a folder, the newest first, those that cannot be shown last."""
    manifests = [path for depth in range(1, _DEPTH + 1) for path in runs.glob("/".join(["*"] * depth) + f"/{MANIFEST}")]
    found = [_read(path, runs) for path in _newest(manifests, runs)]
    return [run for run in found if not run.problem] + [run for run in found if run.problem]


def _newest(manifests: list[Path], runs: Path) -> Iterator[Path]:
    kept = [path for path in manifests if path.relative_to(runs).parts[0] != WORK]
    yield from sorted(kept, key=lambda path: (-path.stat().st_mtime_ns, path))[:MAX_LISTED]


def _read(path: Path, runs: Path) -> StoredRun:
    folder = path.parent
    name = folder.relative_to(runs).as_posix()
    try:
        text = path.read_bytes()
        Manifest.model_validate_json(text)
        manifest: dict[str, Any] = json.loads(text)
    except OSError as error:
        return StoredRun(name, folder, {}, f"Its {MANIFEST} cannot be read: {error.strerror}.")
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        return StoredRun(name, folder, {}, f"Its {MANIFEST} is damaged ({where or 'JSON'}: {problem['msg']}).")
    finished = manifest.get("finished")
    if not isinstance(finished, str):
        return StoredRun(name, folder, manifest, "It was broken off. Start it again, and it goes on from there.")
    return StoredRun(name, folder, manifest)


def _made(runs: Path) -> Path:
    runs.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # as a library makes its own folder
    runs.mkdir(exist_ok=True, mode=0o700)
    return runs
