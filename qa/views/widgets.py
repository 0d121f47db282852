"""What the tabs of the page share: an HTML part with its script, a sentence of alarm, and quiet events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from qa.safe_text import escape

HERE = Path(__file__).parent
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def html_part(name: str, value: str = "", *, scripted: bool = False, script: Path | None = None) -> gr.HTML:
    """Return a part of the page with the id `name`; its script is the file `name.js` here, or the one given."""
    # Only `${value}`, Gradio's default template, may carry text from articles: what comes in by another name is
    # compiled as a template, and so could run.
    path = HERE / f"{name}.js" if scripted else script
    code = path.read_text(encoding="utf-8") if path else None
    return gr.HTML(value, js_on_load=code, elem_id=name, elem_classes="byline", apply_default_css=False)


def given_texts(event: gr.EventData, names: Sequence[str]) -> dict[str, str]:
    """Return the fields that came with an event; anybody may send anything, so all else is passed over."""
    given = {name: getattr(event, name, None) for name in names}
    return {name: value for name, value in given.items() if isinstance(value, str)}


def render_alert(sentence: str) -> str:
    """Return one sentence that is read out at once."""
    return f'<p class="notice" role="alert">{escape(sentence)}</p>'
