"""Every error of the HTTP interface as one JSON sentence with the status that fits it."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from corpus.errors import (
    ArticleFormatError,
    ArticleNotFoundError,
    BrokenCitationError,
    EmptyCorpusError,
    LibraryBusyError,
    QAError,
    ServiceBusyError,
    SettingsError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

_LOG = logging.getLogger(__name__)
_STATUS: tuple[tuple[type[QAError], int], ...] = (
    (SettingsError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ArticleFormatError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ArticleNotFoundError, HTTPStatus.NOT_FOUND),
    (EmptyCorpusError, HTTPStatus.CONFLICT),
    (LibraryBusyError, HTTPStatus.CONFLICT),
    (ServiceBusyError, HTTPStatus.TOO_MANY_REQUESTS),
    (BrokenCitationError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
# Everything else of ours means that the library or the reader cannot be used now, whatever is asked.
_OTHERWISE = HTTPStatus.SERVICE_UNAVAILABLE
_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The body is not valid JSON in UTF-8.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /openapi.json lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method; /openapi.json lists what it takes.",
}


class JsonError(HTTPException):
    """An error that an endpoint itself finds; `detail` is its sentence."""


def add_error_handlers(api: FastAPI) -> None:
    """Make the application answer with our sentences alone."""
    api.add_exception_handler(QAError, _on_ours)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(Exception, _on_mistake)


def error_body(error: QAError) -> dict[str, Any]:
    """Return what a stream that has begun says of an error."""
    return _body(type(error).__name__, str(error))


def json_error(status: int, kind: str, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response for one error.

    Args:
        status: HTTP status.
        kind: A word for programs.
        sentence: For people.
        headers: Added to the response.
    """
    # ASCII: a sentence may quote half a character, which is no UTF-8.
    return Response(json.dumps(_body(kind, sentence)), status, headers, media_type="application/json")


def _body(kind: str, sentence: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": sentence}}  # what OpenAI's clients look for


async def _on_ours(request: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), _OTHERWISE)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, ServiceBusyError) else None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("A request failed.", exc_info=error)
    return json_error(status, type(error).__name__, str(error), headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    if problem["type"] == "json_invalid":
        return json_error(HTTPStatus.BAD_REQUEST, "BadJson", _SENTENCES[HTTPStatus.BAD_REQUEST])
    place = ".".join(str(part) for part in problem["loc"] if part != "body") or "body"
    reason = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return json_error(HTTPStatus.UNPROCESSABLE_ENTITY, "BadValue", f"{place}: {reason}.")


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    sentence = error.detail if isinstance(error, JsonError) else _SENTENCES.get(status, f"{status.phrase}.")
    return json_error(status, status.phrase.replace(" ", ""), sentence, error.headers)


async def _on_mistake(request: Request, error: Exception) -> Response:
    return json_error(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Mistake", "Byline made a mistake; its log says where. Please report it."
    )
