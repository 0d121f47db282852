"""A browser's part in asking the page, as lean as it can be: Gradio's queue spoken over plain HTTP.

A question is put with `POST /gradio_api/queue/join`; what comes of it is streamed by
`GET /gradio_api/queue/data?session_hash=...` until the queue closes that stream. Only the last message is read; a
browser also draws those before it. `gradio_client`, Gradio's own, spends many times the processor time on a question.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, NamedTuple

import httpx

COMPLETED = '"msg":"process_completed"'
JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"


class Box(NamedTuple):
    """The page's box for a question: its event, its widget, and how many values the event takes."""

    fn_index: int
    trigger_id: int
    n_inputs: int


class NotAnsweredError(Exception):
    """The queue did not take the question, or its answering ended in an error."""


async def find_box(client: httpx.AsyncClient) -> Box:
    """Return the box of the page that is at the client's base address."""
    for each in (await client.get("/config")).raise_for_status().json()["dependencies"]:
        for trigger_id, event in each["targets"]:
            if event == "submit":
                return Box(each["id"], trigger_id, len(each["inputs"]))
    raise NotAnsweredError("The page has no box for a question.")


class PageVisitor:
    """One open page: a session of Gradio's, and the cookie by which the library keeps this browser's chats.

    Args:
        client: At the page's address; several visitors may share one.
        box: Of the page.
    """

    def __init__(self, client: httpx.AsyncClient, box: Box) -> None:
        self._client, self._box = client, box
        self._session = secrets.token_hex(6)
        self._cookie = {"cookie": f"byline_visitor={secrets.token_urlsafe(32)}"}

    async def ask(self, question: str) -> list[Any]:
        """Ask and return the widgets' last values, as a browser gets them.

        Raises:
            NotAnsweredError: If no answer came.
        """
        fn_index, trigger_id, n_inputs = self._box
        body = {
            "data": [question, *[None] * (n_inputs - 1)],  # the others are the session's own
            "fn_index": fn_index,
            "trigger_id": trigger_id,
            "session_hash": self._session,
        }
        joined = await self._client.post(JOIN, json=body, headers=self._cookie)
        if joined.is_error:
            raise NotAnsweredError(f"{joined.status_code}: {joined.text}")
        last = ""
        given = {"session_hash": self._session}
        async with self._client.stream("GET", DATA, params=given, headers=self._cookie) as stream:
            async for line in stream.aiter_lines():
                if COMPLETED in line[:60]:
                    last = line
        if not last:
            raise NotAnsweredError("The stream ended without an answer.")
        message = json.loads(last.removeprefix("data: "))
        if not message["success"]:
            raise NotAnsweredError(str(message["output"].get("error")))
        return list(message["output"]["data"])
