"""A visitor's chats as HTML: the list of them, what can be done with each, and the bar above the one that is shown."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from qa.safe_text import clipped, escape, written_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.library_chats import ChatInfo
    from qa.views.keeping import Shown

MAX_ROWS = 100  # a longer list is not looked through; the search reaches the rest
_LABEL_CHARS = 60  # of a title in the name of a button
NONE_YET = (
    '<section class="blank"><h2>Your chats</h2><p>Every question you ask is kept here with its answer and its proof, '
    "so that you can go on another day. Only this browser shows your chats; whoever keeps the library can read them."
    "</p></section>"
)
UNKNOWN = (
    '<section class="blank"><h2>Your chats</h2><p>Chats are found again by a cookie, and this browser sent none. '
    "Allow cookies for this page, and load it again, to keep what you ask.</p></section>"
)
NEW = "new"  # what a tab remembers when it shows an empty chat
FORMS = {"html": "Web page", "md": "Markdown", "json": "JSON"}


def render_chats(chats: Sequence[ChatInfo], current: str | None, words: str) -> str:
    """Return the chats found as HTML, the one used last first.

    Args:
        chats: Those that hold `words`.
        current: Id of the one that the Ask tab shows.
        words: What was searched for; empty when all are shown.
    """
    if not chats and not words:
        return NONE_YET
    count = "1 chat" if len(chats) == 1 else f"{len(chats):,} chats"
    if words:
        count += f" with “{clipped(words, _LABEL_CHARS)}”"
    if len(chats) > MAX_ROWS:
        count += f"; the {MAX_ROWS} used last are shown"
    rows = "".join(_render_row(chat, chat.id == current) for chat in chats[:MAX_ROWS])
    rows = f'<ul class="chats">{rows}</ul>' if rows else ""
    head = f'<p class="count" role="status">{escape(count)}</p><button type="button" class="new">New chat</button>'
    return f'<div class="head">{head}</div>{rows}'


def render_bar(shown: Shown, *, focus: bool = False) -> str:
    """Return the chat's title and the way to a new one; `focus` asks that the question be typed next."""
    chat = shown.current.chat_id or (NEW if not shown.turns else "")
    asked = f' data-focus="{time.monotonic_ns()}"' if focus else ""
    new = '<button type="button" class="new">New chat</button>' if shown.turns else ""
    title = f'<span dir="auto">{escape(shown.current.title)}</span>'
    return f'<div class="current" data-chat="{chat}"{asked}>{title}{new}</div>'


def _render_row(chat: ChatInfo, is_current: bool) -> str:
    title, named = escape(chat.title), escape(clipped(chat.title, _LABEL_CHARS))
    n_questions = "1 question" if chat.n_turns == 1 else f"{chat.n_turns:,} questions"
    here = ' aria-current="true"' if is_current else ""
    now = " · shown in Ask" if is_current else ""
    forms = "".join(
        f'<button type="button" class="export" data-form="{form}">{name}</button>' for form, name in FORMS.items()
    )
    return (
        f'<li data-id="{escape(chat.id)}"{here}><div class="what">'
        f'<button type="button" class="open" dir="auto">{title}</button>'
        f'<p class="facts">{_when(chat.updated)} · {n_questions}{now}</p></div>'
        f'<div class="doing" role="group" aria-label="{named}">'
        f'<button type="button" class="rename" aria-label="Rename {named}">Rename</button>'
        f'<button type="button" class="take" aria-label="Export {named}" aria-expanded="false">Export</button>'
        f'<button type="button" class="delete" aria-label="Delete {named}">Delete</button></div>'
        f'<form class="renaming" hidden><label><span class="unseen">New title of {named}</span>'
        f'<input type="text" name="title" maxlength="200" value="{title}" autocomplete="off"></label>'
        '<button type="submit" class="save">Save</button><button type="button" class="no">Cancel</button></form>'
        f'<div class="taking" hidden role="group" aria-label="Export {named} as"><span>Export as</span>{forms}'
        '<button type="button" class="no">Cancel</button></div>'
        f'<div class="deleting" hidden role="group" aria-label="Delete {named}?"><span>Delete for good?</span>'
        '<button type="button" class="yes">Yes, delete</button>'
        '<button type="button" class="no">Keep it</button></div></li>'
    )


def _when(updated: str) -> str:
    """Return the time as HTML that the page's script turns into the visitor's own time zone."""
    moment = datetime.fromisoformat(updated)
    return f'<time datetime="{escape(updated)}">{written_date(moment.date())}, {moment:%H:%M} UTC</time>'
