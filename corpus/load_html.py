"""Web pages -> `Draft`: what trafilatura takes for the article, without what the page hides from its readers."""

import logging
import re

from lxml import etree  # type: ignore[import-untyped]
from lxml.html import HtmlElement  # type: ignore[import-untyped]
from trafilatura import bare_extraction, extract_metadata
from trafilatura.settings import Document
from trafilatura.utils import load_html as parse_html

from corpus.decode import decode_text
from corpus.draft import Draft
from corpus.errors import ArticleFormatError
from corpus.html_dates import page_date
from corpus.html_hidden import drop_hidden
from corpus.html_jsonld import article_author, article_body
from corpus.html_text import body_text

for _name in ("trafilatura", "htmldate"):  # else their remarks on odd pages land on stderr
    logging.getLogger(_name).setLevel(logging.CRITICAL)

MAX_HTML_BYTES = 10_000_000  # real pages stay under 5 MB, most of it scripts and inlined pictures
MAX_ELEMENTS = 30_000  # an encyclopedia article has 5,000; time grows with them, and 30,000 take seven seconds
MANY_ELEMENTS = 10_000  # from here on trafilatura's second opinion is left out, which halves the time
MAX_ATTRIBUTES = 2_000  # of one element; real ones have dozens, and the parser takes quadratic time on them
MIN_PROSE_WORDS = 5  # the shortest article is one sentence; menus and footers have no sentence at all
MIN_WORDS = 50  # a calendar or a table without a sentence is kept from this length on; menus are shorter

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_LONG_TAG = re.compile(r"<[^<>]{20000,}")
_HEAD_BYTES = 4096  # browsers look for the character set in the first kilobyte or so
_SEARCH_PAGE = re.compile(r"/search/?\?(?:[^#]*&)?q=")
_PROSE = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*(?:\s|\Z)")


def load_html(data: bytes, *, url: str | None = None, charset: str | None = None) -> Draft:
    """Read one article page.

    Args:
        data: As stored or sent.
        url: Where it was fetched from, when it was.
        charset: What the HTTP header says.

    Raises:
        ArticleFormatError: If there is no article in the page.
    """
    if len(data) > MAX_HTML_BYTES:
        raise ArticleFormatError(f"The page is larger than {MAX_HTML_BYTES // 1_000_000} MB; save the article alone.")
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    charset = charset or (declared[1].decode("ascii", "ignore") if declared else None)
    tree = _parse(decode_text(data, declared=charset))
    facts = extract_metadata(tree, default_url=url, date_config={"extensive_search": False})
    published = page_date(tree, facts.url or url)
    if _SEARCH_PAGE.search(facts.url or url or ""):
        raise ArticleFormatError("The page is a list of search results, no article; save the article itself.")
    author = article_author(tree) or facts.author
    spare_body = article_body(tree)
    drop_hidden(tree)
    text = _main_text(tree, url) or spare_body
    if not text.strip():
        raise ArticleFormatError("The page holds no article, only menus or scripts; save the text as .txt.")
    return Draft(
        text=text,
        title=_title(facts),
        source=facts.sitename,
        url=facts.url or url,
        published=published,
        author=author,
        language=facts.language or tree.get("lang"),
    )


def _parse(page: str) -> HtmlElement:
    if "html" not in page[:50].lower():
        page = f"<!doctype html>\n{page}"  # without it trafilatura refuses a page that is a mere fragment
    crowded = any(tag[0].count("=") > MAX_ATTRIBUTES for tag in _LONG_TAG.finditer(page))
    tree = None if crowded else parse_html(page)
    if tree is None:
        raise ArticleFormatError("It is no HTML page; save the page again, or give the text as .txt.")
    if _n_elements(tree) > MAX_ELEMENTS:
        raise ArticleFormatError(f"The page has more than {MAX_ELEMENTS:,} elements; save the text as .txt.")
    return tree


def _n_elements(tree: HtmlElement) -> int:
    return sum(1 for _ in tree.iter(etree.Element))


def _main_text(tree: HtmlElement, url: str | None) -> str:
    """Return the article's text; empty when what was found has no sentence in it and is short."""
    fast = _n_elements(tree) > MANY_ELEMENTS
    page = bare_extraction(tree, url=url, include_comments=False, favor_precision=True, fast=fast)
    if not isinstance(page, Document) or not isinstance(page.body, etree._Element):
        return ""
    text = body_text(page.body)
    prose = [line for line in text.split("\n") if _PROSE.search(line) and not line.startswith("#")]
    is_article = len(" ".join(prose).split()) >= MIN_PROSE_WORDS or len(text.split()) >= MIN_WORDS
    return text if is_article else ""


def _title(facts: Document) -> str | None:
    """Return the page's title without the outlet's name behind it."""
    if not facts.title or not facts.sitename:
        return facts.title
    stripped = re.sub(rf"\s+[-–—|·:»]\s+{re.escape(facts.sitename)}\s*\Z", "", facts.title, flags=re.IGNORECASE)
    return stripped or facts.title
