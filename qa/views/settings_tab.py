"""The tab in which a visitor chooses how their own questions are answered: its widgets and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from corpus.errors import SettingsError
from qa.choice import Choice
from qa.views.settings import make_choice, render_settings
from qa.views.widgets import QUIET, given_texts, html_part

if TYPE_CHECKING:
    from qa.byline import Byline


def lay_out_settings_tab(byline: Byline) -> gr.HTML:
    """Place the part that holds everything."""
    return html_part("settings", render_settings(byline.settings, byline.readers), scripted=True)


def wire_settings_tab(part: gr.HTML, choice: gr.State, byline: Byline) -> None:
    """Let the fields change `choice`, which is each visitor's own."""

    def on_choose(before: Choice, event: gr.EventData) -> tuple[Any, str]:
        fields = given_texts(event, ("k", "strictness", "reader"))
        try:
            chosen = make_choice(fields, byline.settings, byline.readers)
        except SettingsError as error:
            shown = render_settings(byline.settings, byline.readers, before, typed=fields, refusal=str(error))
            return gr.skip(), shown
        return chosen, render_settings(byline.settings, byline.readers, chosen)

    part.choose(on_choose, [choice], [choice, part], queue=False, **QUIET)
