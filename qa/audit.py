"""The audit log of a served library: who put which articles in or took them out, one JSON line each."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from qa.request_id import request_id

AUDIT_NAME = "audit.jsonl"  # in the library's folder
_ACTOR: ContextVar[str] = ContextVar("actor", default="page")


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Write changes inside the block down to `who`: an address, or `command line`; outside of any it is the page."""
    token = _ACTOR.set(who)
    try:
        yield
    finally:
        _ACTOR.reset(token)


class AuditLog:
    """Appends to the audit log of one library; any thread may.

    Args:
        folder: The library's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / AUDIT_NAME
        self._lock = threading.Lock()

    def note(self, action: str, article_ids: tuple[str, ...]) -> None:
        """Write one line, on disk when this returns; nothing when no article is concerned."""
        if not article_ids:
            return
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": _ACTOR.get(),
            "request": request_id(),
            "action": action,
            "articles": article_ids,
        }
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
