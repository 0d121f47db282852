"""Looking at an index that was not closed cleanly, in a process of its own: damaged files may kill or hang it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from corpus.errors import IndexingError, LibraryDamagedError

_PARENT = Path(__file__).resolve().parents[1]
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from index.probe import main; sys.exit(main(sys.argv[2:]))"
_LIMIT_S = 60.0  # importing Chroma and 200 questions take seconds; beyond this it hangs
_LIMIT_S_A_PASSAGE = 0.001
_UNSOUND = 3  # exit code; Python itself ends with 1 or 2


def probe(root: Path, name: str, folder: Path, n_passages: int) -> None:
    """Open an index in a child process, read from it, and compare with the truth.

    Args:
        root: The library, which this process owns; the child only reads.
        name: `chroma` or `lexical`.
        folder: Where that index is.
        n_passages: The more there are, the longer it may take.

    Raises:
        LibraryDamagedError: If the child found something wrong, died or hung.
    """
    limit_s = _LIMIT_S + n_passages * _LIMIT_S_A_PASSAGE
    command = [sys.executable, "-P", "-c", _CODE, str(_PARENT), str(root), name, str(folder)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise _damaged(name, f"did not answer within {limit_s:.0f} seconds") from error
    if done.returncode == 0:
        return
    if done.returncode < 0:
        raise _damaged(name, f"killed the process that opened it ({_signal_name(-done.returncode)})")
    if done.returncode == _UNSOUND:
        raise _damaged(name, done.stdout.decode(errors="replace").strip())
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise _damaged(name, f"could not be looked at ({last or f'exit code {done.returncode}'})")


def main(arguments: list[str]) -> int:
    """Be the child: exit 0 when the index can be read and agrees with the truth, else say why not."""
    from index.catch_up import lexical_kind, vector_kind
    from index.checks import lexical_problems, sample, vector_problems
    from index.library import Library
    from index.library_file import LIBRARY_NAME

    root, name, folder = Path(arguments[0]), arguments[1], Path(arguments[2])
    library = Library.open(root / LIBRARY_NAME)
    try:
        truth = library.passage_ids()
        if name == "chroma":
            vectors = vector_kind(library.build.dim).open(folder)
            held = vectors.ids()
            problems = vector_problems(library, vectors, sample([id_ for id_ in truth if id_ in held]))
        else:
            lexical = lexical_kind().open(folder)
            held = lexical.ids()
            problems = lexical_problems(library, lexical, sample([id_ for id_ in truth if id_ in held]))
    except IndexingError as error:
        problems = [str(error)]
    finally:
        library.close()
    if problems:
        sys.stdout.write(f"is not sound: {problems[0]}")
        return _UNSOUND
    return 0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _damaged(name: str, what: str) -> LibraryDamagedError:
    remedy = "" if "Mend it with" in what else ". Mend it with: byline doctor --repair"
    return LibraryDamagedError(f"The index {name!r} was not closed cleanly and {what.rstrip('.')}{remedy}")
