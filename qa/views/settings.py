"""The settings tab: what this page was started with, how each is changed, and what leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.safe_text import escape

if TYPE_CHECKING:
    from qa.settings import Settings

HERE_ALONE = "Nothing leaves this machine: articles, questions and answers are read and kept on it alone."
SENT = "Each question and the passages found for it are sent to the model that the setting “reader” names."
TIMED = "How long each question took, and counts, are sent to the collector of traces that is set; none of its words."
TOLD = "Each question, its answer and how long it took are sent to the collector of traces that is set."
MEANINGS = {  # not the library's folder: a visitor from elsewhere has no need to know places on this machine
    "reader": "What turns passages into answers",
    "strictness": "How sure the reader must be before it answers rather than declines",
    "k": "Passages that an answer shows",
    "chunk_tokens": "Longest passage, in tokens",
    "encoder": "What compares meanings",
    "max_question_chars": "Longest question, in characters",
}


def render_settings(settings: Settings) -> str:
    """Return the settings that shape answers, with the variable that changes each."""
    leaves = _what_leaves(settings)
    rows = "".join(
        f'<tr><th scope="row">{meaning}</th><td><code>{escape(str(getattr(settings, name)))}</code></td>'
        f"<td><code>BYLINE_{name.upper()}</code></td></tr>"
        for name, meaning in MEANINGS.items()
    )
    return (
        f'<section class="settings"><h2>What leaves this machine</h2><p>{leaves}</p><h2>How it is set</h2>'
        "<p>These hold for everybody who uses this page. Change one by its variable, and start the page again.</p>"
        '<table><thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Variable</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></section>"
    )


def _what_leaves(settings: Settings) -> str:
    to_model = "" if settings.reader == "extractive" else SENT
    if settings.trace_endpoint is None:
        return to_model or HERE_ALONE
    return f"{to_model} {TOLD if settings.trace_texts else TIMED}".strip()
