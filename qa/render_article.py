"""An article and the citations that point into it -> the viewer's HTML, with the cited spans marked; pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from corpus.errors import BrokenCitationError
from corpus.types import Article, Span
from qa.safe_text import escape, is_web_address, link, origin_line
from qa.types import Citation

# A line of this many characters that runs on was wrapped by an editor or a PDF: shorter ones are headings or list
# items, longer ones whole paragraphs.
WRAPPED_CHARS = range(40, 111)
_LINE = re.compile(r"[^\n]*\S[^\n]*")


def render_article(article: Article, citations: Sequence[Citation] = (), active: int | None = None) -> str:
    """Return the article as HTML: facts, title and paragraphs, with every cited span in `<mark>`.

    The citations must be of this very version of the article; they may overlap or touch. The marks of the one that
    was asked for, number `active`, carry the class `active`. The id `cite-N` stands where citation N starts.

    Raises:
        BrokenCitationError: If a citation belongs to another article or version, or does not slice back.
    """
    for citation in citations:
        citation.verify()
        if (citation.article.id, citation.article.version) != (article.id, article.version):
            raise BrokenCitationError(
                f"Citation [{citation.n}] points into another article or version than {article.id!r}. Ask again."
            )
    body = _render_body(article.text, citations, active)
    return f'<article class="paper">{_render_head(article)}<div class="body">{body}</div></article>'


def paragraphs_of(text: str) -> list[Span]:
    """Return the paragraphs of a text in order; between them there is only white space."""
    spans: list[Span] = []
    for line in _LINE.finditer(text):
        n_chars = spans[-1].end - (text.rfind("\n", 0, spans[-1].end) + 1) if spans else 0
        if spans and line.start() == spans[-1].end + 1 and n_chars in WRAPPED_CHARS:
            spans[-1] = Span(spans[-1].start, line.end())
        else:
            spans.append(Span(line.start(), line.end()))
    return spans


def _render_head(article: Article) -> str:
    facts = [escape(part) for part in origin_line(article)]
    if article.author:
        facts.append(f"by {escape(article.author)}")
    if article.url and is_web_address(article.url):
        facts.append(link(article.url, f"original at {urlsplit(article.url).hostname}"))
    # Blanks stand inside the separators, so that what a screen reader or a copy sees is not run together.
    line = '<span class="dot"> · </span>'.join(facts)
    kicker = f'<p class="kicker">{line}</p>' if facts else ""
    return f'<header>{kicker}<h3 dir="auto">{escape(article.title)}</h3></header>'


def _render_body(text: str, citations: Sequence[Citation], active: int | None) -> str:
    waiting = sorted(citations, key=lambda citation: citation.n)  # those whose start has not been passed yet
    html = []
    for paragraph in paragraphs_of(text):
        html.append('<p dir="auto">')
        for piece in _pieces(paragraph, citations):
            here = [citation for citation in citations if citation.span.contains(piece)]
            starting = [citation.n for citation in waiting if citation in here]
            waiting = [citation for citation in waiting if citation not in here]
            html.append(_render_piece(piece.slice(text), piece, here, starting, active))
        html.append("</p>")
    return "".join(html)


def _pieces(span: Span, citations: Sequence[Citation]) -> Iterator[Span]:
    """Yield the parts of `span` between the places where a citation or a short answer starts or ends."""
    answers = [citation.answer_span for citation in citations if citation.answer_span]
    spans = [citation.span for citation in citations] + answers
    cuts = {place for each in spans for place in (each.start, each.end) if span.start < place < span.end}
    bounds = [span.start, *sorted(cuts), span.end]
    for start, end in zip(bounds, bounds[1:], strict=False):
        yield Span(start, end)


def _render_piece(
    characters: str, piece: Span, here: Sequence[Citation], starting: Sequence[int], active: int | None
) -> str:
    words = escape(characters)
    if not here:
        return words
    if any(citation.answer_span and citation.answer_span.contains(piece) for citation in here):
        words = f"<strong>{words}</strong>"
    numbers = " ".join(str(citation.n) for citation in here)
    kind = "cited active" if any(citation.n == active for citation in here) else "cited"
    anchors = "".join(f'<span id="cite-{n}" class="anchor"></span>' for n in starting)
    return f'{anchors}<mark class="{kind}" data-n="{numbers}">{words}</mark>'
