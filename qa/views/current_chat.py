"""Which chat the Ask tab shows: after a reload, a new one, along another branch, or on coming back to the tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from index.types import Filters
from qa.views.ask_tab import AskTab, chat_html, filters_html
from qa.views.chat import Turns  # at run time: Gradio reads the annotations
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
        return *show(byline, shown), filters_html(byline, filters), True

    def on_branch(current: Current, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        shown = open_chat(byline, visitor_from(request), current.chat_id, given(event, "to"))
        if shown.current.chat_id is None:
            return (*(gr.skip() for _ in shown_in(tab)[:-1]), render_alert(GONE))
        return show(byline, shown)

    outputs = shown_in(tab)
    tab.bar.resume_tab(on_resume, [tab.filters], [*outputs, tab.searching, tab.settled], queue=False, **QUIET)
    tab.bar.new_chat(lambda: show(byline, NOTHING, focus=True), None, outputs, cancels=asking, queue=False, **QUIET)
    tab.chat.go_to_branch(on_branch, [tab.current], outputs, cancels=asking, queue=False, **QUIET)


def wire_return(tab: AskTab, ask: gr.Tab, byline: Byline) -> None:
    """Draw the welcome and the filters anew when somebody comes back to the tab: the library may have changed.

    Gradio also calls this while the page is being opened, beside the chat's resuming, and either may be answered
    last: an answer made before the chat was settled would put the welcome over its turns. Turns do not change while
    another tab is looked at, so they are left alone.
    """

    def on_return(turns: Turns, filters: Filters, settled: bool) -> tuple[Any, ...]:
        welcome = chat_html(byline, ()) if settled and not turns else gr.skip()
        return welcome, filters_html(byline, filters)

    given_ = [tab.turns, tab.filters, tab.settled]
    ask.select(on_return, given_, [tab.chat, tab.searching], queue=False, **QUIET)


def shown_in(tab: AskTab) -> list[Any]:
    """Return the widgets that `show` fills."""
    return [tab.turns, tab.current, tab.editing, tab.chat, tab.bar, tab.suggested, tab.evidence, tab.notice]


def show(byline: Byline, shown: Shown, *, focus: bool = False) -> tuple[Any, ...]:
    """Return what the widgets of `shown_in` take to show a chat; nothing of the one before stays."""
    notice = render_alert(shown.sentence) if shown.sentence else ""
    chat = chat_html(byline, shown.turns)
    return shown.turns, shown.current, None, chat, render_bar(shown, focus=focus), "", NOTHING_OPEN, notice
