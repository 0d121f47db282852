"""An open library as many clients use it at once: in turns, counted, and told when it is too much."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, TypeVar

from corpus.errors import QAError, ServiceBusyError
from corpus.types import Article
from index.stages import watch_stages
from qa.access import Access, Credentials, network_of
from qa.audit import acting
from qa.types import StreamEvent
from qa.worker_pool import STOPPING, Limits, WorkerPool

if TYPE_CHECKING:
    from pathlib import Path

    from corpus.types import LoadFailure
    from index.types import AddProgress, AddReport, ArticleInfo
    from qa.byline import Byline
    from qa.settings import Settings
    from qa.trace_opentelemetry import Tracer

Result = TypeVar("Result")
DEFAULT_LIMITS = Limits(workers=16, queue=128, per_client=64)  # the defaults of `qa.settings`, where they are explained
MAX_UPDATES = 10  # writes of one streamed answer: a person sees no difference, and fifty at once do
UPDATE_EVERY_S = 0.1


class Service:
    """The library, the pool that works for everybody, and who may ask.

    Args:
        byline: The open library; closing it stays the caller's business.
        limits: How much is taken on at once.
        credentials: What is demanded of everybody.
        hosts: Names, beside loopback and the address listened on, under which the service may be addressed.
        owner_token: What another process of the same user must bring to be served as if it were this one.
        tracer: Is told the stages of every question.
    """

    def __init__(
        self,
        byline: Byline,
        *,
        limits: Limits = DEFAULT_LIMITS,
        credentials: Credentials | None = None,
        hosts: tuple[str, ...] = (),
        owner_token: str | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.byline = byline
        self.pool = WorkerPool(limits)
        self.access = Access(credentials or Credentials())
        self.hosts = hosts
        self.owner_token = owner_token
        self._tracer = tracer

    def add(self, loaded: Iterable[Article | LoadFailure], who: str) -> AddReport:
        """Add articles in the name of `who`; closing the service stops it after an article that is safely stored."""
        given: dict[str, str] = {}

        def incoming() -> Iterator[Article | LoadFailure]:
            for item in loaded:
                if isinstance(item, Article):
                    given[item.id] = item.version
                yield item

        with acting(who), self._written_down_if_broken_off(lambda info: given.get(info.id) == info.version):
            return self.byline.add_articles(incoming(), on_progress=self._go_on)

    def add_file(self, path: Path, who: str) -> AddReport:
        """Add the articles of a file on this machine in the name of `who`; closing the service stops it likewise."""
        with acting(who), self._written_down_if_broken_off(lambda info: str(path) in info.origins):
            return self.byline.add(path, on_progress=self._go_on)

    def remove(self, article_ids: Sequence[str], who: str) -> None:
        """Remove articles in the name of `who`; all or none.

        Raises:
            ArticleNotFoundError: If one is not there.
        """
        with acting(who):
            self.byline.remove(*article_ids)

    async def run(self, client: str, work: Callable[[], Result]) -> Result:
        """Do one job when it is this client's turn; cancelling drops it if it was not begun.

        Raises:
            ServiceBusyError: If too much is asked at once.
        """
        context = self._context()
        return await asyncio.wrap_future(self.pool.submit(network_of(client), lambda: context.run(work)))

    def begin(self, client: str, work: Callable[[], Iterator[StreamEvent]]) -> Streaming:
        """Take on one answer; from within an event loop, which is not kept waiting.

        Raises:
            ServiceBusyError: If too much is asked at once.
        """
        return Streaming(self.pool, network_of(client), work, self._context())

    async def stream(self, client: str, work: Callable[[], Iterator[StreamEvent]]) -> AsyncIterator[list[StreamEvent]]:
        """Yield the events of one answer, at most `MAX_UPDATES` times, together those that came in the meantime.

        Raises:
            ServiceBusyError: If too much is asked at once.
        """
        streaming = self.begin(client, work)
        try:
            async for events in streaming.updates(MAX_UPDATES):
                yield events
        finally:
            streaming.leave()

    def close(self) -> None:
        """Let the running jobs finish, refuse the others, and send the traces that are left."""
        self.pool.close()
        if self._tracer is not None:
            self._tracer.close()

    @contextmanager
    def _written_down_if_broken_off(self, is_meant: Callable[[ArticleInfo], bool]) -> Iterator[None]:
        """Have the audit log name what an add that ends in an error has stored: it makes no report."""
        try:
            yield
        except BaseException:
            note = self.byline.on_change
            with suppress(QAError):  # what led here says more
                stored = () if note is None else tuple(info.id for info in self.byline.articles() if is_meant(info))
                if note is not None and stored:
                    note("broken off", stored)
            raise

    def _go_on(self, _: AddProgress) -> None:
        if self.pool.closed:
            raise ServiceBusyError(STOPPING)

    def _context(self) -> Context:
        """Return the context for a job: what is logged in the worker carries the request's id, as its trace does."""
        context = copy_context()
        if self._tracer is not None:
            context.run(watch_stages, self._tracer.watch())
        return context


