"""A file for the visitor to keep, handed to the page as text: nothing is written on the server for it."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from qa.chat_export import make_chat_pack, write_chat
from qa.evidence_pack import write_pack
from qa.safe_text import escape

if TYPE_CHECKING:
    from qa.chats import Chat
    from qa.evidence_pack import Form
    from qa.types import Answer

_TYPES: dict[Form, str] = {"html": "text/html", "md": "text/markdown", "json": "application/json"}
NAME_CHARS = 60


def render_download(answer: Answer, form: str, opened: int, made: datetime) -> str:
    """Return an element that holds a pack of evidence as JSON text for the page's script to save.

    Args:
        answer: What the pack proves.
        form: `html`, `md` or `json`; anything else becomes `html`.
        opened: Goes up with every click, so that the same file can be saved twice.
        made: When.
    """
    wanted = _form(form)
    return _file(file_name(answer.question, wanted), wanted, write_pack(answer, wanted, made), opened)


def render_chat_download(chat: Chat, form: str, made: datetime) -> str:
    """Return an element that holds a whole chat as a file, along the branch that is open; see `render_download`."""
    wanted = _form(form)
    pack = make_chat_pack(chat.title, [(turn, chat.check(turn)) for turn in chat.turns()], made)
    return _file(file_name(chat.title, wanted), wanted, write_chat(pack, wanted), time.monotonic_ns())


def file_name(question: str, form: Form) -> str:
    """Return e.g. `byline-who-was-there.html`: letters and digits of the question alone."""
    words = re.sub(r"[^a-z0-9]+", "-", question.casefold()).strip("-")[:NAME_CHARS].strip("-")
    return f"byline-{words or 'answer'}.{form}"


def _form(given: str) -> Form:
    return next((known for known in _TYPES if known == given), "html")


def _file(name: str, form: Form, content: str, opened: int) -> str:
    return (
        f'<span class="file" hidden data-opened="{opened}" data-name="{name}"'
        f' data-type="{_TYPES[form]}">{escape(content)}</span>'
    )
