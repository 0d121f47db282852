"""Waiting no longer than promised for calls that cannot be interrupted: SQLite, Chroma, tantivy, the encoder."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
Job = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Deadline:
    """A moment that is `seconds` away when this is made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left, at least 0."""
        return max(0.0, self._at - time.monotonic())


class Workers:
    """Threads that run calls; a call that hangs keeps its thread and nothing else.

    Unlike those of `ThreadPoolExecutor`, they do not keep a process from ending: Chroma waits for a foreign lock for
    up to 1,000 s.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0  # threads that wait for a job, less the jobs that wait for a thread

    def submit(self, call: Callable[..., ResultT], *given: Any) -> Future[ResultT]:  # noqa: ANN401 - passed on
        """Run a call in a thread that is free, or in a new one, in a copy of the caller's context."""
        future: Future[ResultT] = Future()
        with self._lock:
            self._free -= 1
            if self._free < 0:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
                self._free += 1
        self._jobs.put((future, copy_context().run, (call, *given)))
        return future

    def _work(self) -> None:
        while True:
            _run(*self._jobs.get())
            with self._lock:
                self._free += 1


def _run(future: Future[Any], call: Callable[..., Any], given: tuple[Any, ...]) -> None:
    # A function of its own, so that a waiting thread holds on to nobody's results.
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call(*given))
    except BaseException as error:  # the caller gets it, whatever it is
        future.set_exception(error)
