"""The command line: data on stdout, the rest on stderr; exit 0, 1 after an error, 2 after misuse, 130 after Ctrl-C.

Nothing but typer is imported at the head, so that `byline --help` answers at once.
"""

from __future__ import annotations

import io
import logging
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import QAError
from qa import __version__
from qa.cli_batch_typer import BatchOption, one_of, print_batch
from qa.cli_chat_typer import commands as chat_commands
from qa.cli_export_typer import ExportOption, export_answer
from qa.cli_library_typer import commands
from qa.cli_models_typer import commands as model_commands
from qa.cli_options_typer import (
    AsOfOption,
    Globals,
    JsonOption,
    KOption,
    LibraryOption,
    OutletOption,
    ReaderOption,
    SinceOption,
    UntilOption,
    argument,
    make_filters,
    make_settings,
    open_library,
    open_own_library,
    print_answer,
    print_json,
    print_lines,
    progress,
)
from qa.cli_service_typer import service_commands
from qa.log_setup import log_at, start_logging

if TYPE_CHECKING:
    from index.types import AddProgress, AddReport
    from qa.batch import BatchQuestion
    from qa.byline import Byline
    from qa.remote_httpx import RemoteByline

_LOG = logging.getLogger(__name__)
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

# Typer's rich help costs 0.1 s of a budget of 0.3 s, hence `rich_markup_mode=None`.
app = typer.Typer(
    name="byline",
    help="Answers from your articles, every sentence with its proof.",
    epilog='Example: byline add articles/ && byline ask "Who revealed it?"',
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is on stderr.

    Args:
        args: Without the program's name; those of the process when None.
    """
    _write_utf8()
    try:
        app(args=args, prog_name="byline")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except QAError as error:
        return _fail(str(error), error)
    except OSError as error:
        about = f": {error.filename!r}" if error.filename else ""
        return _fail(f"{error.strerror or error}{about}", error)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"byline {__version__}")
        raise typer.Exit


@app.callback()
def globals_(
    context: typer.Context,
    library: LibraryOption = None,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything, with traces of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keep what is given before the command."""
    if debug:
        start_logging()
        log_at("debug")
    context.obj = Globals(library, debug)


@app.command(epilog="Example: byline add articles/ report.pdf")
def add(
    context: typer.Context,
    sources: Annotated[list[str] | None, argument("PATH|URL")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Add the two bundled articles.")] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Also remove what is gone from the folders.")] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Add or update articles from files, folders and URLs."""
    if not sources and not sample:
        raise typer.BadParameter("name at least one file, folder or URL, or give --sample.")
    from corpus.load import bundled_articles, count_sources
    from qa.listing import one_line, report_dict, report_line

    wanted: list[str | Path] = [*(sources or []), *([bundled_articles()] if sample else [])]
    with (
        _told_when_stopped(),
        (open_own_library if mirror else open_library)(context, library) as byline,
        progress(lambda: count_sources(wanted)) as step,
    ):
        report = _add(byline, wanted, mirror, step)
    for failure in report.failed:
        typer.echo(one_line(f"error: {failure.origin}: {failure.reason}"), err=True)
    if as_json:
        print_json(report_dict(report))
    else:
        typer.echo(report_line(report))
    if report.failed:
        raise typer.Exit(1)


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped. What was stored is whole and can be asked; the same command goes on from there.", err=True)
        raise


@app.command(
    epilog='Example: byline ask "Who revealed the deportation?" --since 2025-05-01',
    short_help="Answer a question from the articles, with citations.",
)
def ask(
    context: typer.Context,
    words: Annotated[list[str] | None, argument("QUESTION")] = None,
    as_json: JsonOption = False,
    k: KOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    outlet: OutletOption = None,
    as_of: AsOfOption = None,
    reader: ReaderOption = None,
    batch: BatchOption = None,
    export: ExportOption = None,
    library: LibraryOption = None,
) -> None:
    """Answer a question from the articles, with citations, or say that they do not say."""
    if export is not None and batch is not None:
        raise typer.BadParameter("--export takes one question, not --batch.")
    question, filters = one_of(words, batch), make_filters(since, until, outlet)
    day = as_of and as_of.date()

    def answer_to(row: BatchQuestion) -> dict[str, object]:
        within, by = row.filters or filters, row.as_of or day
        return {"answer": byline.ask(row.question, k=k, filters=within, history=row.history, as_of=by).to_dict()}

    with open_library(context, library, reader=reader) as byline:
        if batch is not None:
            print_batch(batch, answer_to)
            return
        answer = byline.ask(question, k=k, filters=filters, as_of=day)
    if export is not None:
        export_answer(answer, export)
    if as_json:
        print_json(answer.to_dict())
        return
    print_answer(answer)


@app.command(epilog='Example: byline search "asylum agreement" --k 5')
def search(
    context: typer.Context,
    words: Annotated[list[str] | None, argument("QUERY")] = None,
    as_json: JsonOption = False,
    k: KOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    outlet: OutletOption = None,
    batch: BatchOption = None,
    rerank: Annotated[bool, typer.Option("--rerank", help="Read what is found and rank it by that; slower.")] = False,
    library: LibraryOption = None,
) -> None:
    """Find passages without answering."""
    query, filters = one_of(words, batch), make_filters(since, until, outlet)

    def hits_of(row: BatchQuestion) -> dict[str, object]:
        found = byline.search(row.question, k=k, filters=row.filters or filters, rerank=rerank)
        return {"hits": [hit.to_dict() for hit in found]}

    with open_library(context, library) as byline:
        if batch is not None:
            print_batch(batch, hits_of)
            return
        hits = byline.search(query, k=k, filters=filters, rerank=rerank)
    if as_json:
        print_json({"query": query, "hits": [hit.to_dict() for hit in hits]})
        return
    from qa.listing import hit_lines

    print_lines(hit_lines(hits))


app.add_typer(commands)
app.add_typer(chat_commands)
app.add_typer(service_commands)
app.add_typer(model_commands)


@app.command(epilog="Example: byline serve --port 8080")
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where to listen; 127.0.0.1 unless set.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Port; a free one from 7860 up.")
    ] = None,
    library: LibraryOption = None,
) -> None:
    """Start the page in the browser (the same as `python app.py`)."""
    settings = make_settings(context, library, host=host, port=port)
    # By name: the page lies downstream of this package, and only this entry may start it.
    import_module("app").serve(settings)


@app.command(epilog="Example: byline mcp", short_help="Serve language models' tools over stdin and stdout.")
def mcp(context: typer.Context, library: LibraryOption = None) -> None:
    """Serve ask, search and get_article to language models' tools over stdin and stdout (extra [mcp])."""
    from qa.mcp_server import make_mcp_server

    with open_library(context, library) as opened:
        make_mcp_server(opened).run("stdio")


@app.command(
    "eval",
    epilog="Example: byline eval --help",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def evaluate(context: typer.Context) -> None:
    """Run the evaluation suites (the same as `python -m evals`)."""
    sys.argv = ["byline eval", *context.args]
    # By name, for the same reason as the page.
    runpy.run_module("evals", run_name="__main__")


def _add(
    byline: Byline | RemoteByline, sources: list[str | Path], mirror: bool, step: Callable[[AddProgress], None] | None
) -> AddReport:
    from qa.byline import Byline

    if mirror and isinstance(byline, Byline):  # only who owns a library can make it mirror a folder
        return byline.add(*sources, mirror=True, on_progress=step)
    return byline.add(*sources, on_progress=step)


def _write_utf8() -> None:
    # A lone surrogate, which only a broken argument can bring in, must not end a command half-way.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _fail(message: str, error: BaseException) -> int:
    typer.echo(f"error: {message}", err=True)
    _LOG.debug("The command failed.", exc_info=error)
    return 1
