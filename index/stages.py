"""The stages of answering a question, told to whoever wants to see where its time goes; usually that is nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

TEXT = (
    "_text"  # the end of a fact's name when it is text of questions, answers or articles, which not everybody may see
)
Note = Callable[..., None]  # note(name=fact, ...)
Watch = Callable[[str], AbstractContextManager[Note]]

_WATCH: ContextVar[Watch | None] = ContextVar("stages", default=None)


def watch_stages(watch: Watch) -> None:
    """Have every stage that is entered in this context, and in the threads that it starts, told to `watch`."""
    _WATCH.set(watch)


def stage(name: str) -> AbstractContextManager[Note]:
    """Mark what is done inside as a stage of the question at hand; costs next to nothing when nobody watches.

    Args:
        name: One of ask, retrieve, encode, search.words, search.vectors, read, check.
    """
    watch = _WATCH.get()
    return _UNWATCHED if watch is None else watch(name)


def _forget(**facts: object) -> None:
    return None


_UNWATCHED: AbstractContextManager[Note] = nullcontext(_forget)
