"""Which articles a visitor's questions are asked of: outlet, dates, one article; the fields beside the question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from corpus.draft import MAX_ID_CHARS
from index.types import Filters
from qa.safe_text import clipped, escape, neutralise, written_date

if TYPE_CHECKING:
    from index.types import ArticleInfo

EVERYTHING = Filters()
MAX_OFFERED = 300  # a longer list is not looked through; the Library tab finds the rest
LABEL_CHARS = 70
MAX_NAME_CHARS = 500  # of an outlet, as over HTTP: what a visitor sends is kept with each turn


class UnusableFilterError(ValueError):
    """What a visitor chose cannot be searched for; the message is one sentence for them."""


def make_filters(outlet: str, since: str, until: str, article_id: str) -> Filters:
    """Return the filters that the fields say; empty fields do not restrict.

    Raises:
        UnusableFilterError: If a date is none, or the range is empty.
    """
    if len(outlet) > MAX_NAME_CHARS or len(article_id) > MAX_ID_CHARS or not all(map(_is_plain, (outlet, article_id))):
        raise UnusableFilterError("No outlet or article of this library is called that. Choose one from the list.")
    first, last = _day(since), _day(until)
    if first and last and first > last:
        raise UnusableFilterError(f"No article can be from {since} or later and from {until} or earlier.")
    return Filters((outlet,) if outlet else (), first, last, (article_id,) if article_id else ())


def in_words(filters: Filters, infos: Sequence[ArticleInfo]) -> str:
    """Return e.g. `The Daily, since 6 May 2025`; empty when nothing is restricted."""
    titles = {info.id: info.title for info in infos} if filters.article_ids else {}
    parts = [f"“{clipped(titles.get(id_, id_), LABEL_CHARS)}”" for id_ in filters.article_ids]
    parts += filters.outlets
    parts += [f"since {written_date(filters.since)}"] if filters.since else []
    parts += [f"until {written_date(filters.until)}"] if filters.until else []
    return ", ".join(parts)


def render_filters(infos: Sequence[ArticleInfo], filters: Filters) -> str:
    """Return the fields, folded away behind one line that says what is searched."""
    outlets = sorted({info.source for info in infos if info.source}, key=str.casefold)
    chosen_outlet = filters.outlets[0] if filters.outlets else ""
    chosen_article = filters.article_ids[0] if filters.article_ids else ""
    words = in_words(filters, infos)
    clear = '<button type="button" class="clear">Search all articles</button>' if filters else ""
    said = f"Searching only {escape(words)}" if words else "Searching all articles"
    return (
        f'<div class="searching"><details class="filters" data-keep="filters"><summary dir="auto">{said}</summary>'
        f'<div class="fields">'
        f"{_select('outlet', 'Outlet', 'Any outlet', [(outlet, outlet) for outlet in outlets], chosen_outlet)}"
        f"{_date('since', 'From', filters.since)}{_date('until', 'To', filters.until)}"
        f"{_select('article', 'Article', 'Any article', _titles(infos, chosen_article), chosen_article)}"
        f"</div></details>{clear}</div>"
    )


def _titles(infos: Sequence[ArticleInfo], chosen: str) -> list[tuple[str, str]]:
    newest = sorted(infos, key=lambda info: (info.published or date.min, info.title), reverse=True)
    offered = newest[:MAX_OFFERED] + [info for info in newest[MAX_OFFERED:] if info.id == chosen]
    return [(info.id, clipped(info.title, LABEL_CHARS)) for info in offered]


def _select(name: str, label: str, nothing: str, choices: Sequence[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value.casefold() == chosen.casefold() else ""}>'
        f"{escape(words)}</option>"
        for value, words in choices
    )
    first = f'<option value="">{nothing}</option>'
    return f'<label><span>{label}</span><select name="{name}">{first}{options}</select></label>'


def _date(name: str, label: str, day: date | None) -> str:
    value = day.isoformat() if day else ""
    return f'<label><span>{label}</span><input type="date" name="{name}" value="{value}"></label>'


def _is_plain(name: str) -> bool:
    return neutralise(name) == name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UnusableFilterError(f"{text!r} is not a day. Write it as 2025-05-06.") from error
