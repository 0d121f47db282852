"""Which browser it is: a secret that only it holds, in a cookie; the library stores nothing but the secret's hash.

Whoever has the secret sees the chats begun with it. It is long enough that nobody guesses it, no script of the page
can read it, and no other site can send it; chats are looked up by its hash, so neither the library nor a backup of it
opens anybody's chats. A cookie rather than the browser's storage: two tabs cannot overwrite each other's, and it holds
when the page is served at another port the next day.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable

from qa.views.guard import PAGE, App, Message, Receive, Scope, Send

COOKIE = "byline_visitor"
_SECRET_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # what token_urlsafe makes of 32 bytes
_UNSHARED = (b"cache-control", b"private, no-cache")  # a proxy that kept the page would give all the same secret
_KEPT_SECONDS = 400 * 86_400  # browsers keep no cookie longer; each visit begins anew


class Visitors:
    """Gives every browser that opens the page its secret, and one that has one the same again.

    Args:
        app: The page.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] != PAGE or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        secret = _secret_from(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
        cookie = _cookie(secret or secrets.token_urlsafe(_SECRET_BYTES), is_secure=scope.get("scheme") == "https")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message.get("headers", ()) if each[0].lower() != b"cache-control"]
                message = {**message, "headers": [*headers, _UNSHARED, (b"set-cookie", cookie.encode())]}
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def visitor_of(cookie_header: str | None) -> str | None:
    """Return the name under which the library keeps the chats of a browser; None when it sent no secret of ours."""
    secret = _secret_from([cookie_header] if cookie_header else [])
    return hashlib.sha256(secret.encode()).hexdigest() if secret else None


def _secret_from(headers: Iterable[str]) -> str | None:
    for pair in ";".join(headers).split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and _SECRET.fullmatch(value):
            return value
    return None


def _cookie(secret: str, *, is_secure: bool) -> str:
    # Lax, not Strict: a link from elsewhere to the page must find the chats; nothing that changes one is a GET.
    secure = "; Secure" if is_secure else ""
    return f"{COOKIE}={secret}; Path=/; Max-Age={_KEPT_SECONDS}; HttpOnly; SameSite=Lax{secure}"
