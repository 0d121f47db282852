"""What an event says of who sent it: whose browser, in which of their chats, and what it carries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.audit import acting
from qa.request_id import begin_request
from qa.views.visitor import visitor_of

if TYPE_CHECKING:
    import gradio as gr

    from qa.views.keeping import Current


@dataclass(frozen=True, slots=True)
class Own:
    """Who asks, and in which of their chats; `visitor` is None for a browser that sent no cookie."""

    visitor: str | None
    current: Current

    @classmethod
    def of(cls, request: gr.Request, current: Current) -> Own:
        """Return it from what a browser sent with an event."""
        return cls(visitor_from(request), current)


def visitor_from(request: gr.Request) -> str | None:
    """Return whose browser sent an event."""
    return visitor_of(request.headers.get("cookie"))


@contextmanager
def on_behalf_of(request: gr.Request) -> Iterator[str]:
    """Log and write down what is done inside the block under the request that asked for it; yield in whose name.

    Gradio works in a context of its own, maybe another one for every step of a generator: the block must not yield.
    """
    begin_request(getattr(request.state, "request_id", None))
    who = f"page, {address_of(request)}"
    with acting(who):
        yield who


def address_of(request: gr.Request) -> str:
    """Return the address an event came from, whose turn a question uses, as over HTTP."""
    return request.client.host if request.client else ""


def given(event: gr.EventData, name: str) -> object:
    """Return what an event carries under a name; None when the browser sent nothing so called."""
    return getattr(event, name, None)
