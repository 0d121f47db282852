"""`/owner/...`: what the owner of a library does for other processes of the same user, in values and not in paths."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from corpus.errors import QAError
from corpus.types import Article
from index.types import AddReport, ArticleInfo, Hit
from qa import __version__
from qa.access import same_secret
from qa.http_ask_fastapi import stream_response
from qa.http_errors_fastapi import JsonError, error_body
from qa.types import Answer, StreamEvent
from qa.wire import Edition, Hello, Ids, Loaded, Wanted, pack, unpack

if TYPE_CHECKING:
    from qa.service import Service

CLIENT = "command line"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class _Job:
    """One thing that is done for another process: its name, what it takes and gives, and how it is done."""

    name: str
    takes: Any
    gives: Any
    work: Callable[[Service, Any], object]


_JOBS = (
    _Job("ask", Wanted, Answer, lambda on, wanted: on.byline.ask(wanted.text, **wanted.arguments())),
    _Job("search", Wanted, list[Hit], lambda on, wanted: on.byline.search(wanted.text, **wanted.arguments())),
    _Job("articles", Ids, list[ArticleInfo], lambda on, _: on.byline.articles()),
    _Job("article", Edition, Article, lambda on, wanted: on.byline.article(wanted.id, version=wanted.version)),
    _Job("add", Loaded, AddReport, lambda on, loaded: on.add((*loaded.articles, *loaded.failures), CLIENT)),
    _Job("remove", Ids, None, lambda on, wanted: on.remove(wanted.ids, CLIENT)),
)


def owner_router(service: Service) -> APIRouter:
    """Return the routes; they answer only to the token in the library's lock file."""

    async def need_token(request: Request) -> None:
        _, _, given = request.headers.get("authorization", "").partition(" ")
        if service.owner_token is None or not same_secret(given, service.owner_token):
            raise JsonError(403, "Only another Byline of the same user is served here.")

    router = APIRouter(prefix="/owner", include_in_schema=False, dependencies=[Depends(need_token)])
    for job in _JOBS:
        router.add_api_route(f"/{job.name}", _endpoint(service, job), methods=["POST"])

    @router.post("/hello")
    async def hello() -> Response:
        """Say who answers here; not a job of the pool, so that a busy owner is not taken for a dead one."""
        settings = service.byline.settings.model_dump(mode="json")
        return Response(pack(Hello, Hello(os.getpid(), __version__, settings)), media_type=_JSON)

    @router.post("/stream")
    async def stream_answer(request: Request) -> Response:
        """Send the events of an answer, one a line; the error that ends one early is a line too."""
        wanted = unpack(Wanted, await request.body())
        steps = service.stream(CLIENT, lambda: service.byline.stream(wanted.text, **wanted.arguments()))
        return await stream_response(steps, _lines)

    return router


def _endpoint(service: Service, job: _Job) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()

        def answer() -> bytes:  # a large body is read, and a large answer written, beside the event loop too
            return pack(job.gives, job.work(service, unpack(job.takes, body)))

        return Response(await service.run(CLIENT, answer), media_type=_JSON)

    return endpoint


def _lines(events: list[StreamEvent] | QAError) -> str:
    if isinstance(events, QAError):
        return json.dumps(error_body(events)) + "\n"
    return "".join(pack(StreamEvent, event).decode() + "\n" for event in events)
