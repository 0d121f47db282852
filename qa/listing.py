"""What `list`, `show`, `search` and `add` print for a person: plain lines, safe on any terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from corpus.types import Article
from index.types import AddReport, ArticleInfo, Hit
from qa.safe_text import clipped, neutralise, origin_line
from qa.types import flat

_PREVIEW_CHARS = 240  # three terminal lines: enough to recognise a passage


def list_lines(articles: Iterable[ArticleInfo]) -> Iterator[str]:
    """Yield one tab-separated line per article: id, day, outlet, title, number of passages."""
    for info in articles:
        day = info.published.isoformat() if info.published else "-"
        yield "\t".join(map(one_line, (info.id, day, info.source or "-", info.title, str(info.n_passages))))


def article_lines(article: Article) -> Iterator[str]:
    """Yield the title, what is known about the article, and its text."""
    yield one_line(article.title)
    known = [*origin_line(article), *(one_line(fact) for fact in (article.author, article.url) if fact)]
    if known:
        yield " | ".join(known)
    yield one_line(f"id {article.id}, {article.version}")
    yield ""
    yield neutralise(article.text)


def edition_dict(article: Article, info: ArticleInfo) -> dict[str, object]:
    """Return a version of an article as a row of `byline list --json`; a former one has no passages any more."""
    if article.version == info.version:
        return info.to_dict()
    own = {"title": article.title, "source": article.source, "url": article.url, "version": article.version}
    published = article.published.isoformat() if article.published else None
    return info.to_dict() | own | {"published": published, "passages": 0}


def hit_lines(hits: Sequence[Hit]) -> Iterator[str]:
    """Yield rank, score, title, outlet and the beginning of each passage."""
    for hit in hits:
        article, span = hit.article, hit.passage.span
        yield f"{hit.rank:>2}. {hit.score:.3f}  " + " | ".join((one_line(article.title), *origin_line(article)))
        yield f"    {clipped(neutralise(hit.passage.text), _PREVIEW_CHARS)}"
        yield f"    {one_line(article.id)} {span.start}-{span.end}"


def report_line(report: AddReport) -> str:
    """Return how many articles were added, updated and so on, as one line."""
    counts = {
        "added": len(report.added),
        "updated": len(report.updated),
        "unchanged": len(report.unchanged),
        "removed": len(report.removed),
        "failed": len(report.failed),
    }
    always = ("added", "updated", "unchanged")
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name in always)


def report_dict(report: AddReport) -> dict[str, object]:
    """Return what `add --json` prints."""
    return {
        "added": list(report.added),
        "updated": list(report.updated),
        "unchanged": list(report.unchanged),
        "removed": list(report.removed),
        "failed": [{"origin": failure.origin, "reason": failure.reason} for failure in report.failed],
    }


def one_line(text: str) -> str:
    """Return `text` without line ends or anything that could steer the terminal."""
    return flat(neutralise(text))
