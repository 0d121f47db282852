"""The page: its tabs, and what is drawn anew when one is shown. No state but each visitor's own `gr.State`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from qa.views.ask_tab import lay_out_ask_tab, wire_ask_about, wire_ask_tab
from qa.views.chats_tab import Beside, lay_out_chats_tab, wire_chats_tab
from qa.views.current_chat import wire_current_chat, wire_return
from qa.views.extra_tab import place_extra_tab
from qa.views.inspector import render_inspector
from qa.views.library_tab import lay_out_library_tab, wire_library_tab
from qa.views.settings_tab import lay_out_settings_tab, wire_settings_tab
from qa.views.widgets import HERE, QUIET, html_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.extra_tab import ExtraTab
    from qa.service import Service

STYLES = (HERE / "style.css", HERE / "chats.css")
AT_ONCE = 8  # of anything but questions: Gradio's default of 1 lets one slow upload hold everybody up
SPARE_SLOTS = 40  # Gradio's usual number, for what the pool refuses and for what is no question
SESSIONS = 1_000  # open pages whose chats are in memory, some 0.3 MB each and 3 at most; the library keeps the others
WAITING_EVENTS = 500  # in front of Gradio's slots, each with a body of up to 1 MB; the next one is refused
EVERY_S, UNUSED_S = 3_600, 86_400  # an uploaded file that nobody added within a day is deleted, looked for every hour
HEADER = (
    '<header class="masthead"><h1>Byline</h1><p>Answers from your articles, every sentence with its proof.</p></header>'
)


def build_page(service: Service, extra: Sequence[ExtraTab] = ()) -> gr.Blocks:
    """Return the page over an open library; serving it is the caller's business.

    Args:
        service: Over the open library.
        extra: Tabs that packages downstream bring.
    """
    byline, limits = service.byline, service.pool.limits
    page = gr.Blocks(title="Byline", analytics_enabled=False, fill_width=True, delete_cache=(EVERY_S, UNUSED_S))
    with page:
        html_part("masthead", HEADER)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Ask", id="ask") as ask:
                ask_tab = lay_out_ask_tab(byline)
            with gr.Tab("Chats", id="chats") as chats:
                chats_tab = lay_out_chats_tab()
            with gr.Tab("Library", id="library") as library:
                library_tab = lay_out_library_tab(byline)
            with gr.Tab("Inspector", id="inspector") as inspector:
                inspected = html_part("inspector", render_inspector(None))
            for each in extra:
                place_extra_tab(each)
            with gr.Tab("Settings", id="settings"):
                settings_part = lay_out_settings_tab(byline)
        asking = wire_ask_tab(ask_tab, service)
        wire_current_chat(ask_tab, byline, asking)
        wire_chats_tab(chats_tab, Beside(ask_tab, tabs, asking), byline, chats.select)
        wire_library_tab(library_tab, service, [page.load, library.select])
        wire_settings_tab(settings_part, ask_tab.choice, byline)
        wire_ask_about(ask_tab, library_tab.table, byline)
        wire_return(ask_tab, ask, byline)
        inspector.select(
            lambda turns: render_inspector(turns[-1].answer if turns else None),
            [ask_tab.turns],
            [inspected],
            queue=False,
            **QUIET,
        )
    # A question holds a slot while it waits in the pool: with fewer slots they would wait before it, in no fair order.
    page.state_session_capacity = SESSIONS  # Gradio's own 10,000 would be 30 GB
    page.max_threads = limits.workers + limits.queue + SPARE_SLOTS
    page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING_EVENTS)
    return page
