"""What a page says about its article in JSON-LD, the block that search engines read."""

import json
from collections.abc import Iterator, Mapping

from lxml.html import HtmlElement  # type: ignore[import-untyped]

_ARTICLE_TYPES = ("article", "posting", "report", "review", "webpage", "creativework")
_NESTING_KEYS = ("@graph", "mainEntity", "mainEntityOfPage")
_MAX_DEPTH = 12  # real pages nest three or four deep


def json_ld_articles(tree: HtmlElement) -> list[Mapping[str, object]]:
    """Return the objects of the page that describe an article or a page, in page order; bad JSON is passed over."""
    found: list[Mapping[str, object]] = []
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "").lower():
            try:
                found += _articles_in(json.loads(script.text or ""), 0)
            except (ValueError, RecursionError):
                continue
    return found


def article_body(tree: HtmlElement) -> str:
    """Return the longest `articleBody`; empty when there is none."""
    bodies = [body for article in json_ld_articles(tree) if isinstance(body := article.get("articleBody"), str)]
    return max(bodies, key=len, default="")


def article_author(tree: HtmlElement) -> str | None:
    """Return the authors' names as the first article that has some gives them, joined with commas."""
    for article in json_ld_articles(tree):
        authors = article.get("author")
        listed = authors if isinstance(authors, list) else [authors]
        names = [author.get("name") if isinstance(author, dict) else author for author in listed]
        if joined := ", ".join(name.strip() for name in names if isinstance(name, str) and name.strip()):
            return joined
    return None


def _articles_in(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _articles_in(item, depth + 1)
    elif isinstance(value, dict):
        kinds = str(value.get("@type", "")).lower()
        if any(kind in kinds for kind in _ARTICLE_TYPES):
            yield value
        for key in _NESTING_KEYS:
            yield from _articles_in(value.get(key), depth + 1)
