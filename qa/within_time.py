"""Items of an iterator that may never give another one, until a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
_AHEAD = 8  # items that may wait to be taken: a model that writes faster than it is read has to wait, too
_LOOK_S = 0.1  # how soon the thread notices that nobody takes its items any more


class _Making(Generic[Item]):
    """What the thread and the one that waits for it share."""

    def __init__(self, make: Callable[[], Iterator[Item]]) -> None:
        self.make = make
        self.made: Queue[tuple[Item, ...]] = Queue(_AHEAD)  # of one item; empty when there are no more
        self.unwanted = Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            for item in self.make():
                if not self._put((item,)):
                    return
        except Exception as error:  # whatever it is, it is raised again where the items are taken
            self.failure = error
        self._put(())

    def _put(self, item: tuple[Item, ...]) -> bool:
        while not self.unwanted.is_set():
            try:
                self.made.put(item, timeout=_LOOK_S)
            except Full:
                continue
            return True
        return False


def until(deadline: float, make: Callable[[], Iterator[Item]]) -> Generator[Item, None, None]:
    """Yield what `make()` yields.

    The items are made in a thread: a server that sends signs of life and no text keeps a read from ever timing out,
    and only somebody else can then stop waiting. The thread ends with the next item; as a daemon it holds up no exit.

    Args:
        deadline: Of `time.monotonic`.
        make: Starts the iterator; called in the thread, with the context of the caller.

    Raises:
        TimeoutError: If the next item is not there by the deadline.
        Exception: What `make()` or its iterator raises.
    """
    making = _Making(make)
    thread = Thread(target=copy_context().run, args=(making.run,), daemon=True, name="byline-model")
    thread.start()
    try:
        while item := _next(making, deadline):
            yield item[0]
        if making.failure is not None:
            raise making.failure
    finally:
        making.unwanted.set()
        thread.join(2 * _LOOK_S)  # so that what it held is mostly let go by now; not if it waits for a server


def _next(making: _Making[Item], deadline: float) -> tuple[Item, ...]:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    try:
        return making.made.get(timeout=left)
    except Empty as error:
        raise TimeoutError from error
