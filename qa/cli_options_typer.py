"""What the commands share: options, the settings they make, and how they print. Only typer at the head."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.models import ArgumentInfo

from corpus.errors import LibraryBusyError
from qa.log_setup import log_at, start_logging

if TYPE_CHECKING:
    from index.types import AddProgress, Filters
    from qa.byline import Byline
    from qa.remote_httpx import RemoteByline
    from qa.settings import Settings
    from qa.types import Answer

_OWNER_WAIT_S = 3.0  # a page that starts says within a second where it serves


def _day(written: str) -> datetime:
    """Read a day, written in one way, as in the JSON."""
    try:
        return datetime.strptime(written, "%Y-%m-%d")
    except ValueError as error:
        raise typer.BadParameter(f"{written!r} is no day such as 2025-05-31.") from error


def _reader(written: str) -> str:
    """Read the name of a reader."""
    from qa.choice import READERS

    if written not in READERS:
        raise typer.BadParameter(f"{written!r} is no reader; it is {' or '.join(READERS)}.")
    return written


LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", help="Folder of the library; else BYLINE_LIBRARY, else your data folder."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KOption = Annotated[int | None, typer.Option("--k", min=1, metavar="N", help="How many passages to find.")]
SinceOption = Annotated[
    datetime | None, typer.Option(parser=_day, metavar="DAY", help="Only articles of this day or later.")
]
UntilOption = Annotated[datetime | None, typer.Option(parser=_day, metavar="DAY", help="Only articles up to this day.")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", parser=_day, metavar="DAY", help="What was published by then; `last week` counts from it."),
]
ReaderOption = Annotated[
    str | None, typer.Option(parser=_reader, metavar="NAME", help="What reads the passages: extractive or llm.")
]
OutletOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only articles of this outlet; may be given again.")
]


def argument(name: str) -> ArgumentInfo:
    """Return an argument that the usage line names; its own entry in the help would only add a type of Python's."""
    info: ArgumentInfo = typer.Argument(metavar=name, show_default=False, hidden=True)
    return info


@dataclass(frozen=True, slots=True)
class Globals:
    """Options given before the command."""

    library: Path | None = None
    debug: bool = False


def open_library(context: typer.Context, library: Path | None, **values: object) -> Byline | RemoteByline:
    """Open the library that the options name, or let the process that serves it do what is asked.

    Values that are None leave the setting alone.
    """
    import qa

    settings = make_settings(context, library, **values)
    patience = time.monotonic() + _OWNER_WAIT_S
    while True:
        try:
            return qa.open(settings=settings)
        except LibraryBusyError:
            served = _served(settings)
            if served is not None:
                return served
            if time.monotonic() > patience or not _is_new(settings.library):
                raise
        time.sleep(0.1)


def open_own_library(context: typer.Context, library: Path | None, **values: object) -> Byline:
    """Open the library in this process, for what no other process can do for it.

    Raises:
        LibraryBusyError: If another process has it.
    """
    import qa

    return qa.open(settings=make_settings(context, library, **values))


def make_settings(context: typer.Context, library: Path | None, **values: object) -> Settings:
    """Make the one `Settings` of this process from environment and options, and start logging."""
    from qa.settings import Settings

    given = {"library": library or context.obj.library, **values}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    start_logging(settings.log_format)
    log_at("debug" if context.obj.debug else settings.log)
    return settings


def make_filters(since: datetime | None, until: datetime | None, outlets: Sequence[str] | None) -> Filters:
    """Turn the options into filters; an empty date range is misuse."""
    from index.types import Filters

    try:
        return Filters(tuple(outlets or ()), since and since.date(), until and until.date())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def progress(
    count: Callable[[], int] | None = None,
) -> AbstractContextManager[Callable[[AddProgress], None] | None]:
    """Show how far a long command is, when a person watches stderr; else give None.

    Args:
        count: Tells how many articles there will be; only asked when somebody watches.
    """
    if not sys.stderr.isatty():
        return nullcontext()
    from qa.progress_rich import show_progress

    return show_progress(count() if count else None)


def _served(settings: Settings) -> RemoteByline | None:
    """Return the library as its owner serves it; None when the owner serves nobody, or has just gone."""
    from index.owner import read_owner

    owner = read_owner(settings.library)
    if owner is None or owner.address is None or owner.token is None or owner.pid == os.getpid():
        return None
    from qa.remote_httpx import OwnerGoneError, connect_owner

    try:
        return connect_owner(owner, settings)
    except OwnerGoneError:
        return None


def _is_new(folder: Path) -> bool:
    """Say whether the owner took the library so lately that it may be about to say where it serves it."""
    from index.owner import read_owner

    owner = read_owner(folder)
    if owner is None:
        return True  # it is just writing, or has just left
    return (datetime.now(UTC) - datetime.fromisoformat(owner.since)).total_seconds() < _OWNER_WAIT_S + 1


def print_answer(answer: Answer, end: str = "") -> None:
    """Print an answer for a person, as wide as the terminal; into a file or pipe, always equally wide."""
    from qa.render import render_terminal

    shown = render_terminal(answer, shutil.get_terminal_size().columns) if _on_screen() else render_terminal(answer)
    typer.echo(shown + end)


def _on_screen() -> bool:
    return sys.stdout.isatty()


def print_json(value: object) -> None:
    """Print one line of JSON, readable in any language."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text."""
    typer.echo("\n".join(lines))
