"""The day a web page says it was published: JSON-LD, meta tags, marked elements, its own address; never a guess."""

import re
from collections.abc import Iterator
from datetime import date

from lxml.html import HtmlElement  # type: ignore[import-untyped]

from corpus.dates import parse_published
from corpus.html_jsonld import json_ld_articles

# htmldate, which trafilatura uses, goes on to look for anything like a date in the text. On the pages measured it
# finds a day more often, but also where none is stated; what is shown as a fact must have been stated as one.
_META_NAMES = frozenset(
    """
    article:published_time article:published og:published_time og:article:published_time bt:pubdate citation_date
    citation_publication_date cxenseparse:recs:publishtime date dc.date dc.date.created dc.date.issued dcterms.date
    dcterms.created dcterms.issued datepublished date_published datecreated parsely-pub-date pdate pubdate publishdate
    publish-date publish_date publication_date published published_at published_time published-date rbpubdate
    release_date sailthru.date article.published article_date_original originalpublicationdate
    """.split()  # noqa: SIM905 (a list of forty strings is harder to read)
)
_MARKS = frozenset({"datePublished", "published", "pubdate", "entry-date", "dt-published"})
_URL_DAY = re.compile(
    r"/(?P<year>(?:19|20)\d\d)[/-](?P<month>0?[1-9]|1[0-2])[/-](?P<day>0?[1-9]|[12]\d|3[01])(?:[/-]|\Z)"
)


def page_date(tree: HtmlElement, url: str | None) -> date | None:
    """Return the first publication day the page states.

    Args:
        tree: The whole page, before anything is removed from it.
        url: Its address; a path such as /2024/05/06/ states a day too, and is asked last.
    """
    from_json = [article.get("datePublished") for article in json_ld_articles(tree)]
    stated = [*from_json, *_meta_dates(tree), *_marked_dates(tree), _url_date(url)]
    return next((day for day in map(parse_published, stated) if day), None)


def _meta_dates(tree: HtmlElement) -> Iterator[str | None]:
    for meta in tree.iter("meta"):
        names = (meta.get("property", ""), meta.get("name", ""), meta.get("itemprop", ""))
        if any(name.lower() in _META_NAMES for name in names):
            yield meta.get("content")


def _marked_dates(tree: HtmlElement) -> Iterator[str | None]:
    for element in tree.iter("time", "span", "abbr", "div", "p"):
        marks = {element.get("itemprop", ""), *element.get("class", "").split(), *element.keys()}
        if marks & _MARKS:
            yield element.get("datetime") or element.get("content") or element.get("title")


def _url_date(url: str | None) -> str | None:
    match = _URL_DAY.search(url or "")
    return f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}" if match else None
