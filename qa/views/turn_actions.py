"""What can be done with an answer, as HTML: copy, ask again, edit, take its evidence away, keep it as a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.render_copy import render_copy
from qa.safe_text import escape
from qa.small_talk import is_small_talk

if TYPE_CHECKING:
    from qa.types import Answer
    from qa.views.chat import Turn

PACK_NAMES = {"html": "Web page", "md": "Markdown", "json": "JSON"}


def render_actions(turn: Turn, answer: Answer, *, is_last: bool) -> str:
    """Return the row of buttons under a finished answer; only the last answer can be asked for again.

    A greeting has no evidence to take away and is no case to test by.
    """
    copied = escape(render_copy(answer))
    again = _button("again", "Ask again", turn.number) if is_last else ""
    proof = "" if is_small_talk(turn.question) else _render_packs(turn.number) + _render_keep(turn)
    return (
        '<div class="actions" role="group" aria-label="What to do with this answer">'
        f'<button type="button" class="copy" data-copy="{copied}">Copy</button>{again}'
        f"{_button('edit', 'Edit question', turn.number)}{proof}</div>"
    )


def render_unfinished(turn: Turn) -> str:
    """Return what can be done with a question that was stopped or failed."""
    return f'<div class="actions">{_button("again", "Ask again", turn.number)}</div>'


def render_unproven(turn: Turn, *, is_last: bool) -> str:
    """Return what can be done with a stored answer that can no longer be shown as it was given."""
    again = _button("again", "Ask again", turn.number) if is_last else ""
    return f'<div class="actions">{again}{_button("edit", "Edit question", turn.number)}</div>'


def render_branches(turn: Turn) -> str:
    """Return the way to what else was asked or answered at this place of the chat; empty when nothing was."""
    if turn.place is None or len(turn.place.branches) < 2:
        return ""
    branches, here = turn.place.branches, turn.place.branches.index(turn.place.turn_id)
    before = branches[here - 1] if here else None
    after = branches[here + 1] if here + 1 < len(branches) else None
    return (
        '<p class="branches" role="group" aria-label="Versions of this question">'
        f"{_branch('‹', 'Former version', before)}<span>{here + 1} of {len(branches)}</span>"
        f"{_branch('›', 'Later version', after)}</p>"
    )


def render_suggestions(turn_number: int, questions: Sequence[str]) -> str:
    """Return the questions that an answer invites as buttons; empty when there are none."""
    if not questions:
        return ""
    items = "".join(
        f'<li><button type="button" class="example">{escape(question)}</button></li>' for question in questions
    )
    return (
        f'<nav class="suggested" data-turn="{turn_number}" aria-label="Questions that these articles answer">'
        f"<span>Ask next</span><ul>{items}</ul></nav>"
    )


def _render_packs(number: int) -> str:
    packs = "".join(
        f'<button type="button" class="pack" data-turn="{number}" data-form="{form}">{name}</button>'
        for form, name in PACK_NAMES.items()
    )
    return (
        f'<details class="packs" data-keep="packs-{number}"><summary>Evidence pack</summary>'
        f"<p>One file with the answer, its quotes and the articles’ text; it checks itself.</p><div>{packs}</div>"
        "</details>"
    )


def _button(kind: str, label: str, number: int) -> str:
    return f'<button type="button" class="{kind}" data-turn="{number}">{label}</button>'


def _branch(sign: str, label: str, turn_id: str | None) -> str:
    target = "disabled" if turn_id is None else f'data-to="{turn_id}"'
    return f'<button type="button" class="branch" aria-label="{label}" title="{label}" {target}>{sign}</button>'


def _render_keep(turn: Turn) -> str:
    buttons = "".join(
        f'<button type="button" class="keep" data-turn="{turn.number}" data-verdict="{verdict}"'
        f' aria-pressed="{"true" if turn.kept == verdict else "false"}">{verdict.capitalize()}</button>'
        for verdict in ("right", "wrong")
    )
    said = "Kept as a case to test by." if turn.kept else "Keep as a case to test by:"
    return f'<p class="keeping" role="group" aria-label="Keep this answer as a case"><span>{said}</span>{buttons}</p>'
