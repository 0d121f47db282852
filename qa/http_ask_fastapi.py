"""`POST /v1/ask` and `POST /v1/search`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from corpus.errors import QAError
from index.types import Hit
from qa.conversation import Turn
from qa.http_errors_fastapi import JsonError, error_body
from qa.http_models import AskBody, HistoryTurn, SearchBody
from qa.types import StreamEvent

if TYPE_CHECKING:
    from qa.service import Service

SSE = "text/event-stream"
# A proxy that buffers would turn a stream into a long silence.
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def ask_router(service: Service) -> APIRouter:
    """Return the routes that answer and search."""
    router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[Depends(need_json)])
    byline = service.byline

    @router.post("/ask", response_model=None, responses={200: {"content": {"application/json": {}, SSE: {}}}})
    async def ask(body: AskBody, request: Request) -> dict[str, object] | Response:
        """Answer from the articles with citations, or abstain; as JSON, or as events hits, statement, answer."""
        options = ask_options(body)
        client = client_of(request)
        if body.stream or SSE in request.headers.get("accept", ""):
            steps = service.stream(client, lambda: byline.stream(body.question, **options))
            return await stream_response(steps, _sse)
        answer = await service.run(client, lambda: byline.ask(body.question, **options))
        return answer.to_dict()

    @router.post("/search")
    async def search(body: SearchBody, request: Request) -> dict[str, object]:
        """Find passages without answering."""

        def find() -> list[Hit]:
            return byline.search(body.query, k=body.k, filters=body.filters(), rerank=body.rerank)

        hits = await service.run(client_of(request), find)
        return {"query": body.query, "hits": [hit_dict(hit) if body.texts else hit.to_dict() for hit in hits]}

    return router


def ask_options(body: AskBody) -> dict[str, Any]:
    """Return the keyword arguments of `ask` and `stream`."""
    return {
        "k": body.k,
        "filters": body.filters(),
        "history": history_of(body.history),
        "as_of": body.as_of,
    }


def history_of(turns: Sequence[HistoryTurn]) -> tuple[Turn, ...]:
    """Return earlier turns as the library takes them."""
    return tuple(Turn(turn.role, turn.text) for turn in turns)


def hit_dict(hit: Hit) -> dict[str, object]:
    """Return a hit as in DESIGN 3.1 with the words it stands for."""
    article = hit.article
    return {
        **hit.to_dict(),
        "text": hit.passage.text,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
    }


def client_of(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""


async def need_json(request: Request) -> None:
    """Refuse a body that does not call itself JSON.

    Raises:
        JsonError: 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        raise JsonError(415, "Send JSON, with the header Content-Type: application/json.")


async def stream_response(
    steps: AsyncIterator[list[StreamEvent]], write: Callable[[list[StreamEvent] | QAError], str]
) -> Response:
    """Return a streaming response, once its first step is there: what fails before that is an error with its status.

    Args:
        steps: As from `Service.stream`.
        write: Turns the events of one step, or the error that ended them, into what is sent.
    """
    first = await anext(steps)

    async def chunks() -> AsyncIterator[str]:
        yield write(first)
        try:
            async for events in steps:
                yield write(events)
        except QAError as error:
            yield write(error)

    return StreamingResponse(chunks(), media_type=SSE, headers=_STREAM_HEADERS)


def _sse(events: list[StreamEvent] | QAError) -> str:
    if isinstance(events, QAError):
        return _event("error", error_body(events))
    return "".join(_event(kind, data) for event in events for kind, data in _data(event))


def _data(event: StreamEvent) -> Iterator[tuple[str, object]]:
    if event.kind == "hits":
        yield "hits", {"hits": [hit.to_dict() for hit in event.hits]}
    elif event.kind == "statement" and event.statement is not None:
        citations = [citation.to_dict() for citation in event.citations]
        yield "statement", {"statement": event.statement.to_dict(), "citations": citations}
    elif event.kind == "answer" and event.answer is not None:
        yield "answer", event.answer.to_dict()


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
