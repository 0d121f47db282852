"""How long a person waits for the first thing: help, the first answer of a cold process, the page.

Run by hand: `python -m evals.benchmarks.start_up [RUNS]`. Every figure is the median wall time of new processes with
warm file caches, beside that of `python -c pass` in the same run, since machines and their other work differ.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = 5
QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"
BUDGET_S = {"byline --help": 0.3, "byline ask": 1.5, "byline serve": 4.0}  # DESIGN 4
_PATIENCE_S = 60.0  # a page that takes longer is broken, not slow
_POLL_S = 0.02  # a fiftieth of a second is nothing beside seconds


def measure_start_up(runs: int) -> dict[str, float]:
    """Return the median seconds of each command, `python -c pass` first."""
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "library")
        _run("-m", "qa", "--library", library, "add", "--sample")
        commands: dict[str, Callable[[], object]] = {
            "python -c pass": lambda: _run("-c", "pass"),
            "byline --help": lambda: _run("-m", "qa", "--help"),
            "byline ask": lambda: _run("-m", "qa", "--library", library, "ask", QUESTION),
            "byline serve": lambda: _serve_until_ready(library),
        }
        # Round by round, so that a busy moment of the machine does not fall on one command alone.
        rounds = [{name: _seconds(command) for name, command in commands.items()} for _ in range(runs)]
    return {name: statistics.median(each[name] for each in rounds) for name in commands}


def main() -> None:
    """Print the table."""
    medians = measure_start_up(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
    bare = medians["python -c pass"]
    sys.stdout.write(f"{'command':<16}{'median s':>10}{'x python':>10}{'budget s':>10}\n")
    for name, seconds in medians.items():
        budget = f"{BUDGET_S[name]:.1f}" if name in BUDGET_S else "-"
        sys.stdout.write(f"{name:<16}{seconds:>10.3f}{seconds / bare:>10.1f}{budget:>10}\n")


def _seconds(command: Callable[[], object]) -> float:
    started = time.perf_counter()
    command()
    return time.perf_counter() - started


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=_environment(), check=True, capture_output=True)


def _serve_until_ready(library: str) -> None:
    port = _free_port()
    command = [sys.executable, "-m", "qa", "--library", library, "serve", "--port", str(port)]
    page = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_page(page, f"http://127.0.0.1:{port}/")
    finally:
        page.kill()
        page.wait()


def _wait_for_page(page: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while page.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=_PATIENCE_S):
                return
        except urllib.error.URLError:
            time.sleep(_POLL_S)
    raise TimeoutError(f"The page did not answer at {address}.")


def _environment() -> dict[str, str]:
    # Installed packages have their bytecode; the figures must not depend on a shell that forbids writing it.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
