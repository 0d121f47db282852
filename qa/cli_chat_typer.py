"""`byline chat`: a stored chat in the terminal. Only typer at the head."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import QAError
from qa.cli_options_typer import (
    AsOfOption,
    JsonOption,
    LibraryOption,
    open_own_library,
    print_answer,
    print_json,
    print_lines,
)

if TYPE_CHECKING:
    from datetime import date

    from qa.byline import Byline
    from qa.chats import Chat
    from qa.types import Answer

commands = typer.Typer()
_HELP = """/again            ask the last question again
/edit N QUESTION  ask something else in place of turn N: a new branch, the old one stays
/branches N       what else was asked in place of turn N;  /branch N M  goes to the M-th of them
/show             the whole chat, and whether its sources still stand
/list  /open ID  /new  /rename TITLE  /delete ID  /search WORDS
/end or Ctrl-D    leave; the chat is kept"""


@commands.command(
    epilog="Example: byline chat --resume 3f2a1c", short_help="Chat in the terminal; follow-ups are understood."
)
def chat(
    context: typer.Context,
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with this chat.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Start a chat, also when there is one to go on with.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the chats: id, last used, turns, title.")] = False,
    search: Annotated[str | None, typer.Option(metavar="WORDS", help="List the chats that hold these words.")] = None,
    delete: Annotated[str | None, typer.Option(metavar="ID", help="Delete a chat for good.")] = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Chat in the terminal; follow-ups are understood, and the last chat is gone on with."""
    chosen = [resume is not None, new, list_, search is not None, delete is not None]
    if sum(chosen) > 1:
        raise typer.BadParameter("give only one of --resume, --new, --list, --search, --delete.")
    with open_own_library(context, library) as byline:
        if list_ or search is not None:
            _print_chats(byline, search, as_json)
        elif delete is not None:
            byline.chats.delete(delete)
            if as_json:
                print_json({"deleted": delete})
            else:
                typer.echo("1 deleted")
        else:
            _Session(byline, as_of and as_of.date(), as_json).run(_first_chat(byline, resume, new))


def _first_chat(byline: Byline, resume: str | None, new: bool) -> Chat:
    if resume is not None:
        return byline.chats.open(resume)
    known = [chat for chat in byline.chats.all() if not chat.on_page]  # those are their visitors' to go on with
    return byline.chats.open(known[0].id) if known and not new else byline.chats.new()


def _print_chats(byline: Byline, words: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from qa.render_chat import chat_lines

    found = byline.chats.all() if words is None else byline.chats.search(words)
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        print_lines(chat_lines(found))
    elif words is None:
        typer.echo("The library keeps no chats yet. Begin one with: byline chat", err=True)
    else:
        typer.echo(f"No chat holds {words!r}. See all with: byline chat --list", err=True)


class _Session:
    """Reads lines until the end of input: questions, and commands that begin with a slash."""

    def __init__(self, byline: Byline, as_of: date | None, as_json: bool) -> None:
        self._byline = byline
        self._as_of = as_of
        self._as_json = as_json
        self._commands: dict[str, Callable[[str], None]] = {
            "/again": lambda rest: self._show(self._chat.regenerate()),
            "/edit": self._edit,
            "/branches": self._branches,
            "/branch": self._branch,
            "/show": lambda rest: self._show_all(),
            "/list": lambda rest: _print_chats(self._byline, None, self._as_json),
            "/search": lambda rest: _print_chats(self._byline, rest, self._as_json),
            "/open": lambda rest: self._enter(self._byline.chats.open(rest)),
            "/new": lambda rest: self._enter(self._byline.chats.new()),
            "/rename": lambda rest: self._chat.rename(rest),
            "/delete": self._delete,
            "/help": lambda rest: typer.echo(_HELP, err=True),
        }

    def run(self, first: Chat) -> None:
        """Enter a chat and read until the end."""
        self._enter(first)
        typer.echo("Ask, or /help. Ctrl-D ends.", err=True)
        while (line := self._read()) is not None:
            if not line:
                continue
            if line in ("/end", "/quit", "/exit"):
                return
            try:
                self._obey(line)
            except QAError as error:  # the chat goes on; nothing was stored
                typer.echo(f"error: {error}", err=True)

    def _read(self) -> str | None:
        typer.echo(f"{len(self._chat.turns()) + 1}> ", nl=False, err=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            return ""
        if not line:
            typer.echo(err=True)
        return line.strip() if line else None

    def _obey(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if not name.startswith("/"):
            self._show(self._chat.ask(line, as_of=self._as_of))
        elif name in self._commands:
            self._commands[name](rest.strip())
        else:
            typer.echo(f"error: there is no command {name!r}; see /help.", err=True)

    def _enter(self, chat: Chat) -> None:
        self._chat = chat
        typer.echo(f"Chat {chat.id[:6]}: {chat.title}", err=True)
        if chat.turns() and sys.stdin.isatty():
            self._show_all()

    def _show(self, answer: Answer) -> None:
        if self._as_json:
            print_json(answer.to_dict())
        else:
            print_answer(answer, end="\n")

    def _show_all(self) -> None:
        from qa.render_chat import turn_lines

        for number, turn in enumerate(self._chat.turns(), 1):
            print_lines([*turn_lines(number, turn, self._chat.check(turn)), ""])

    def _edit(self, rest: str) -> None:
        number, _, question = rest.partition(" ")
        self._show(self._chat.edit(self._turn_id(number), question))

    def _branches(self, rest: str) -> None:
        shown = self._turn_id(rest)
        for number, turn in enumerate(self._chat.branches(shown), 1):
            typer.echo(f"{number}{'*' if turn.id == shown else ' '} {turn.question}")

    def _branch(self, rest: str) -> None:
        number, _, wanted = rest.partition(" ")
        branches = self._chat.branches(self._turn_id(number))
        if not wanted.isdigit() or not 1 <= int(wanted) <= len(branches):
            typer.echo(f"error: turn {number} has the branches 1 to {len(branches)}.", err=True)
            return
        self._chat.go_to(branches[int(wanted) - 1].id)
        self._show_all()

    def _delete(self, rest: str) -> None:
        gone = self._byline.chats.open(rest or self._chat.id)
        self._byline.chats.delete(gone.id)
        if gone.id == self._chat.id:
            self._enter(self._byline.chats.new())

    def _turn_id(self, number: str) -> str:
        from corpus.errors import SettingsError

        turns = self._chat.turns()
        if not number.isdigit() or not 1 <= int(number) <= len(turns):
            raise SettingsError(f"There is no turn {number!r}; this chat has {len(turns)}.")
        return turns[int(number) - 1].id
