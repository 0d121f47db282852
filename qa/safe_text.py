"""Text from articles, models and visitors -> text that is safe to put on a screen; pure functions."""

from __future__ import annotations

import html
import re
from datetime import date
from urllib.parse import urlsplit

from corpus.types import Article
from qa.types import flat

# Control characters move a terminal's cursor and bidirectional overrides reorder what a person reads, so both can
# make a quote look like another one. Right-to-left and left-to-right marks stay: Arabic and Hebrew text needs them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be written as UTF-8
_IN_A_LINK = re.compile(r"[\s<>\"'`\\]|[^\x21-\x7e]")  # none of these belongs in an address; browsers guess at them
_LINKED = ("http", "https")


def neutralise(text: str) -> str:
    """Drop control and bidirectional-override characters, keeping tabs and line ends; the rest is unchanged."""
    return _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))


def escape(text: str) -> str:
    """Return `text` neutralised and escaped for HTML text and quoted attributes."""
    return html.escape(neutralise(text), quote=True)


def clipped(text: str, n_chars: int) -> str:
    """Return `text` on one line, cut at a word near `n_chars` characters, with an ellipsis when it was cut."""
    line = flat(text)
    if len(line) <= n_chars:
        return line
    head = line[:n_chars]
    return (head[: head.rfind(" ")] if " " in head[n_chars // 2 :] else head).rstrip(" ,;:.") + "…"


def link(url: str | None, label: str) -> str:
    """Return an HTML link that tells its target nothing, or only the label when `url` is not plain http(s)."""
    if url is None or not is_web_address(url):
        return escape(label)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(label)}</a>'


def is_web_address(url: str) -> bool:
    """Say whether `url` is an http or https address without user name, blanks or unprintable characters."""
    if _IN_A_LINK.search(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in _LINKED and bool(host) and "@" not in parts.netloc


def written_date(day: date) -> str:
    """Return e.g. `6 May 2025`, the same in every locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def origin_line(article: Article) -> tuple[str, ...]:
    """Return what is known of where an article comes from: outlet and date, each only when known."""
    outlet = (flat(neutralise(article.source)),) if article.source else ()
    day = (written_date(article.published),) if article.published else ()
    return tuple(part for part in outlet + day if part)


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
