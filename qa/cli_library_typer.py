"""The commands that look after the library: list, show, remove, doctor, compact, reindex."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_options_typer import (
    JsonOption,
    LibraryOption,
    argument,
    make_settings,
    open_library,
    print_json,
    print_lines,
    progress,
)

commands = typer.Typer(rich_markup_mode=None)


@commands.command("list", epilog="Example: byline list --json")
def list_articles(context: typer.Context, as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """List the articles of the library."""
    from qa.listing import list_lines

    with open_library(context, library) as byline:
        articles = byline.articles()
    if as_json:
        print_json([info.to_dict() for info in articles])
    elif articles:
        print_lines(list_lines(articles))
    else:
        typer.echo("The library holds no articles yet. Add some with: byline add PATH", err=True)


@commands.command(epilog="Example: byline show rwanda-two-weeks")
def show(
    context: typer.Context,
    article_id: Annotated[str, argument("ID")],
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="A former version, as a saved citation names it.")
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Show one article with its text."""
    from qa.listing import article_lines, edition_dict

    with open_library(context, library) as byline:
        article = byline.article(article_id, version=version)
        (info,) = [info for info in byline.articles() if info.id == article.id]
    if as_json:
        print_json({**edition_dict(article, info), "text": article.text})
    else:
        print_lines(article_lines(article))


@commands.command(epilog="Example: byline remove rwanda-two-weeks")
def remove(
    context: typer.Context,
    article_ids: Annotated[list[str], argument("ID")],
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Remove articles for good."""
    with open_library(context, library) as byline:
        byline.remove(*article_ids)
    removed = list(dict.fromkeys(article_ids))
    if as_json:
        print_json({"removed": removed})
    else:
        typer.echo(f"{len(removed)} removed")


@commands.command(
    epilog="Example: byline doctor --repair", short_help="Verify the library and its indexes, or repair them."
)
def doctor(
    context: typer.Context,
    mend: Annotated[bool, typer.Option("--repair", help="Build both indexes anew from the library first.")] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Verify the library and its indexes; exit 0 only when all is well."""
    from index.doctor import check, repair

    folder = make_settings(context, library).library
    if mend:
        repair(folder)
    findings = check(folder)
    if as_json:
        rows = [{"check": each.check, "ok": each.ok, "message": each.message} for each in findings]
        print_json({"ok": all(each.ok for each in findings), "findings": rows})
    else:
        print_lines(f"{'ok' if finding.ok else 'BAD':<4}{finding.check}: {finding.message}" for finding in findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@commands.command(epilog="Example: byline compact", short_help="Give back the disk space of what was removed.")
def compact(context: typer.Context, as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """Give back the disk space of removed articles and former versions. Chats keep the sentences they cited."""
    from index.doctor import compact as compact_library

    folder = make_settings(context, library).library
    before = _disk_bytes(folder)
    compact_library(folder)
    after = _disk_bytes(folder)
    if as_json:
        print_json({"bytes_before": before, "bytes_after": after})
    else:
        typer.echo(f"{_megabytes(before)} before, {_megabytes(after)} after")


@commands.command(
    epilog="Example: byline reindex (after setting BYLINE_ENCODER or BYLINE_CHUNK_TOKENS)",
    short_help="Rebuild the library for another encoder or passage size.",
)
def reindex(context: typer.Context, as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """Rebuild the library for the encoder and passage size that are set now."""
    from index.doctor import reindex as reindex_library
    from qa.make_embedder import make_embedder

    settings = make_settings(context, library)
    with progress() as step:
        rebuilt = reindex_library(
            settings.library, make_embedder(settings), chunk_tokens=settings.chunk_tokens, on_progress=step
        )
    if as_json:
        print_json({"rebuilt": rebuilt})
        return
    typer.echo("rebuilt" if rebuilt else "nothing to do: the library was already built with these settings")


def _disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"
