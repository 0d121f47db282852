"""How this process logs: as sentences or as JSON lines, always on stderr, never with a secret in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from qa.request_id import request_id

_OURS = ("corpus", "index", "qa", "app", "evals")
MASK = "***"
_SECRET = re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\"]+|\b(token|password|api[_-]?key|secret)(=|%3D)[^\s&'\"]+")
_OWN_FIELDS = ("seconds", "client")  # put on a record with `extra`


def start_logging(style: Literal["text", "json"] = "text", secrets: Iterable[str] = ()) -> None:
    """Log to stderr; a process that logs already keeps its handlers and only changes how they write.

    Args:
        style: Sentences for people, or one JSON object a line.
        secrets: Masked wherever they would show.
    """
    logging.basicConfig()
    formatter = (JsonLines if style == "json" else Sentences)(tuple(secret for secret in secrets if secret))
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(formatter)


def log_at(level: str) -> None:
    """Log our own packages from `level` up and everybody else's warnings, on stderr."""
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())


class Sentences(logging.Formatter):
    """`LEVEL name: message`, with secrets masked.

    Args:
        secrets: Masked literally; tokens in headers and addresses are masked whatever they are.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self.mask(super().format(record))

    def mask(self, text: str) -> str:
        """Return `text` without anything that looks like, or is, a secret."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _SECRET.sub(lambda found: f"{found[1] or found[2] + found[3]}{' ' if found[1] else ''}{MASK}", text)


class JsonLines(Sentences):
    """One JSON object a record: at, level, logger, message, request, and the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.mask(record.getMessage()),
            "request": request_id(),
        }
        entry |= {name: getattr(record, name) for name in _OWN_FIELDS if hasattr(record, name)}
        if record.exc_info:
            entry["trace"] = self.mask(self.formatException(record.exc_info))
        return json.dumps({name: value for name, value in entry.items() if value is not None})
