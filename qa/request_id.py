"""The id under which everything that one request causes is logged."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

_CURRENT: ContextVar[str | None] = ContextVar("request_id", default=None)
_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id() -> str | None:
    """Return the id of the request that is being served; None outside of any."""
    return _CURRENT.get()


def begin_request(given: str | None) -> str:
    """Take the caller's id over if it is harmless in a log, else make one; return it."""
    chosen = given if given and _USABLE.fullmatch(given) else secrets.token_hex(8)
    _CURRENT.set(chosen)
    return chosen
