"""Passages that were read and are not cited -> HTML a person can open them from; pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from index.types import Hit
from qa.safe_text import clipped, escape, origin_line
from qa.types import Answer, flat

EXCERPT_CHARS = 240  # about three lines beside the chat


def render_consulted(answer: Answer, turn: int) -> str:
    """Return what the reader read and did not cite, folded away; empty when it cited everything."""
    cited = {citation.passage_id for citation in answer.citations}
    rest = [hit for hit in answer.hits if hit.passage.id not in cited]
    if not rest:
        return ""
    n_articles = len({hit.article.id for hit in rest})
    passages = "1 passage" if len(rest) == 1 else f"{len(rest)} passages"
    articles = "1 article" if n_articles == 1 else f"{n_articles} articles"
    return (
        f'<details class="consulted" data-keep="consulted-{turn}">'
        f"<summary>Read but not cited: {passages} of {articles}</summary>{render_passages(rest, turn)}</details>"
    )


def render_passages(hits: Sequence[Hit], turn: int) -> str:
    """Return passages as a list, each with a button that opens its article there; empty without hits."""
    items = "".join(_render_passage(hit, turn) for hit in hits)
    return f'<ol class="passages">{items}</ol>' if items else ""


def _render_passage(hit: Hit, turn: int) -> str:
    where = escape(" · ".join((flat(hit.article.title), *origin_line(hit.article))))
    excerpt = escape(clipped(hit.passage.text, EXCERPT_CHARS))
    return (
        f'<li dir="auto"><button type="button" class="passage where" data-turn="{turn}" data-rank="{hit.rank}">'
        f"{where}</button><q>{excerpt}</q></li>"
    )
