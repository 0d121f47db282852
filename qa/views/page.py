"""The page: its tabs, and what is drawn anew when one is shown. No state but each visitor's own `gr.State`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from qa.views.ask_tab import chat_html, filters_html, lay_out_ask_tab, wire_ask_about, wire_ask_tab
from qa.views.extra_tab import place_extra_tab
from qa.views.inspector import render_inspector
from qa.views.library_tab import lay_out_library_tab, wire_library_tab
from qa.views.settings_tab import lay_out_settings_tab, wire_settings_tab
from qa.views.widgets import HERE, QUIET, html_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.byline import Byline
    from qa.extra_tab import ExtraTab

STYLE = HERE / "style.css"
ASKING_AT_ONCE = 8  # Gradio's default of 1 lets one slow answer hold everybody up; two cores gain nothing from more
HEADER = (
    '<header class="masthead"><h1>Byline</h1><p>Answers from your articles, every sentence with its proof.</p></header>'
)


def build_page(byline: Byline, extra: Sequence[ExtraTab] = ()) -> gr.Blocks:
    """Return the page over an open library; serving it is the caller's business.

    Args:
        byline: The open library.
        extra: Tabs that packages downstream bring.
    """
    page = gr.Blocks(title="Byline", analytics_enabled=False, fill_width=True)
    with page:
        html_part("masthead", HEADER)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Ask", id="ask") as ask:
                ask_tab = lay_out_ask_tab(byline)
            with gr.Tab("Library", id="library") as library:
                library_tab = lay_out_library_tab(byline)
            with gr.Tab("Inspector", id="inspector") as inspector:
                inspected = html_part("inspector", render_inspector(None))
            for each in extra:
                place_extra_tab(each)
            with gr.Tab("Settings", id="settings"):
                settings_part = lay_out_settings_tab(byline)
        wire_ask_tab(ask_tab, byline)
        wire_library_tab(library_tab, byline, [page.load, library.select])
        wire_settings_tab(settings_part, ask_tab.choice, byline)
        wire_ask_about(ask_tab, library_tab.table, byline)
        gr.on(
            [page.load, ask.select],
            lambda turns, filters: (chat_html(byline, turns), filters_html(byline, filters)),
            [ask_tab.turns, ask_tab.filters],
            [ask_tab.chat, ask_tab.searching],
            queue=False,
            **QUIET,
        )
        inspector.select(
            lambda turns: render_inspector(turns[-1].answer if turns else None),
            [ask_tab.turns],
            [inspected],
            queue=False,
            **QUIET,
        )
    page.queue(default_concurrency_limit=ASKING_AT_ONCE)
    return page
