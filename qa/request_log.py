"""Outermost layer of the service: gives each request its id, logs it in one line when it is over, and counts it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from qa.request_id import begin_request

if TYPE_CHECKING:
    from qa.metrics_prometheus import Metrics

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_HEADER = b"x-request-id"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABANDONED = 499  # nobody answered, because the client had left; nginx's number for it


class RequestLog:
    """Logs and counts every HTTP exchange of what it wraps.

    Args:
        app: What is wrapped.
        metrics: Where it is counted.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER), None)
        request = begin_request(given)
        scope.setdefault("state", {})["request_id"] = request  # for what is done for it in another context
        started, status = time.perf_counter(), ABANDONED

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (_HEADER, request.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self._metrics.count(method, _route(scope, status), status, seconds)
            _LOG.info(
                "%s %s %d",
                method,
                # Without the query: what is asked is nobody's business. Quoted: a path may hold the end of a line.
                quote(scope["path"], safe="/:=@+,~"),
                status,
                extra={"seconds": round(seconds, 4), "client": scope["client"][0] if scope.get("client") else None},
            )


def _route(scope: Scope, status: int) -> str:
    pattern = getattr(scope.get("route"), "path", None)
    return pattern if pattern else "refused" if status in (401, 403, 413, 421) else "page"