class Streaming:
    """One answer that is on its way from the pool to an event loop; whoever made it calls `leave` at the end.

    Args:
        pool: What works on it.
        client: Whose turn it uses.
        work: Called in a worker thread.
        context: What it runs in.

    Raises:
        ServiceBusyError: If the pool does not take it on.
    """

    def __init__(
        self, pool: WorkerPool, client: str, work: Callable[[], Iterator[StreamEvent]], context: Context
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self._left = threading.Event()
        self._work = work
        self._future = pool.submit(client, lambda: context.run(self._job))
        self._future.add_done_callback(lambda _: self._hand_over(None))

    async def updates(self, most: int) -> AsyncIterator[list[StreamEvent]]:
        """Yield the events as they come, at most `most` times, together those that came in the meantime.

        Raises:
            ServiceBusyError: If it had to make room for another client's, or the service is shutting down.
            QAError: Whatever ended the work.
        """
        async for events in _coalesce(self._ready, most):
            yield events
        await asyncio.wrap_future(self._future)  # raises what ended the job

    def leave(self) -> None:
        """Give the place in the pool back: at once before the work was begun, else at its next event."""
        self._left.set()
        self._future.cancel()

    def _job(self) -> None:
        for event in self._work():
            if self._left.is_set():
                return
            self._hand_over(event)

    def _hand_over(self, event: StreamEvent | None) -> None:
        with suppress(RuntimeError):  # the loop was closed under a client that left
            self._loop.call_soon_threadsafe(self._ready.put_nowait, event)


def make_service(byline: Byline, settings: Settings, owner_token: str | None = None) -> Service:
    """Return the service that the settings describe.

    Raises:
        SettingsError: If a user is set without a password hash, or the other way round.
    """
    return Service(
        byline,
        limits=Limits(settings.workers, settings.queue, settings.per_client),
        credentials=credentials_of(settings),
        hosts=settings.hosts(),
        owner_token=owner_token,
        tracer=_make_tracer(settings),
    )


def credentials_of(settings: Settings) -> Credentials:
    """Return what the settings demand of everybody.

    Raises:
        SettingsError: If a user is set without a password hash, or the other way round.
    """
    token, hashed = settings.token, settings.password_hash
    return Credentials(
        token.get_secret_value() if token else None, settings.user, hashed.get_secret_value() if hashed else None
    )


def _make_tracer(settings: Settings) -> Tracer | None:
    if settings.trace_endpoint is None:
        return None
    from qa.trace_opentelemetry import Tracer  # a tenth of a second, and a thread, for those who want traces

    tracer = Tracer(settings.trace_endpoint, with_texts=settings.trace_texts)
    if settings.reader == "llm":
        from qa.trace_llama_opentelemetry import follow_llama

        follow_llama(tracer)
    return tracer


async def _coalesce(ready: asyncio.Queue[StreamEvent | None], most: int) -> AsyncIterator[list[StreamEvent]]:
    for number in range(1, most + 1):
        events: list[StreamEvent] = []
        due = time.monotonic() + (UPDATE_EVERY_S if number > 1 else 0.0)
        while True:
            event = await ready.get()
            if event is None:
                if events:
                    yield events
                return
            events.append(event)
            if number < most and ready.empty() and time.monotonic() >= due:
                break
        yield events
