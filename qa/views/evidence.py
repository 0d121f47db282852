"""The evidence beside the chat: the article behind a citation, its sentence highlighted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.errors import ArticleNotFoundError
from qa.render_article import render_article
from qa.safe_text import escape
from qa.source_check import check_source, nearest_sentence
from qa.types import Citation
from qa.views.recalled import CHANGED, REMOVED, render_change, render_changed_article

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corpus.types import Article
    from qa.byline import Byline
    from qa.views.chat import Turn, Turns

NOTHING_OPEN = (
    '<section class="blank"><h2>Evidence</h2>'
    "<p>Choose the number after a sentence: its article opens here, at that very sentence.</p>"
    '<p class="keys"><kbd>Alt</kbd> <kbd>↓</kbd> opens the next citation,'
    " <kbd>Alt</kbd> <kbd>↑</kbd> the one before.</p></section>"
)
OLD_BELOW = "Below is the text that was quoted; ask again to read the new one."
NEW_BELOW = "Below is the article as it is now."
RETURNED = "This article was removed from the library and has come back since. Reload the page to see it."
FORGOTTEN = "This answer is no longer at hand. Ask the question again to see its evidence."


def open_citation(byline: Byline, turns: Turns, turn_number: int, n: int, opened: int) -> str:
    """Return the viewer's HTML for citation `n` of a turn, or a notice when it can no longer be shown.

    Args:
        byline: Asked whether the article is still there and still the same.
        turns: The visitor's own chat.
        turn_number: Which of its turns.
        n: The citation's number in that turn's answer.
        opened: Goes up with every click, so that the page notices when the same citation is opened again.

    Raises:
        BrokenCitationError: If the citation does not slice back to its quote.
    """
    turn = next((turn for turn in turns if turn.number == turn_number), None)
    citations = _citations(turn)
    chosen = next((citation for citation in citations if citation.n == n), None)
    bar = _render_bar(_numbers(turn, citations), n, turn_number)
    if chosen is None:
        return _render_stale(byline, turn, n, bar, opened)
    # The cited version is shown even when there is a newer one: only in it are the spans known to be right.
    article = chosen.article
    marked = [each for each in citations if (each.article.id, each.article.version) == (article.id, article.version)]
    return _render_open(byline, bar, article, marked, chosen.n, opened)


def open_passage(byline: Byline, turns: Turns, turn_number: int, rank: int, opened: int) -> str:
    """Return the viewer's HTML for the passage that a turn's answer ranks at `rank`, whether cited or not."""
    answer = next((turn.answer for turn in turns if turn.number == turn_number), None)
    hit = next((hit for hit in answer.hits if hit.rank == rank), None) if answer else None
    if hit is None:
        return render_notice(FORGOTTEN, opened)
    passage = Citation(1, hit.article, hit.passage.id, hit.passage.span, hit.passage.text)
    bar = (
        f'<nav class="bar" aria-label="Passage" data-turn="{turn_number}" data-rank="{rank}">'
        f'<h2 tabindex="-1">Passage {rank}, as ranked by the reader</h2>{_CLOSE}</nav>'
    )
    return _render_open(byline, bar, hit.article, [passage], 1, opened)


def _render_open(
    byline: Byline, bar: str, article: Article, marked: Sequence[Citation], active: int, opened: int
) -> str:
    try:
        current = byline.article(article.id)
    except ArticleNotFoundError:
        return bar + render_notice(REMOVED, opened)
    paper = render_article(article, marked, active)
    change = render_notice("", opened)
    if current.version != article.version:
        quote = next(each.quote for each in marked if each.n == active)
        change = render_notice(f"{CHANGED} {OLD_BELOW}", opened) + _changed(quote, current)
    return bar + _render_tools(article) + change + _render_scroll(paper)


def _render_stale(byline: Byline, turn: Turn | None, n: int, bar: str, opened: int) -> str:
    """Return what became of a citation whose sentence stands no longer where it stood."""
    rows = turn.recalled.shown["citations"] if turn and turn.recalled else ()
    row = next((row for row in rows if row["n"] == n), None)
    if row is None:
        return render_notice(FORGOTTEN, opened)
    try:
        article = byline.article(row["article_id"])
    except ArticleNotFoundError:
        return bar + render_notice(REMOVED, opened)
    if not row["quote"]:  # it came back after its words had been withheld; only a fresh look may show them
        return bar + render_notice(RETURNED, opened)
    difference, paper = render_changed_article(row, check_source(row, article), article)
    return (
        bar
        + _render_tools(article)
        + render_notice(f"{CHANGED} {NEW_BELOW}", opened)
        + difference
        + _render_scroll(paper)
    )


def _changed(quote: str, current: Article) -> str:
    """Return how the quoted sentence reads now; nothing when it still stands there, word for word."""
    if quote in current.text:
        return ""
    now = nearest_sentence(quote, current.text)
    return render_change(quote, now.slice(current.text) if now else None)


def _render_scroll(paper: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Article">{paper}</div>'


def _render_tools(article: Article) -> str:
    return (
        '<div class="tools"><label><span class="unseen">Find in this article</span>'
        '<input type="search" class="find" placeholder="Find in this article"></label>'
        '<span class="found" role="status"></span>'
        f'<button type="button" class="only" data-id="{escape(article.id)}">Ask about this article</button></div>'
    )


def render_notice(sentence: str, opened: int) -> str:
    """Return one sentence in place of, or above, the article; hidden when it is empty."""
    return f'<p class="notice" role="status" data-opened="{opened}">{escape(sentence)}</p>'


def _citations(turn: Turn | None) -> Sequence[Citation]:
    if turn is None:
        return ()
    return turn.answer.citations if turn.answer else turn.citations


def _numbers(turn: Turn | None, citations: Sequence[Citation]) -> list[int]:
    """Return the numbers that the bar steps through, those of sources that stand no longer among them."""
    if turn is not None and turn.recalled:
        return [row["n"] for row in turn.recalled.shown["citations"]]
    return [citation.n for citation in citations]


def _render_bar(numbers: Sequence[int], chosen: int, turn_number: int) -> str:
    if chosen not in numbers:
        return ""
    place = numbers.index(chosen)
    before = numbers[place - 1] if place else None
    after = numbers[place + 1] if place + 1 < len(numbers) else None
    return (
        f'<nav class="bar" aria-label="Citations of this answer" data-turn="{turn_number}" data-n="{chosen}">'
        f'<h2 tabindex="-1">Citation {place + 1} of {len(numbers)}</h2>'
        f"{_render_step('‹', 'Previous citation', before, turn_number)}"
        f"{_render_step('›', 'Next citation', after, turn_number)}"
        f"{_CLOSE}</nav>"
    )


def _render_step(sign: str, label: str, n: int | None, turn_number: int) -> str:
    target = "disabled" if n is None else f'data-turn="{turn_number}" data-n="{n}"'
    key = "ArrowDown" if label.startswith("Next") else "ArrowUp"
    return (
        f'<button type="button" class="step" aria-label="{label}" aria-keyshortcuts="Alt+{key}"'
        f' title="{label} (Alt {"↓" if key == "ArrowDown" else "↑"})" {target}>{sign}</button>'
    )


_CLOSE = '<button type="button" class="close" aria-label="Close the evidence">Close</button>'
