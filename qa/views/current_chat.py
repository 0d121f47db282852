"""Which chat the Ask tab shows: opened again after a reload, left for a new one, or followed along another branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from index.types import Filters
from qa.views.ask_tab import AskTab, chat_html, filters_html
from qa.views.chats_list import NEW, render_bar
from qa.views.evidence import NOTHING_OPEN
from qa.views.keeping import NOTHING, Current, Shown, last_chat, open_chat
from qa.views.own import given, visitor_from
from qa.views.widgets import QUIET, render_alert

if TYPE_CHECKING:
    from qa.byline import Byline

GONE = "This chat is no longer in the library: it was deleted."


def wire_current_chat(tab: AskTab, byline: Byline, asking: list[Any]) -> None:
    """Connect the bar above the chat, and the branches in it, to what they do.

    `asking` are the events that ask: an answer that is still on its way must not come into another chat.
    """

    def on_resume(filters: Filters, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        remembered, visitor = given(event, "chat"), visitor_from(request)
        shown = NOTHING
        if remembered != NEW:
            shown = open_chat(byline, visitor, remembered) if remembered else last_chat(byline, visitor)
        return *show(byline, shown), filters_html(byline, filters)

    def on_branch(current: Current, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        shown = open_chat(byline, visitor_from(request), current.chat_id, given(event, "to"))
        if shown.current.chat_id is None:
            return (*(gr.skip() for _ in shown_in(tab)[:-1]), render_alert(GONE))
        return show(byline, shown)

    outputs = shown_in(tab)
    tab.bar.resume_tab(on_resume, [tab.filters], [*outputs, tab.searching], queue=False, **QUIET)
    tab.bar.new_chat(lambda: show(byline, NOTHING, focus=True), None, outputs, cancels=asking, queue=False, **QUIET)
    tab.chat.go_to_branch(on_branch, [tab.current], outputs, cancels=asking, queue=False, **QUIET)


def shown_in(tab: AskTab) -> list[Any]:
    """Return the widgets that `show` fills."""
    return [tab.turns, tab.current, tab.editing, tab.chat, tab.bar, tab.suggested, tab.evidence, tab.notice]


def show(byline: Byline, shown: Shown, *, focus: bool = False) -> tuple[Any, ...]:
    """Return what the widgets of `shown_in` take to show a chat; nothing of the one before stays."""
    notice = render_alert(shown.sentence) if shown.sentence else ""
    chat = chat_html(byline, shown.turns)
    return shown.turns, shown.current, None, chat, render_bar(shown, focus=focus), "", NOTHING_OPEN, notice
