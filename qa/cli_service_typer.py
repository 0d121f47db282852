"""The commands around a served library: backup, restore, password."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli_options_typer import LibraryOption, argument, make_settings

service_commands = typer.Typer(rich_markup_mode=None)


@service_commands.command(epilog="Example: byline backup library.zip")
def backup(
    context: typer.Context,
    file: Annotated[Path, argument("FILE")],
    library: LibraryOption = None,
) -> None:
    """Write the library into one file, also while it is served."""
    from index.library_backup import back_up

    n_bytes = back_up(make_settings(context, library).library, file)
    typer.echo(f"{n_bytes / 1e6:.1f} MB written")


@service_commands.command(epilog="Example: byline restore library.zip --library copy/")
def restore(
    context: typer.Context,
    file: Annotated[Path, argument("FILE")],
    library: LibraryOption = None,
) -> None:
    """Make a library of a backup, in a folder that holds none."""
    from index.library_backup import restore as restore_library

    typer.echo(f"{restore_library(file, make_settings(context, library).library)} articles restored")


@service_commands.command(epilog="Example: byline password")
def password() -> None:
    """Ask for a password and print its hash, for BYLINE_PASSWORD_HASH."""
    from qa.access import hash_password

    chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    typer.echo(hash_password(chosen))
