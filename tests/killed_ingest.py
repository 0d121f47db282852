"""Runs of ingest that are killed: at a write step that is counted out, or from outside after a time.

`python -m tests.killed_ingest FOLDER step:3 step:8 after:0.05 ...` makes one library a kill below FOLDER and prints,
for each, its folder and how the process ended. Everything is imported once and every run is a fork of that, so that a
kill costs a fraction of a second. What a run was told is stored ("acknowledged") is in the file `acknowledged` beside
the library.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import index.catch_up
import index.ingest
import index.vectors_chroma
from index.ingest import add_articles, remove_articles
from index.lexical_tantivy import TantivyLexical
from index.library_file import LibraryFile
from index.open import open_index
from tests.fakes import FakeEmbedder, make_article

N_ARTICLES = 20
N_EDITED = 6
PLACES = ["Accra", "Bergen", "Cairo", "Delhi", "Essen", "Fargo", "Ghent", "Haifa", "Izmir", "Jaipur"]


def article(n: int, version: str):
    """Return one of the articles, of a few passages, whose every passage names number and version."""
    mark = f"{version}mark{n}"
    place = PLACES[n % len(PLACES)]
    text = "\n\n".join(f"Report {part} of {mark} tells what happened in {place}. " * 30 for part in range(3))
    return make_article(text, id=f"a{n:02}", id_given=True, title=f"On {mark}", origin=f"a{n:02}")


BEFORE = [article(n, "old") for n in range(N_EDITED)] + [article(n, "gone") for n in (90, 91)]
AFTER = [article(n, "new") for n in range(N_ARTICLES)]


def run(folder: Path) -> float:
    """Fill a library, then change it; write down what is acknowledged, unbuffered; return the seconds of the change."""
    index.ingest._GROUP_ARTICLES = 3
    with open_index(folder / "library", FakeEmbedder()) as opened:
        add_articles(opened, BEFORE)
        log = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, b"filled\n")
        started = time.monotonic()
        add_articles(opened, AFTER, on_progress=lambda step: os.write(log, f"{step.origin}\n".encode()))
        remove_articles(opened, ["a90", "a91"])
        os.write(log, b"removed\n")
        return time.monotonic() - started


class Steps:
    """Counts the write steps after the library is filled, and kills the process at one of them."""

    def __init__(self, folder: Path, fatal: int) -> None:
        self.folder, self.fatal, self.count = folder, fatal, 0

    def step(self) -> None:
        if not (self.folder / "acknowledged").exists():
            return
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Put a step before and after everything that writes a file of the library."""
        writing = LibraryFile.writing

        @contextmanager
        def stepped(file):
            self.step()
            with writing(file) as connection:
                yield connection
                self.step()
            self.step()

        LibraryFile.writing = stepped
        for owner, name in (
            (index.vectors_chroma.ChromaVectors, "upsert"),
            (index.vectors_chroma.ChromaVectors, "remove"),
            (TantivyLexical, "upsert"),
            (TantivyLexical, "remove"),
            (index.catch_up, "_acknowledge"),
        ):
            setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, function):
        def stepped(*args, **kwargs):
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return stepped


def killed(folder: Path, kill: str) -> int:
    """Fork a run and kill it; return its wait status."""
    kind, _, value = kill.partition(":")
    folder.mkdir(parents=True)
    pid = os.fork()
    if pid == 0:
        steps = Steps(folder, int(value) if kind == "step" else 0)
        steps.watch()
        try:
            (folder / "took_s").write_text(str(run(folder)))
            (folder / "steps").write_text(str(steps.count))
        finally:
            os._exit(0 if (folder / "steps").exists() else 1)
    if kind == "after":
        while not (folder / "acknowledged").exists() and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.005)
        time.sleep(float(value))
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def main() -> None:
    root = Path(sys.argv[1])
    for number, kill in enumerate(sys.argv[2:]):
        folder = root / f"{number:03}"
        status = killed(folder, kill)
        sys.stdout.write(f"{folder}\t{kill}\t{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
