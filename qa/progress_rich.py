"""The progress line of `byline add`, on stderr and only when a person is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from index.types import AddProgress
from qa.listing import one_line

_MAX_ORIGIN_CHARS = 60  # the end of a path says more than its beginning, and the line must not wrap


class _Count(ProgressColumn):
    """Articles done, of how many, and how many a second."""

    def render(self, task: Task) -> Text:
        of = "" if task.total is None else f" of {task.total:.0f}"
        rate = "" if task.speed is None else f", {task.speed:.3g}/s"
        return Text(f"{task.completed:.0f}{of} articles{rate}")


@contextmanager
def show_progress(total: int | None = None) -> Iterator[Callable[[AddProgress], None]]:
    """Show the number of articles done, the rate, the time left and the last file while the block runs.

    Args:
        total: How many there will be; without it no time is foretold.
    """
    columns: list[ProgressColumn] = [SpinnerColumn(), _Count(), TimeElapsedColumn()]
    if total is not None:
        columns += [TextColumn("left"), TimeRemainingColumn()]
    columns.append(TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)

        def step(done: AddProgress) -> None:
            progress.update(task, completed=done.done, description=one_line(done.origin)[-_MAX_ORIGIN_CHARS:])

        yield step
