"""The page served by a child process, for tests that need all of it."""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

APP = Path(__file__).parents[1] / "app.py"
STARTS_WITHIN_S = 120  # on a machine that does much else; 4 s when it does not


@contextmanager
def serving(library: Path) -> Iterator[str]:
    """Serve the page over `library` in a child process, which finds itself a free port; yield its address."""
    child, address = start(library)
    with child:
        try:
            yield address
        finally:
            child.terminate()
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
    assert child.returncode == 0


def start(library: Path) -> tuple[subprocess.Popen[str], str]:
    """Serve the page likewise, for whoever ends the process otherwise; return it with its address."""
    command = [sys.executable, str(APP), "--library", str(library)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        return child, _address(child)
    except BaseException:
        child.kill()
        child.wait()
        raise


def _address(child: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        said = child.stdout.readline() if select.select([child.stdout], [], [], 1.0)[0] else ""
        if found := re.search(r"http://\S+", said):
            return found[0]
    raise AssertionError(f"The page did not say that it is ready; exit code {child.poll()}.")
