"""`POST /v1/chat/completions` and `GET /v1/models`, as OpenAI's clients speak; citations are `annotations`."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from corpus.errors import QAError, SettingsError
from qa.http_ask_fastapi import SSE, client_of, history_of, need_json, stream_response
from qa.http_errors_fastapi import error_body
from qa.http_models import ChatBody, HistoryTurn
from qa.render import declined, with_numbers
from qa.types import Answer, Citation, Statement, StreamEvent

if TYPE_CHECKING:
    from qa.service import Service

MODEL = "byline"
_DONE = "data: [DONE]\n\n"


def openai_router(service: Service) -> APIRouter:
    """Return the two routes."""
    router = APIRouter(prefix="/v1", tags=["openai"])
    byline = service.byline

    @router.post(
        "/chat/completions",
        response_model=None,
        dependencies=[Depends(need_json)],
        responses={200: {"content": {"application/json": {}, SSE: {}}}},
    )
    async def complete(body: ChatBody, request: Request) -> dict[str, object] | Response:
        """Answer the last message of a conversation; the Byline answer itself is in the field `byline`."""
        question, options = _asked(body)
        client = client_of(request)
        if body.stream:
            usage = body.stream_options is not None and body.stream_options.include_usage
            writer = _ChunkWriter(body.model, with_usage=usage)
            return await stream_response(service.stream(client, lambda: byline.stream(question, **options)), writer)
        answer = await service.run(client, lambda: byline.ask(question, **options))
        return _completion(answer, body.model)

    @router.get("/models")
    async def models() -> dict[str, object]:
        """List the one model there is."""
        return {"object": "list", "data": [_model()]}

    @router.get("/models/byline")
    async def model() -> dict[str, object]:
        """Describe it."""
        return _model()

    return router


def _asked(body: ChatBody) -> tuple[str, dict[str, Any]]:
    """Return the question, and how to ask it: after what was said before."""
    said = [message for message in body.messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise SettingsError("The last message must be the user's question.")
    earlier = [HistoryTurn(role=message.role, text=message.text()) for message in said[:-1]]  # type: ignore[arg-type]
    return said[-1].text(), {"history": history_of(earlier)}


def _completion(answer: Answer, model: str) -> dict[str, object]:
    content, annotations = _content(answer)
    message = {"role": "assistant", "content": content, "refusal": None, "annotations": annotations}
    return {
        "id": _new_id(),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(answer),
        "byline": answer.to_dict(),
    }


def _content(answer: Answer) -> tuple[str, list[dict[str, object]]]:
    """Return the text with its numbers, and one annotation for each citation of each statement in it."""
    if answer.abstention is not None:
        return f"{declined(answer.question)} {answer.abstention.reason}".lstrip(), []
    by_number = {citation.n: citation for citation in answer.citations}
    content, annotations = "", []
    for statement in answer.statements:
        before = len(content)
        content += _written(statement, first=not content)
        cited = [by_number[n] for n in statement.citations]
        annotations += _annotations(cited, before, len(content))
    return content, annotations


def _written(statement: Statement, *, first: bool) -> str:
    return f"{'' if first else ' '}{with_numbers(statement)}"


def _annotations(citations: Sequence[Citation], start: int, end: int) -> list[dict[str, object]]:
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": start,
                "end_index": end,
                "title": citation.article.title,
                "url": citation.article.url or f"urn:byline:{citation.article.id}",
            },
            "byline": citation.to_dict(),
        }
        for citation in citations
    ]


class _ChunkWriter:
    """Writes the events of one answer as chunks: the words of each statement, and at the end what they cite.

    Args:
        model: Named in every chunk, as it was asked for.
        with_usage: Send a last chunk that only counts tokens.
    """

    def __init__(self, model: str, *, with_usage: bool) -> None:
        self._head = {"id": _new_id(), "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._with_usage = with_usage
        self._written = ""

    def __call__(self, events: list[StreamEvent] | QAError) -> str:
        """Return what is sent for these events."""
        if isinstance(events, QAError):
            return _line(error_body(events)) + _DONE
        return "".join(map(self._write, events))

    def _write(self, event: StreamEvent) -> str:
        if event.kind == "hits":
            return self._chunk({"role": "assistant", "content": ""})
        if event.kind == "statement" and event.statement is not None:
            words = _written(event.statement, first=not self._written)
            self._written += words
            return self._chunk({"content": words})
        return self._end(event.answer) if event.kind == "answer" and event.answer is not None else ""

    def _end(self, answer: Answer) -> str:
        content, annotations = _content(answer)
        rest = content.removeprefix(self._written)  # an abstention, or nothing
        last = self._chunk({"content": rest, "annotations": annotations}, finish="stop", byline=answer.to_dict())
        usage = _line({**self._head, "choices": [], "usage": _usage(answer)}) if self._with_usage else ""
        return last + usage + _DONE

    def _chunk(self, delta: dict[str, object], finish: str | None = None, **more: object) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _line({**self._head, "choices": [choice], **more})


def _line(data: object) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _model() -> dict[str, object]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "byline"}


def _usage(answer: Answer) -> dict[str, int]:
    given, made = answer.prompt_tokens, answer.completion_tokens
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _new_id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
