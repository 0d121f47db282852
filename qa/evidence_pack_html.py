"""A pack of evidence -> one HTML file that needs nothing else and checks its own quotes when it is opened."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qa.evidence_pack import articles_of, context_of
from qa.render import declined, searched_line
from qa.render_article import render_article
from qa.safe_text import escape, link, origin_line
from qa.types import Answer, Citation, Disagreement, Statement, flat

_HERE = Path(__file__).parent


def pack_html(answer: Answer, pack: Mapping[str, Any]) -> str:
    """Return the page. Its policy lets run the one script whose hash it names, and nothing be fetched at all."""
    style = (_HERE / "evidence_pack.css").read_text(encoding="utf-8")
    script = (_HERE / "evidence_pack.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'"
    # Escaped so that no text can end the element that holds it; as JSON it is read as the same text.
    data = json.dumps(pack, ensure_ascii=True).replace("<", "\\u003c")
    articles = "".join(_render_article(answer, number) for number in range(len(articles_of(answer))))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="content-security-policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(flat(answer.question))}</title><style>{style}</style></head><body><main>"
        f'<p id="check" role="status">Not checked yet: this file checks its quotes when scripts may run.</p>'
        f'<h1 dir="auto">{escape(flat(answer.question))}</h1>{_render_answer(answer)}'
        f"<h2>Articles, as they were read</h2>{articles}{_render_facts(answer, pack)}</main>"
        f'<script type="application/json" id="pack">{data}</script><script>{script}</script></body></html>\n'
    )


def _render_answer(answer: Answer) -> str:
    notes = [f"Read as: {answer.standalone_question}"] if answer.standalone_question else []
    notes += [answer.degraded] if answer.degraded else []
    head = "".join(f'<p class="note" dir="auto">{escape(note)}</p>' for note in notes)
    if answer.abstention is not None:
        said = declined(answer.question)
        reason = f'<p dir="auto">{escape(flat(answer.abstention.reason))}</p>'
        if not said:
            return head + reason
        reason = f'<p class="short">{said}</p>{reason}'
        return f'{head}{reason}<p class="note">{escape(searched_line(answer.hits))}</p>'
    short = f'<p class="short" dir="auto">{escape(flat(answer.short_answer))}</p>' if answer.short_answer else ""
    statements = "".join(_render_statement(statement) for statement in answer.statements)
    sides = "".join(_render_disagreement(each) for each in answer.disagreements)
    quotes = "".join(_render_quote(citation) for citation in answer.citations)
    return f"{head}{short}{statements}{sides}<h2>Quotes, in context</h2>{quotes}"


def _render_statement(statement: Statement) -> str:
    problems = f": {'; '.join(statement.problems)}" if statement.problems else ""
    state = f'<span class="support">{escape(statement.support + problems)}</span>'
    return f'<p class="statement" dir="auto">{escape(flat(statement.text))} {_numbers(statement.citations)} {state}</p>'


def _render_disagreement(disagreement: Disagreement) -> str:
    sides = "".join(
        f'<li dir="auto">{escape(flat(side.value))} {_numbers(side.citations)}</li>' for side in disagreement.positions
    )
    return f"<h2>The articles disagree: {escape(flat(disagreement.about))}</h2><ul>{sides}</ul>"


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(f'<a href="#quote-{n}">[{n}]</a>' for n in numbers)


def _render_quote(citation: Citation) -> str:
    before, after = context_of(citation.article.text, citation.span)
    where = " · ".join((flat(citation.article.title), *origin_line(citation.article)))
    place = f"characters {citation.span.start}–{citation.span.end}"
    return (
        f'<figure id="quote-{citation.n}"><figcaption dir="auto"><b>[{citation.n}]</b> '
        f"{link(citation.article.url, where)}, {place}</figcaption>"
        f'<blockquote dir="auto">{escape(before)}<mark data-quote="{citation.n}">{escape(citation.quote)}</mark>'
        f"{escape(after)}</blockquote></figure>"
    )


def _render_article(answer: Answer, number: int) -> str:
    article = articles_of(answer)[number]
    citations = [each for each in answer.citations if each.article == article]
    return f"<details><summary>{escape(flat(article.title))}</summary>{render_article(article, citations)}</details>"


def _render_facts(answer: Answer, pack: Mapping[str, Any]) -> str:
    facts = [("Made", pack["made"]), ("Reader", answer.reader), ("Settings", answer.settings)]
    facts += [("Confidence", f"{answer.confidence:.2f}")]
    facts += [(f"SHA-256 of “{article['title']}”", article["sha256"]) for article in pack["articles"]]
    rows = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in facts)
    return f"<h2>How it was made</h2><dl>{rows}</dl>"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
