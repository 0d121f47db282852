"""The HTTP interface (DESIGN 3.4) as one application: its routes, its errors, its description."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from corpus.errors import ServiceBusyError
from qa import __version__
from qa.http_articles_fastapi import articles_router
from qa.http_ask_fastapi import ask_router
from qa.http_errors_fastapi import add_error_handlers
from qa.http_openai_fastapi import openai_router
from qa.owner_fastapi import owner_router
from qa.worker_pool import STOPPING

if TYPE_CHECKING:
    from qa.metrics_prometheus import Metrics
    from qa.service import Service

API_PATHS = ("/v1", "/owner", "/healthz", "/metrics", "/openapi.json")
ABOUT = (
    "Questions answered from a library of articles; every statement of an answer is cited to the character, or the "
    'answer says that the articles do not say. An error is `{"error": {"type", "message"}}` with one sentence.'
)
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"description": why, "content": {"application/json": {"schema": _ERROR}}}
    for code, why in {
        400: "The body is not JSON.",
        401: "Sign in first.",
        403: "A request from another site, or from a stranger.",
        404: "No such article.",
        409: "The library holds no articles, or somebody else holds it.",
        413: "Too large.",
        415: "A type of body or file that is not read.",
        421: "Not the address that this service was started with.",
        422: "A value that cannot be used.",
        429: "Busy; `Retry-After` says for how long.",
        503: "The library or the reader cannot be used now.",
    }.items()
}


def make_api(service: Service, metrics: Metrics) -> FastAPI:
    """Return the application behind `API_PATHS`; guarding it is the caller's business."""
    # Its documentation pages would load scripts from another host.
    api = FastAPI(
        title="Byline", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, responses=_ERRORS
    )
    add_error_handlers(api)
    for router in (ask_router, articles_router, openai_router, owner_router):
        api.include_router(router(service))

    counted: tuple[int | None, int] = (None, 0)  # generation of the library, and its articles

    def count_articles() -> int:
        # Anybody may ask, without a password and at any rate; listing a large library each time would be a load.
        nonlocal counted
        at, number = counted
        generation = service.byline.index.library.generation()
        if at != generation:
            number = len(service.byline.articles())
            counted = generation, number
        return number

    @api.get("/healthz", tags=["operations"])
    async def healthz(request: Request) -> dict[str, object]:
        """Say whether the library can be asked."""
        if service.pool.closed:
            raise ServiceBusyError(STOPPING)
        return {"status": "ok", "articles": await asyncio.to_thread(count_articles)}

    @api.get("/metrics", tags=["operations"], response_class=Response)
    async def show_metrics() -> Response:
        """Return counts and times for Prometheus."""
        return Response(metrics.text(), media_type=metrics.MEDIA_TYPE)

    return api
