"""The tab that lists a visitor's chats: its widgets, and which function answers which event."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from corpus.errors import ChatNotFoundError, QAError, SettingsError
from qa.views.chat import Turns  # at run time: Gradio reads the annotations
from qa.views.chats_list import UNKNOWN, render_bar, render_chats
from qa.views.current_chat import GONE, show, shown_in
from qa.views.download import render_chat_download
from qa.views.keeping import NOT_READ, NOTHING, Current, Shown, is_chat_id, open_chat
from qa.views.own import given, visitor_from
from qa.views.widgets import HERE, QUIET, html_part, render_alert

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.byline import Byline
    from qa.chats import Chats
    from qa.views.ask_tab import AskTab

_LOG = logging.getLogger(__name__)
NOT_CHANGED = "The chat is not changed, because the library cannot be written at the moment."
MAX_SEARCHED_CHARS = 200  # words looked for; what is pasted beyond is no search


class ChatsTab(NamedTuple):
    """The widgets of the tab."""

    wanted: gr.Textbox
    notice: gr.HTML
    chats: gr.HTML
    download: gr.HTML


class Beside(NamedTuple):
    """What of the rest of the page the tab changes.

    Args:
        ask: The tab in which a chat is shown.
        tabs: All tabs, to go there.
        asking: The events that ask: an answer that is still on its way must not come into another chat.
    """

    ask: AskTab
    tabs: gr.Tabs
    asking: list[Any]


def lay_out_chats_tab() -> ChatsTab:
    """Place the widgets; nobody's chats are in them until a browser has said whose they are."""
    with gr.Column(elem_id="chats-column", min_width=0):
        wanted = gr.Textbox(
            placeholder="Find in your chats", label="Find", show_label=False, max_lines=1, elem_id="find-chat"
        )
        notice = html_part("chats-notice")
        chats = html_part("chats", scripted=True)
        download = html_part("chat-download", script=HERE / "download.js")
    return ChatsTab(wanted, notice, chats, download)


def wire_chats_tab(tab: ChatsTab, beside: Beside, byline: Byline, selected: Any) -> None:  # noqa: ANN401
    """Connect the widgets to what they do; `selected` is the event upon which the list is drawn anew."""

    def listed(words: str | None, current: Current, request: gr.Request) -> str:
        return list_html(byline, visitor_from(request), current, words)

    gr.on(
        [selected, tab.wanted.change],
        listed,
        [tab.wanted, beside.ask.current],
        [tab.chats],
        queue=False,
        trigger_mode="always_last",
        **QUIET,
    )
    _wire_opening(tab, beside, byline)
    _wire_changing(tab, beside, byline)

    def on_export(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        visitor, chat_id = visitor_from(request), given(event, "id")
        files: list[str] = []

        def take(chats: Chats) -> None:
            chat = chats.open(str(chat_id))
            files.append(render_chat_download(chat, str(given(event, "form")), datetime.now(UTC)))

        notice = attempt(byline, visitor, chat_id, take)
        return (files[0] if files else gr.skip()), notice

    tab.chats.export_chat(on_export, None, [tab.download, tab.notice], queue=False, **QUIET)


def list_html(byline: Byline, visitor: str | None, current: Current, words: str | None) -> str:
    """Return the visitor's chats, or the one sentence that says why there are none to see."""
    if visitor is None:
        return UNKNOWN
    wanted = (words or "").strip()[:MAX_SEARCHED_CHARS]  # None until the tab is first shown
    chats = byline.chats.of(visitor)
    try:
        return render_chats(chats.search(wanted) if wanted else chats.all(), current.chat_id, wanted)
    except QAError as error:
        _LOG.error("Chats are not listed.", exc_info=error)
        return render_alert(NOT_READ)


def attempt(byline: Byline, visitor: str | None, chat_id: object, do: Callable[[Chats], None]) -> str:
    """Do something with a chat that a browser named; return the notice that says why not, empty when it was done."""
    if visitor is None or not is_chat_id(chat_id):
        return render_alert(GONE)
    try:
        do(byline.chats.of(visitor))
    except ChatNotFoundError:  # another visitor's is not there either
        return render_alert(GONE)
    except SettingsError as error:  # the title is blank
        return render_alert(str(error))
    except QAError as error:
        _LOG.error("A chat is not changed.", exc_info=error)
        return render_alert(NOT_CHANGED)
    return ""


def _wire_opening(tab: ChatsTab, beside: Beside, byline: Byline) -> None:
    ask, asking = beside.ask, beside.asking

    def on_open(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        shown = open_chat(byline, visitor_from(request), given(event, "id"))
        if shown.current.chat_id is None:
            return (*(gr.skip() for _ in shown_in(ask)), gr.skip(), render_alert(shown.sentence or GONE))
        return (*show(byline, shown, focus=True), gr.Tabs(selected="ask"), "")

    def on_new() -> tuple[Any, ...]:
        return (*show(byline, NOTHING, focus=True), gr.Tabs(selected="ask"), "")

    outputs = [*shown_in(ask), beside.tabs, tab.notice]
    tab.chats.open_chat(on_open, None, outputs, cancels=asking, queue=False, **QUIET)
    tab.chats.new_chat(on_new, None, outputs, cancels=asking, queue=False, **QUIET)


def _wire_changing(tab: ChatsTab, beside: Beside, byline: Byline) -> None:
    ask = beside.ask

    def on_rename(
        words: str | None,
        current: Current,
        turns: Turns,
        event: gr.EventData,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        visitor, chat_id, title = visitor_from(request), given(event, "id"), str(given(event, "title") or "")
        notice = attempt(byline, visitor, chat_id, lambda chats: chats.rename(str(chat_id), title))
        after = current
        if not notice and chat_id == current.chat_id and visitor is not None:
            after = Current(current.chat_id, byline.chats.of(visitor).open(str(chat_id)).title)
        return notice, list_html(byline, visitor, after, words), after, render_bar(Shown(after, turns))

    def on_delete(words: str | None, current: Current, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        visitor, chat_id = visitor_from(request), given(event, "id")
        notice = attempt(byline, visitor, chat_id, lambda chats: chats.delete(str(chat_id)))
        is_shown = not notice and chat_id == current.chat_id
        left = show(byline, NOTHING) if is_shown else tuple(gr.skip() for _ in shown_in(ask))
        after = Current() if is_shown else current
        return notice, list_html(byline, visitor, after, words), *left

    given_ = [tab.wanted, ask.current]
    tab.chats.rename_chat(
        on_rename, [*given_, ask.turns], [tab.notice, tab.chats, ask.current, ask.bar], queue=False, **QUIET
    )
    tab.chats.delete_chat(on_delete, given_, [tab.notice, tab.chats, *shown_in(ask)], queue=False, **QUIET)
