"""The place on the page for a tab that a package downstream brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from qa.extra_tab import ExtraTab
from qa.views.widgets import QUIET, given_texts, html_part


def place_extra_tab(extra: ExtraTab) -> None:
    """Lay the tab out and connect it; nothing of it is made until it is first shown."""
    with gr.Tab(extra.title, id=extra.name) as tab:
        chosen = gr.State({})
        part = html_part(extra.name, script=extra.script)

    def on_choose(event: gr.EventData) -> tuple[Mapping[str, str], str]:
        fields = given_texts(event, extra.fields)
        return fields, extra.render(fields)

    # One at a time: comparing two long runs takes the processor for seconds, and answers come first.
    once: dict[str, Any] = {**QUIET, "concurrency_limit": 1, "concurrency_id": extra.name}
    tab.select(extra.render, [chosen], [part], **once)
    part.choose(on_choose, None, [chosen, part], **once)
