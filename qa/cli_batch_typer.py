"""`byline ask --batch IN.jsonl`, and `search` likewise: many questions from a file or stdin, one JSON line for each."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from qa.cli_options_typer import print_json

if TYPE_CHECKING:
    from qa.batch import BatchQuestion

_STDIN = Path("-")
_MAX_WORKERS = 4  # the encoder and the reader have threads of their own; beyond this they only wait for each other

BatchOption = Annotated[
    Path | None, typer.Option(metavar="IN.jsonl", help="Many questions, one JSON object a line; - reads stdin.")
]


def one_of(words: Sequence[str] | None, batch: Path | None) -> str:
    """Return the one question that was given; empty when a batch was given in its place.

    Raises:
        typer.BadParameter: If both or neither were given, or the batch is no file.
    """
    if (words is not None) == (batch is not None):
        raise typer.BadParameter("give either a question or --batch IN.jsonl.")
    if batch is not None and batch != _STDIN and (batch.is_dir() or not batch.exists()):
        raise typer.BadParameter(f"there is no file {str(batch)!r}.")
    return " ".join(words or ())


def print_batch(batch: Path, answer: Callable[[BatchQuestion], dict[str, object]]) -> None:
    """Print what `answer` returns for each line, in the same order.

    Raises:
        typer.Exit: With code 1 after the last line, if one failed.
    """
    from qa.batch import run_batch

    # Only a file is read ahead: whoever writes into a pipe may be waiting for the answer to the last line.
    workers = min(_MAX_WORKERS, os.cpu_count() or 1) if batch.is_file() else 1
    failed = False
    with _binary_lines(batch) as lines:
        for line in run_batch(lines, answer, workers=workers):
            print_json(line.row)
            failed = failed or line.failed
    if failed:
        raise typer.Exit(1)


@contextmanager
def _binary_lines(batch: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    if batch == _STDIN:
        yield sys.stdin.buffer
    else:
        with gzip.open(batch) if batch.suffix == ".gz" else batch.open("rb") as lines:
            yield lines
