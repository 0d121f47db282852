"""A bounded pool of worker threads in which every client gets its turn; beyond its bounds it refuses politely."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from corpus.errors import ServiceBusyError

Result = TypeVar("Result")
_FIRST_GUESS_S = 0.3  # what an answer takes on two cores; replaced by what is measured
_WEIGHT = 0.1  # of the newest job in the moving average: twenty jobs and the past is forgotten
_LONGEST_WAIT_S = 60  # a longer "try again in" is a guess about a load that will have changed by then
STOPPING = "Byline is shutting down. Start it again and ask once more."


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken on at once.

    Args:
        workers: Jobs that run side by side.
        queue: Jobs that may wait.
        per_client: Jobs of one client, running and waiting together, so that nobody can take every place.
    """

    workers: int
    queue: int
    per_client: int


@dataclass(slots=True, eq=False)
class _Job:
    client: str
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class WorkerPool:
    """Runs jobs of many clients in a few threads; clients with waiting jobs take turns, each in its own order.

    One who asks a thousand times at once waits for himself; another who asks once waits for one job of his. A full
    queue takes on a client with fewer jobs by refusing the last one of the client with the most (the longest-queue-drop
    of fair queueing; Suter et al., 1998), so a few who fill it do not shut everybody else out.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()  # the first client is the next one to be served
        self._inside: dict[str, int] = {}  # client -> its jobs, waiting and running
        self._n_waiting = self._n_running = 0
        self._seconds = _FIRST_GUESS_S
        self._closed = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    @property
    def n_waiting(self) -> int:
        """Jobs that no worker has begun."""
        return self._n_waiting

    @property
    def n_running(self) -> int:
        """Jobs that are being worked on."""
        return self._n_running

    @property
    def closed(self) -> bool:
        """Whether `close` was called; long jobs look at it and stop where they can."""
        return self._closed

    def submit(self, client: str, work: Callable[[], Result]) -> Future[Result]:
        """Take on one job.

        Args:
            client: Whose turn it uses.
            work: Called in a worker thread. Cancelling the future before that gives the place back.

        Raises:
            ServiceBusyError: If the queue is full and nobody has more waiting in it, or the client has its share of
                it. The result raises it as well, when the job had to make room for another client's, or the pool was
                closed before its turn.
        """
        job = _Job(client, work)
        with self._changed:
            dropped = self._make_room(client)
            self._waiting.setdefault(client, deque()).append(job)
            self._inside[client] = self._inside.get(client, 0) + 1
            self._n_waiting += 1
            if len(self._threads) < min(self.limits.workers, self._n_waiting + self._n_running):
                thread = threading.Thread(target=self._serve, name=f"answer-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
        if dropped:
            _refuse(dropped, self._busy())
        job.future.add_done_callback(lambda _: self._drop_if_cancelled(job))
        return job.future

    def close(self, timeout_s: float = 30.0) -> bool:
        """Refuse new jobs and the waiting ones, and let those that run finish; say whether they did in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._closed = True
            dropped = [job for jobs in self._waiting.values() for job in jobs]
            for job in dropped:
                self._take_out(job)
            self._changed.notify_all()
        for job in dropped:
            _refuse(job, ServiceBusyError(STOPPING))
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _make_room(self, client: str) -> _Job | None:
        """Return the waiting job that was taken out for this client's, if one had to be."""
        if self._closed:
            raise ServiceBusyError(STOPPING)
        if self._inside.get(client, 0) >= self.limits.per_client:
            wait_s = self._wait_s()
            raise ServiceBusyError(
                f"You have {self.limits.per_client} questions under way already: try again in {wait_s} s.", wait_s
            )
        if self._n_waiting < self.limits.queue + max(0, self.limits.workers - self._n_running):
            return None
        longest = max(self._waiting.values(), key=len, default=None)
        if longest is None or len(longest) <= len(self._waiting.get(client, ())) + 1:
            raise self._busy()
        job = longest[-1]
        self._take_out(job)
        return job

    def _busy(self) -> ServiceBusyError:
        wait_s = self._wait_s()
        return ServiceBusyError(f"Byline is busy: try again in {wait_s} s.", wait_s)

    def _wait_s(self) -> int:
        expected = (self._n_waiting + 1) * self._seconds / self.limits.workers
        return min(_LONGEST_WAIT_S, max(1, math.ceil(expected)))

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            started = time.monotonic()
            try:
                if job.future.set_running_or_notify_cancel():
                    _run(job)
            finally:
                with self._changed:
                    self._seconds += _WEIGHT * (time.monotonic() - started - self._seconds)
                    self._n_running -= 1
                    self._leave(job.client)

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            client, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[client] = jobs  # now the last in the row
            self._n_waiting -= 1
            self._n_running += 1
            return job

    def _drop_if_cancelled(self, job: _Job) -> None:
        if not job.future.cancelled():
            return
        with self._changed:
            jobs = self._waiting.get(job.client)
            if jobs is None or job not in jobs:
                return  # a worker took it and leaves for it, or it made room and is out
            self._take_out(job)

    def _take_out(self, job: _Job) -> None:
        jobs = self._waiting[job.client]
        jobs.remove(job)
        if not jobs:
            del self._waiting[job.client]
        self._n_waiting -= 1
        self._leave(job.client)

    def _leave(self, client: str) -> None:
        self._inside[client] -= 1
        if not self._inside[client]:
            del self._inside[client]


def _refuse(job: _Job, error: ServiceBusyError) -> None:
    if job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)


def _run(job: _Job) -> None:
    try:
        result = job.work()
    except BaseException as error:  # whatever it is belongs to whoever waits for the result, not to this thread
        job.future.set_exception(error)
    else:
        job.future.set_result(result)
