"""One ASGI layer around the whole page: who may ask (Host, Origin), how much (body sizes), and security headers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from qa.views.policy import policy_of

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
UPLOAD_PATH = "/gradio_api/upload"
MAX_FILE_BYTES = 50 * 2**20  # a thousand-page PDF with pictures
MAX_UPLOAD_BYTES = 4 * MAX_FILE_BYTES  # one request carries all files that were chosen together
MAX_BODY_BYTES = 1_000_000  # a question and its event are a few kB; nothing but an upload needs more
UPLOAD_LIMITS = {
    UPLOAD_PATH: MAX_UPLOAD_BYTES,
    "/v1/articles": MAX_UPLOAD_BYTES,
    "/owner/add": MAX_UPLOAD_BYTES,
}
BODY_WITHIN_S = 60.0  # between two pieces of a body: who sends slower holds a place that others want
JSON_PATHS = ("/v1/", "/owner/", "/healthz", "/metrics", "/openapi.json")

# Of Gradio's addresses those that the page uses. The others fetch, share, record, edit or hold a connection open.
_GRADIO = re.compile(
    r"(queue/(join|data)|run/[^/]+|cancel|reset|heartbeat/[^/]+|upload|upload_progress|info|startup-events|app_id)/?"
)
_GRADIO_AT = "/gradio_api/"
PAGE = "/"

HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = b"content-security-policy"
NO_INLINE = policy_of()  # of everything but pages
_LENGTH = re.compile(r"[0-9]{1,15}")  # other digits than these are no number, and longer ones no size


_ELSEWHERE = ("cross-site", "same-site")  # a browser says so even where it sends no Origin
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


class Guard:
    """Refuses foreign hosts, foreign origins and oversized bodies, and adds security headers to every response.

    Without the Host check a web site could point its own name at 127.0.0.1 and read the library through a visitor's
    browser (DNS rebinding); without the Origin check it could post to it.

    Args:
        app: What is guarded.
        host: The address the server was told to listen on; accepted beside the loopback names.
        hosts: Other names under which it may be addressed.
    """

    def __init__(self, app: App, host: str = "127.0.0.1", hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK_HOSTS | {name.strip("[]").lower() for name in (host, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks anything but HTTP
            return
        limit = UPLOAD_LIMITS.get(scope["path"], MAX_BODY_BYTES)
        as_json = scope["path"].startswith(JSON_PATHS)
        refusal = self._refusal(scope["method"], headers, limit) or _unused(scope["path"])
        if refusal is not None:
            await _respond(send, *refusal, as_json=as_json)
            return
        if scope["path"] == PAGE:  # its scripts are read as it goes out, which they cannot be when it is compressed
            scope["headers"] = [each for each in scope["headers"] if each[0].lower() != b"accept-encoding"]
        body = _Body(receive, send, limit, as_json=as_json)
        await self._app(scope, body.receive, body.send)

    def _refusal(self, method: str, headers: dict[bytes, str], limit: int) -> tuple[int, str] | None:
        host = headers.get(b"host", "")
        if _name(host) not in self._hosts:
            return 421, "Byline answers only to the address it was started with, and to names in BYLINE_ALLOWED_HOSTS."
        origin = headers.get(b"origin")
        # A browser names the origin of a mere look, too, when a script of another site wants to read the answer.
        is_foreign = origin is not None and not _is_own(origin, host)
        if is_foreign or (method not in ("GET", "HEAD") and headers.get(b"sec-fetch-site") in _ELSEWHERE):
            return 403, "Byline takes no requests from other sites."
        length = headers.get(b"content-length", "0")
        if not _LENGTH.fullmatch(length) or int(length) > limit:
            return 413, _too_large(limit)
        return None


class _Body:
    """One exchange: counts what is received, answers 413 once it is too much, and adds headers to what is sent.

    A page in HTML is held back until it is whole, for the policy among its headers names its scripts.
    """

    def __init__(self, receive: Receive, send: Send, limit: int, *, as_json: bool) -> None:
        self._receive, self._send, self._limit, self._as_json = receive, send, limit, as_json
        self._n_bytes = 0
        self._more = True  # of the body is to come; after it, waiting is for the client to leave
        self._started = self._refused = False
        self._head: Message | None = None  # of a page of which more is to come
        self._page = b""

    async def receive(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), BODY_WITHIN_S if self._more else None)
        except TimeoutError:
            return await self._refuse(408, "The rest of the request did not come in time.")
        self._more = bool(message.get("more_body"))
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes <= self._limit:
            return message
        # A chunked body carries no length that could have been refused at the door.
        return await self._refuse(413, _too_large(self._limit))

    async def _refuse(self, status: int, sentence: str) -> Message:
        if not self._started and not self._refused:
            self._refused = True
            await _respond(self._send, status, sentence, as_json=self._as_json)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._started = True
            if _is_html(message.get("headers", ())):
                self._head = message
                return
            message = {**message, "headers": _with_security(message.get("headers", ()))}
        elif self._head is not None:
            self._page += message.get("body", b"")
            if message.get("more_body"):
                return
            head, self._head = self._head, None
            await self._send({**head, "headers": _with_security(head["headers"], policy_of(self._page))})
            message = {"type": "http.response.body", "body": self._page}
        await self._send(message)


async def _respond(send: Send, status: int, sentence: str, *, as_json: bool = False) -> None:
    body = json.dumps({"error": {"type": "Refused", "message": sentence}}).encode() if as_json else sentence.encode()
    headers = [
        (b"content-type", b"application/json" if as_json else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": _with_security(headers)})
    await send({"type": "http.response.body", "body": body})


def _with_security(headers: Iterable[tuple[bytes, bytes]], policy: str = NO_INLINE) -> list[tuple[bytes, bytes]]:
    ours = {name.encode(): value.encode() for name, value in HEADERS.items()} | {_POLICY: policy.encode()}
    return [(name, value) for name, value in headers if name.lower() not in ours] + list(ours.items())


def _is_html(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.lower().startswith(b"text/html") for name, value in headers)


def _unused(path: str) -> tuple[int, str] | None:
    """Return the refusal of an address of Gradio's that the page does not use."""
    if not path.startswith(_GRADIO_AT) or _GRADIO.fullmatch(path.removeprefix(_GRADIO_AT)):
        return None
    return 404, "There is nothing at this address."


def _is_own(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # brackets that hold no address
        return False


def _name(host: str) -> str:
    """Return the name in a Host header, without the port; empty when it is malformed."""
    match = _HOST.fullmatch(host)
    return match["name"].strip("[]").lower() if match else ""


def _too_large(limit: int) -> str:
    return f"That is more than the {limit // 1_000_000} MB that Byline takes at once."
