"""A stored answer whose sources no longer all stand, on the page: what may be shown, and what became of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from qa.render import CHIP_CHARS, DIFFER, QUOTE_CHARS, render_chip
from qa.render_article import render_article
from qa.safe_text import clipped, escape, written_date
from qa.source_check import CheckedSource, SourceState, word_changes
from qa.stored_answer import NOT_SHOWN
from qa.types import Citation, Support, flat

if TYPE_CHECKING:
    from corpus.types import Article
    from qa.stored_answer import Recalled

REMOVED = "This article has been removed from the library since the question was answered, so it is no longer shown."
CHANGED = "This article has changed since the question was answered."
UNLIKE = "No sentence of the article is like the one that was quoted."
_DONE = {
    SourceState.CHANGED: ("has changed", "have changed"),
    SourceState.REMOVED: ("has been removed", "have been removed"),
}
_TAGS = {"-": ("<del>", "</del>"), "+": ("<ins>", "</ins>"), "=": ("", "")}


def render_recalled(recalled: Recalled, turn: int) -> str:
    """Return a stored answer as HTML; the chips of its sources lead to the article, or say what became of it."""
    shown = recalled.shown
    notes = [f"Read as: {shown['standalone_question']}"] if shown["standalone_question"] else []
    html = "".join(f'<p class="note" dir="auto">{escape(note)}</p>' for note in notes)
    html += render_summary(recalled.sources)
    if shown["short_answer"]:
        html += f'<p class="short" dir="auto">{escape(flat(shown["short_answer"]))}</p>'
    about = [f"{DIFFER}: {flat(each['about'])}" for each in shown["disagreements"]]
    html += "".join(f'<p class="note" dir="auto">{escape(note)}</p>' for note in about)
    return html + "".join(_render_statement(each, recalled, turn) for each in shown["statements"])


def render_summary(sources: Sequence[CheckedSource]) -> str:
    """Return one sentence on how many sources of a stored answer changed or went, as HTML; empty when all stand."""
    counts = ((state, sum(each.state is state for each in sources)) for state in _DONE)
    said = [f"{n} of its sources {_DONE[state][0 if n == 1 else 1]}" for state, n in counts if n]
    if not said:
        return ""
    return f'<p class="note since">Since this was answered, {" and ".join(said)}. Choose a number to see.</p>'


def render_change(quote: str, now: str | None) -> str:
    """Return what was quoted beside what the article says now, as HTML; without `now` nothing is like it any more."""
    if now is None:
        return (
            f'<div class="change"><h3>Quoted then</h3><p dir="auto">{escape(flat(quote))}</p>'
            f"<p>{escape(UNLIKE)}</p></div>"
        )
    words = []
    for kind, run in word_changes(quote, now):
        before, after = _TAGS[kind]
        words.append(f"{before}{escape(run)}{after}")
    return f'<div class="change"><h3>What has changed</h3><p dir="auto">{" ".join(words)}</p></div>'


def render_changed_article(row: Mapping[str, Any], source: CheckedSource, article: Article) -> tuple[str, str]:
    """Return the difference, and the article of now with the sentence that has taken the place of the quoted one."""
    if source.now is None:
        return render_change(row["quote"], None), render_article(article)
    now = Citation(row["n"], article, row["passage_id"], source.now, source.now.slice(article.text))
    return render_change(row["quote"], now.quote), render_article(article, [now], now.n)


def _render_statement(statement: Mapping[str, Any], recalled: Recalled, turn: int) -> str:
    support = Support(statement["support"])
    standing = {citation.n: citation for citation in recalled.citations}
    rows = {row["n"]: row for row in recalled.shown["citations"]}
    states = {source.n: source.state for source in recalled.sources}
    chips = "".join(
        " "
        + (render_chip(standing[n], turn, support) if n in standing else _render_stale_chip(rows[n], states[n], turn))
        for n in statement["citations"]
    )
    kind = " gone" if statement["text"] == NOT_SHOWN else ""
    words = escape(flat(statement["text"]))
    if support is Support.UNSUPPORTED:
        words = f"<s>{words}</s>"
    return f'<p class="statement{kind}" dir="auto">{words}{chips}</p>'


def _render_stale_chip(row: Mapping[str, Any], state: SourceState, turn: int) -> str:
    known = [flat(row["source"])] if row["source"] else []
    known += [written_date(date.fromisoformat(row["published"]))] if row["published"] else []
    where = " · ".join(known if len(known) > 1 else (*known, flat(row["title"])))
    label = f"Citation {row['n']}, {state.value}: {where}. See what became of it."
    quote = clipped(row["quote"], QUOTE_CHARS) if row["quote"] else REMOVED
    return (
        f'<button type="button" class="chip stale" data-turn="{turn}" data-n="{row["n"]}" aria-label="{escape(label)}"'
        f' data-quote="{escape(quote)}"><b>{row["n"]}</b> <bdi>{escape(clipped(where, CHIP_CHARS))}</bdi>'
        f' <span class="state">{state.value}</span></button>'
    )
