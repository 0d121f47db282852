"""An `Answer` -> a file that proves it without Byline: the answer, its quotes, the articles' text and their hashes.

JSON here is the pack itself; Markdown is for reading, HTML (`qa.evidence_pack_html`) checks itself when it is opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from corpus.types import Article, Span
from qa.render import NEAREST_SHOWN, declined
from qa.safe_text import neutralise, origin_line
from qa.types import Answer, flat

FORMAT = "byline-evidence"
VERSION = 1
CONTEXT_CHARS = 240  # before and after a quote: about three lines, enough to see that it is not torn out
Form = Literal["html", "md", "json"]


def make_pack(answer: Answer, made: datetime) -> dict[str, Any]:
    """Return the pack: the answer JSON (DESIGN 3.1) and every cited article in the version that was quoted.

    Of an answer that declines it holds the articles of the nearest passages.

    Args:
        answer: Its citations are checked again.
        made: When the pack is made.

    Raises:
        BrokenCitationError: If a citation does not slice back to its quote.
    """
    for citation in answer.citations:
        citation.verify()
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "answer": answer.to_dict(),
        "articles": [_article(article) for article in articles_of(answer)],
    }


def articles_of(answer: Answer) -> list[Article]:
    """Return the articles that an answer rests on, each once, in the order of its citations."""
    if answer.abstention is not None:
        articles = [hit.article for hit in answer.hits[:NEAREST_SHOWN]]
    else:
        articles = [citation.article for citation in answer.citations]
    return list({(article.id, article.version): article for article in articles}.values())


def check_pack(pack: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a pack, one sentence each: the same checks that its HTML makes when it is opened."""
    problems = []
    articles = {(article["id"], article["version"]): article for article in pack["articles"]}
    for article in articles.values():
        if _sha256(article["text"]) != article["sha256"]:
            problems.append(f"The text of article {article['id']!r} is not the one that was read.")
    quotes = {}
    for citation in pack["answer"]["citations"]:
        quotes[citation["n"]] = flat(citation["quote"])
        source = articles.get((citation["article_id"], citation["version"]))
        if source is None or source["text"][citation["start"] : citation["end"]] != citation["quote"]:
            problems.append(f"Quote {citation['n']} does not stand in its article at its place.")
    for statement in pack["answer"]["statements"]:
        if not statement["citations"] or any(n not in quotes for n in statement["citations"]):
            problems.append(f"The statement {statement['text']!r} has no quote.")
        elif statement["support"] == "verbatim" and flat(statement["text"]) not in {
            quotes[n] for n in statement["citations"]
        }:
            problems.append(f"The statement {statement['text']!r} is not what its article says.")
    return problems


def write_pack(answer: Answer, form: Form, made: datetime) -> str:
    """Return the pack as a file's text: `html` checks itself, `md` is for reading, `json` for programs."""
    if form == "html":
        from qa.evidence_pack_html import pack_html

        return pack_html(answer, make_pack(answer, made))
    if form == "md":
        return _markdown(answer, make_pack(answer, made))
    return json.dumps(make_pack(answer, made), ensure_ascii=True, indent=1) + "\n"


def context_of(text: str, span: Span) -> tuple[str, str]:
    """Return the words before and after a span, cut at a blank, with an ellipsis where something was cut."""
    start, end = max(0, span.start - CONTEXT_CHARS), min(len(text), span.end + CONTEXT_CHARS)
    before, after = text[start : span.start], text[span.end : end]
    if start and " " in before:
        before = "… " + before[before.index(" ") + 1 :]
    if end < len(text) and " " in after:
        after = after[: after.rindex(" ")] + " …"
    return before, after


def _article(article: Article) -> dict[str, Any]:
    return {
        "id": article.id,
        "version": article.version,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "author": article.author,
        "sha256": _sha256(article.text),
        "text": article.text,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _markdown(answer: Answer, pack: Mapping[str, Any]) -> str:
    lines = [f"# {plain(answer.question)}", ""]
    if answer.standalone_question:
        lines += [f"Read as: {plain(answer.standalone_question)}", ""]
    if answer.abstention is not None:
        said = declined(answer.question)
        lines += [f"{f'**{said}** ' if said else ''}{plain(answer.abstention.reason)}", ""]
    if answer.short_answer:
        lines += [f"**{plain(answer.short_answer)}**", ""]
    for statement in answer.statements:
        numbers = "".join(f"[^{n}]" for n in statement.citations)
        lines += [f"{plain(statement.text)}{numbers} *({statement.support})*", ""]
    for each in answer.disagreements:
        lines += [f"The articles disagree: {plain(each.about)}", ""]
        sides = [(plain(side.value), "".join(f"[^{n}]" for n in side.citations)) for side in each.positions]
        lines += [*(f"- {value}{numbers}" for value, numbers in sides), ""]
    for citation in answer.citations:
        where = ", ".join((citation.article.title, *origin_line(citation.article)))
        place = f"characters {citation.span.start}–{citation.span.end} of `{citation.article.version}`"
        lines += [f"[^{citation.n}]: {plain(where)}: “{plain(citation.quote)}” ({place})", ""]
    lines += ["---", "", f"Made {pack['made']} by reader `{answer.reader}`, settings `{answer.settings}`."]
    lines += [f"SHA-256 of the text of “{plain(each['title'])}”: `{each['sha256']}`." for each in pack["articles"]]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is: no link, picture, HTML or emphasis can come of it."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~&$^=:" else char for char in flat(neutralise(text)))
