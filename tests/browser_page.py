"""A page served by a child process and a Chromium to look at it, for the browser test and the screenshots."""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")
STARTS_WITHIN_S = 120  # on a machine that does much else; 4 s when it does not
# Debian's Chromium talks to its maker now and then; none of that may be in the network log.
QUIET_CHROMIUM = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def serving(library: Path, *, script: Path = ROOT / "app.py") -> Iterator[str]:
    """Serve the page over `library` in a child process, which finds itself a free port; yield its address."""
    command = [sys.executable, str(script), "--library", str(library)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            yield _address(child)
        finally:
            child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a running headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET_CHROMIUM))
        try:
            yield browser
        finally:
            browser.close()


def _address(child: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        said = child.stdout.readline() if select.select([child.stdout], [], [], 1.0)[0] else ""
        if found := re.search(r"http://\S+", said):
            return found[0]
    raise AssertionError(f"The page did not say that it is ready; exit code {child.poll()}.")
