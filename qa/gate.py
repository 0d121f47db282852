"""One ASGI layer before page and HTTP interface: asks who it is, where that is demanded, and says whose path it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.request_log import App, Receive, Scope, Send

if TYPE_CHECKING:
    from qa.access import Access

OPEN_PATHS = ("/healthz",)  # a load balancer has no password
OWN_TOKEN = "/owner/"  # has a token of its own, which only this user can read


class Gate:
    """Lets those in who may, with the token or the user's password; the others get 401, and guessers 429.

    Args:
        app: The page.
        access: Who may.
        api: The HTTP interface.
        api_paths: Where it begins; everything else is the page.
    """

    def __init__(self, app: App, *, access: Access, api: App, api_paths: Sequence[str]) -> None:
        self._page, self._access, self._api, self._api_paths = app, access, api, tuple(api_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return
        path = scope["path"]
        is_api = any(path == start or path.startswith(f"{start}/") for start in self._api_paths)
        if self._access.demanded and path not in OPEN_PATHS and not path.startswith(OWN_TOKEN):
            refusal = await self._refusal(scope)
            if refusal is not None:
                await _refuse(send, *refusal, browser=not is_api)
                return
        await (self._api if is_api else self._page)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        client = scope["client"][0] if scope.get("client") else ""
        if self._access.is_guessing(client):
            return 429, "Too many wrong passwords came from this address. Try again in a minute."
        found = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        header = found[0].decode("latin-1") if found else ""
        if await asyncio.to_thread(self._access.allows, header, client):
            return None
        return 401, "Sign in with the token or password of this service."


async def _refuse(send: Send, status: int, sentence: str, *, browser: bool) -> None:
    body = json.dumps({"error": {"type": "NotSignedIn", "message": sentence}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Byline", charset="UTF-8"' if browser else b"Bearer"))
    else:
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
