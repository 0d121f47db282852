"""A library for language models' tools: ask, search and get_article over the Model Context Protocol (extra `[mcp]`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from corpus.errors import MissingExtraError, QAError
from index.types import Filters, Hit
from qa.http_models import MAX_QUESTION_CHARS
from qa.pipeline import MAX_K

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

    from qa.byline import Byline
    from qa.remote_httpx import RemoteByline

ABOUT = (
    "Answers from a person's own news articles. Every statement of an answer carries citations with the quote and "
    "its place in the article; `abstained` means that the articles do not say. Quote the citations, and add nothing."
)
Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARS)]
Count = Annotated[int | None, Field(ge=1, le=MAX_K, description="How many passages; 10 when left out.")]
Day = Annotated[date | None, Field(description="Such as 2025-05-31.")]
Outlets = Annotated[list[str] | None, Field(description="Only articles of these outlets.")]


def make_mcp_server(library: Byline | RemoteByline) -> FastMCP:
    """Return the server over an open library; `run("stdio")` serves until its input ends.

    Raises:
        MissingExtraError: If the extra is not installed.
    """
    try:
        from mcp.server.fastmcp import FastMCP
        from mcp.server.fastmcp.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError as error:
        raise MissingExtraError("This needs an extra: pip install 'byline[mcp]'") from error

    def told(work: Callable[[], Any]) -> Any:  # noqa: ANN401  # plain values for JSON
        try:
            return work()
        except (QAError, ValueError) as error:
            raise ToolError(str(error)) from error

    server = FastMCP("byline", instructions=ABOUT, log_level="WARNING")
    reads_only = ToolAnnotations(readOnlyHint=True, openWorldHint=False)

    @server.tool(annotations=reads_only)
    def ask(
        question: Question, since: Day = None, until: Day = None, outlets: Outlets = None, k: Count = None
    ) -> dict[str, Any]:
        """Answer a question from the articles, with citations, or say that they do not say."""
        return dict(told(lambda: library.ask(question, k=k, filters=_filters(since, until, outlets)).to_dict()))

    @server.tool(annotations=reads_only)
    def search(
        query: Question, since: Day = None, until: Day = None, outlets: Outlets = None, k: Count = None
    ) -> dict[str, Any]:
        """Find the passages nearest to a query, with their text; nothing is answered."""
        hits: list[Hit] = told(lambda: library.search(query, k=k, filters=_filters(since, until, outlets)))
        return {"query": query, "hits": [_passage(hit) for hit in hits]}

    @server.tool(annotations=reads_only)
    def get_article(article_id: str) -> dict[str, Any]:
        """Return one article with its whole text, in which the offsets of citations count."""
        article = told(lambda: library.article(article_id))
        return {
            "id": article.id,
            "title": article.title,
            "source": article.source,
            "url": article.url,
            "published": article.published.isoformat() if article.published else None,
            "version": article.version,
            "text": article.text,
        }

    return server


def _filters(since: date | None, until: date | None, outlets: list[str] | None) -> Filters:
    return Filters(tuple(outlets or ()), since, until)


def _passage(hit: Hit) -> dict[str, object]:
    article = hit.article
    facts = {"text": hit.passage.text, "title": article.title, "source": article.source, "url": article.url}
    return {**hit.to_dict(), **facts}
