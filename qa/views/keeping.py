"""A visitor's chat between the page and the library: kept turn by turn, and opened again as it was."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corpus.errors import ChatNotFoundError, QAError
from qa.chats import filters_from, title_of
from qa.source_check import SourceState
from qa.stored_answer import recall_answers
from qa.views.chat import MAX_TURNS, Place, Turn
from qa.views.filters import in_words

if TYPE_CHECKING:
    from index.library_chats import StoredTurn
    from qa.byline import Byline
    from qa.chats import Chat, Chats
    from qa.stored_answer import Recalled
    from qa.views.chat import Turns

_LOG = logging.getLogger(__name__)
_CHAT_ID = re.compile(r"[0-9a-f]{16}")
NO_COOKIE = "This chat is not kept, because the browser sent no cookie: allow cookies for this page to keep it."
NOT_WRITTEN = "This chat is not kept, because the library cannot be written at the moment."
NOT_READ = "Your chats cannot be read at the moment: something is wrong with the library."


@dataclass(frozen=True, slots=True)
class Current:
    """Which of the visitor's chats the page shows; of one that is not kept (yet) there is no id."""

    chat_id: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as the page shows it, and one sentence when something is wrong with keeping it."""

    current: Current
    turns: Turns
    sentence: str = ""


NOTHING = Shown(Current(), ())
_GONE = Place("", ())  # of a turn that was deleted and is still on the screen


def is_chat_id(given: object) -> bool:
    """Say whether something that came from a browser can be the id of a chat."""
    return isinstance(given, str) and _CHAT_ID.fullmatch(given) is not None


def keep_turns(byline: Byline, visitor: str | None, current: Current, turns: Turns) -> Shown:
    """Keep every answered turn that is not kept yet; a chat that was deleted meanwhile begins anew.

    Never raises for what the library cannot do: the answer is on the screen, and stays there.
    """
    if all(turn.place or turn.answer is None for turn in turns):
        return Shown(current, turns)
    if visitor is None:
        return Shown(current, turns, NO_COOKIE)
    chats = byline.chats.of(visitor)
    try:
        try:
            return _keep(chats, current, turns)
        except ChatNotFoundError:  # deleted in another tab: what was deleted stays so, what is new begins a chat
            return _keep(chats, Current(), tuple(replace(turn, place=turn.place and _GONE) for turn in turns))
    except QAError as error:
        _LOG.error("A chat is not kept.", exc_info=error)
        return Shown(current, turns, NOT_WRITTEN)


def last_chat(byline: Byline, visitor: str | None) -> Shown:
    """Return the chat that the visitor used last; an empty one when there is none."""

    def read(chats: Chats) -> Shown:
        known = chats.all()
        return _recall(byline, chats, chats.open(known[0].id)) if known else NOTHING

    return _read(byline, visitor, read)


def open_chat(byline: Byline, visitor: str | None, chat_id: object, turn_id: object = None) -> Shown:
    """Return a chat of the visitor's, along the branch of a turn when one is named.

    Ids come from the browser: one that is none, is unknown, or names another visitor's chat opens an empty chat.
    """
    if not is_chat_id(chat_id):
        return NOTHING

    def read(chats: Chats) -> Shown:
        chat = chats.open(str(chat_id))
        if turn_id is not None:
            chat.go_to(str(turn_id))
        return _recall(byline, chats, chat)

    return _read(byline, visitor, read)


def _read(byline: Byline, visitor: str | None, read: Callable[[Chats], Shown]) -> Shown:
    if visitor is None:
        return NOTHING
    try:
        return read(byline.chats.of(visitor))
    except ChatNotFoundError:
        return NOTHING
    except QAError as error:
        _LOG.error("A chat is not opened.", exc_info=error)
        return replace(NOTHING, sentence=NOT_READ)


def _keep(chats: Chats, current: Current, turns: Turns) -> Shown:
    chat_id, title, after = current.chat_id, current.title, None
    new: dict[int, str] = {}
    for turn in turns:
        if turn.place:
            after = turn.place.turn_id or None
        elif turn.answer:
            chat_id, after = chats.keep(turn.answer, chat_id=chat_id, after=after, filters=turn.filters)
            title = title or title_of(turn.question)
            new[turn.number] = after
    branches = chats.branches(chat_id) if chat_id else {}
    kept = (
        _placed(turn, new.get(turn.number) or (turn.place.turn_id if turn.place else ""), branches) for turn in turns
    )
    return Shown(Current(chat_id, title), tuple(kept))


def _placed(turn: Turn, turn_id: str, branches: dict[str, tuple[str, ...]]) -> Turn:
    return replace(turn, place=Place(turn_id, branches[turn_id])) if turn_id in branches else turn


def _recall(byline: Byline, chats: Chats, chat: Chat) -> Shown:
    path = chat.turns()
    first = max(0, len(path) - MAX_TURNS)
    branches = chats.branches(chat.id)
    recalled = recall_answers([stored.answer for stored in path[first:]], byline.index.library)
    turns = [
        _turn(byline, number, stored, answer, branches)
        for number, (stored, answer) in enumerate(zip(path[first:], recalled, strict=True), first)
    ]
    return Shown(Current(chat.id, chat.title), tuple(turns))


def _turn(
    byline: Byline, number: int, stored: StoredTurn, recalled: Recalled, branches: dict[str, tuple[str, ...]]
) -> Turn:
    filters, _ = filters_from(stored.filters)
    stands = all(source.state is SourceState.VALID for source in recalled.sources)
    return Turn(
        number=number,
        question=stored.question,
        citations=() if recalled.answer else recalled.citations,
        answer=recalled.answer,
        filters=filters,
        searched=in_words(filters, byline.articles()) if filters else "",
        place=Place(stored.id, branches[stored.id]),
        recalled=None if stands else recalled,
    )
