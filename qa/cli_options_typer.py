"""What the commands share: options, the settings they make, and how they print. Only typer at the head."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from index.types import AddProgress, Filters
    from qa.byline import Byline
    from qa.settings import Settings

_OURS = ("corpus", "index", "qa", "app", "evals")
_DAY = ["%Y-%m-%d"]  # one way to write a day, as in the JSON

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", help="Folder of the library; else BYLINE_LIBRARY, else your data folder."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KOption = Annotated[int | None, typer.Option("--k", min=1, metavar="N", help="How many passages to find.")]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=_DAY, metavar="DAY", help="Only articles of this day or later.")
]
UntilOption = Annotated[
    datetime | None, typer.Option(formats=_DAY, metavar="DAY", help="Only articles up to this day.")
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=_DAY, metavar="DAY", help="What was published by then; `last week` counts from it."
    ),
]
OutletOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only articles of this outlet; may be given again.")
]
BatchOption = Annotated[
    Path | None, typer.Option(metavar="IN.jsonl", help="Many questions, one JSON object a line; - reads stdin.")
]


@dataclass(frozen=True, slots=True)
class Globals:
    """Options given before the command."""

    library: Path | None = None
    debug: bool = False


def open_library(context: typer.Context, library: Path | None, **values: object) -> Byline:
    """Open the library that the options name; `values` that are None leave the setting alone."""
    import qa

    return qa.open(settings=make_settings(context, library, **values))


def make_settings(context: typer.Context, library: Path | None, **values: object) -> Settings:
    """Make the one `Settings` of this process from environment and options, and start logging."""
    from qa.settings import Settings

    given = {"library": library or context.obj.library, **values}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    log_at("debug" if context.obj.debug else settings.log)
    return settings


def make_filters(since: datetime | None, until: datetime | None, outlets: Sequence[str] | None) -> Filters:
    """Turn the options into filters; an empty date range is misuse."""
    from index.types import Filters

    try:
        return Filters(tuple(outlets or ()), since and since.date(), until and until.date())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def progress() -> AbstractContextManager[Callable[[AddProgress], None] | None]:
    """Show how far a long command is, when a person watches stderr; else give None."""
    if not sys.stderr.isatty():
        return nullcontext()
    from qa.progress_rich import show_progress

    return show_progress()


def log_at(level: str) -> None:
    """Log our own packages from `level` up and everybody else's warnings, on stderr."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())


def print_json(value: object) -> None:
    """Print one line of JSON, readable in any language."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text."""
    typer.echo("\n".join(lines))
