"""Which chat the Ask tab shows: opened again after a reload, left for a new one, or followed along another branch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from qa.safe_text import escape
from qa.views.keeping import NOTHING, Current, Shown, last_chat, open_chat
from qa.views.visitor import visitor_of
from qa.views.widgets import QUIET, render_alert

if TYPE_CHECKING:
    from qa.byline import Byline
    from qa.views.ask_tab import AskTab

NEW = "new"  # what a tab remembers when an empty chat was asked for


@dataclass(frozen=True, slots=True)
class Own:
    """Who asks, and in which of their chats; `visitor` is None for a browser that sent no cookie."""

    visitor: str | None
    current: Current

    @classmethod
    def of(cls, request: gr.Request, current: Current) -> Own:
        """Return it from what a browser sent with an event."""
        return cls(visitor_from(request), current)


def visitor_from(request: gr.Request) -> str | None:
    """Return whose browser sent an event."""
    return visitor_of(request.headers.get("cookie"))


def given(event: gr.EventData, name: str) -> object:
    """Return what an event carries under a name; None when the browser sent nothing so called."""
    return getattr(event, name, None)


def wire_current_chat(tab: AskTab, byline: Byline) -> None:
    """Connect the bar above the chat, and the branches in it, to what they do."""

    def on_resume(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        remembered, visitor = given(event, "chat"), visitor_from(request)
        if remembered == NEW:
            return show(byline, NOTHING)
        shown = open_chat(byline, visitor, remembered) if remembered else last_chat(byline, visitor)
        return show(byline, shown)

    def on_branch(current: Current, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        shown = open_chat(byline, visitor_from(request), current.chat_id, given(event, "to"))
        if shown.current.chat_id is None:
            return (*(gr.skip() for _ in shown_in(tab)[:-1]), render_alert(GONE))
        return show(byline, shown)

    outputs = shown_in(tab)
    tab.bar.resume_tab(on_resume, None, outputs, queue=False, **QUIET)
    tab.bar.new_chat(lambda: show(byline, NOTHING, focus=True), None, outputs, queue=False, **QUIET)
    tab.chat.go_to_branch(on_branch, [tab.current], outputs, queue=False, **QUIET)


GONE = "This chat is no longer in the library: it was deleted."


def shown_in(tab: AskTab) -> list[Any]:
    """Return the widgets that `show` fills."""
    return [tab.turns, tab.current, tab.editing, tab.chat, tab.bar, tab.suggested, tab.evidence, tab.notice]


def show(byline: Byline, shown: Shown, *, focus: bool = False) -> tuple[Any, ...]:
    """Return what the widgets of `shown_in` take to show a chat; nothing of the one before stays."""
    from qa.views.ask_tab import chat_html
    from qa.views.evidence import NOTHING_OPEN

    notice = render_alert(shown.sentence) if shown.sentence else ""
    chat = chat_html(byline, shown.turns)
    return shown.turns, shown.current, None, chat, render_bar(shown, focus=focus), "", NOTHING_OPEN, notice


def render_bar(shown: Shown, *, focus: bool = False) -> str:
    """Return the chat's title and the way to a new one; `focus` asks that the question be typed next."""
    chat = shown.current.chat_id or (NEW if not shown.turns else "")
    asked = f' data-focus="{time.monotonic_ns()}"' if focus else ""
    new = '<button type="button" class="new">New chat</button>' if shown.turns else ""
    title = f'<span dir="auto">{escape(shown.current.title)}</span>'
    return f'<div class="current" data-chat="{chat}"{asked}>{title}{new}</div>'
