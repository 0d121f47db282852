"""The commands that look after the library: list, show, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli_options_typer import JsonOption, LibraryOption, open_library, print_json, print_lines

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
    article_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Show one article with its text."""
    from qa.listing import article_lines

    with open_library(context, library) as byline:
        article = byline.article(article_id)
        infos = [info for info in byline.articles() if info.id == article.id]
    if as_json:
        print_json({**infos[0].to_dict(), "text": article.text})
    else:
        print_lines(article_lines(article))


@commands.command(epilog="Example: byline remove rwanda-two-weeks")
def remove(
    context: typer.Context,
    article_ids: Annotated[list[str], typer.Argument(metavar="ID...")],
    library: LibraryOption = None,
) -> None:
    """Remove articles for good."""
    with open_library(context, library) as byline:
        byline.remove(*article_ids)
    typer.echo(f"{len(set(article_ids))} removed")
