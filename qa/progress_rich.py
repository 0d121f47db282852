"""The progress line of `byline add`, on stderr and only when a person is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from index.types import AddProgress
from qa.listing import one_line

_MAX_ORIGIN_CHARS = 60  # the end of a path says more than its beginning, and the line must not wrap


@contextmanager
def show_progress() -> Iterator[Callable[[AddProgress], None]]:
    """Show a spinner, the number of articles done and the last file while the block runs."""
    columns = (SpinnerColumn(), TextColumn("{task.completed} articles"), TextColumn("{task.description}", markup=False))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def step(done: AddProgress) -> None:
            progress.update(task, completed=done.done, description=one_line(done.origin)[-_MAX_ORIGIN_CHARS:])

        yield step
