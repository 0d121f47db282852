"""How the library is: what it takes on the disk, what the doctor finds, and its repair."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import QAError
from index.checks import Finding
from qa.safe_text import escape

if TYPE_CHECKING:
    from qa.byline import Byline

_LOG = logging.getLogger(__name__)
# Both take the processor for seconds. Whoever asks meanwhile is told so and does not wait: a row of those who wait
# would fill the queue that everybody's questions go through.
_AT_WORK = threading.Lock()
ALREADY = "The library is being checked or repaired already. Come back to this tab in a while."
PARTS = {"library.sqlite3": "Articles", "chroma": "Vector index", "lexical": "Word index", "uploads": "Uploaded files"}
NAMES = {"file": "Library file", "articles": "Articles", "chroma": "Vector index", "lexical": "Word index"}


def storage_of(folder: Path) -> dict[str, int]:
    """Return the bytes that each part of the library takes, by its name for a person."""
    return {name: _n_bytes(folder / part) for part, name in PARTS.items()}


def check_health(byline: Byline) -> Sequence[Finding]:
    """Return what the doctor finds, while the library goes on being used."""
    from index.doctor_open import check_open

    try:
        return check_open(byline.index)
    except QAError as error:
        _LOG.error("The library cannot be checked.", exc_info=error)
        return (Finding("file", False, str(error)),)


def repair_health(byline: Byline) -> Sequence[Finding]:
    """Build both indexes anew and return what the doctor finds then."""
    from index.doctor_open import repair_open

    try:
        repair_open(byline.index)
    except QAError as error:
        _LOG.error("The library cannot be repaired.", exc_info=error)
        return (Finding("file", False, str(error)),)
    return check_health(byline)


def check_steps(byline: Byline) -> Iterator[str]:
    """Yield what is shown while the library is checked, and after."""
    yield from _steps(byline, "Checking …", check_health)


def repair_steps(byline: Byline) -> Iterator[str]:
    """Yield what is shown while both indexes are built anew, and after."""
    yield from _steps(byline, "Building both indexes anew …", repair_health)


def _steps(byline: Byline, busy: str, work: Callable[[Byline], Sequence[Finding]]) -> Iterator[str]:
    yield render_health(storage_of(byline.folder), busy=busy)
    if not _AT_WORK.acquire(blocking=False):
        yield render_health(storage_of(byline.folder), busy=ALREADY)
        return
    try:
        findings = work(byline)
    finally:
        _AT_WORK.release()
    yield render_health(storage_of(byline.folder), findings)


def render_health(storage: dict[str, int], findings: Sequence[Finding] = (), *, busy: str = "") -> str:
    """Return sizes, findings, and the buttons that check and repair."""
    sizes = ", ".join(f"{name} {written_size(size)}" for name, size in storage.items() if size)
    lines = "".join(
        f'<li class="{"well" if each.ok else "failed"}"><b>{NAMES.get(each.check, each.check)}: '
        f"{'well' if each.ok else 'not well'}.</b> {escape(each.message)}</li>"
        for each in findings
    )
    idle = "" if busy else '<button type="button" class="check">Check the library</button>'
    mend = '<button type="button" class="repair">Repair: build both indexes anew</button>'
    broken = not busy and any(not each.ok for each in findings)
    return (
        f'<details class="health"{" open" if findings or busy else ""}><summary>Storage and health</summary>'
        f'<p class="count">{sizes or "Nothing stored yet"}.</p>'
        f'<div role="status">{f"<p>{escape(busy)}</p>" if busy else ""}{f"<ul>{lines}</ul>" if lines else ""}</div>'
        f"<p>{idle} {mend if broken else ''}</p></details>"
    )


def written_size(n_bytes: int) -> str:
    """Return e.g. `1.3 MB`."""
    if n_bytes < 1_000_000:
        return f"{max(1, round(n_bytes / 1000))} kB"
    return f"{n_bytes / 1_000_000:,.1f} MB" if n_bytes < 1_000_000_000 else f"{n_bytes / 1_000_000_000:,.1f} GB"


def _n_bytes(path: Path) -> int:
    # A file's write-ahead log goes with it.
    files = path.parent.glob(f"{path.name}*") if path.is_file() else path.rglob("*")
    return sum(_size(file) for file in files if file.is_file())


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # both indexes rename and delete files of theirs at any time
        return 0
