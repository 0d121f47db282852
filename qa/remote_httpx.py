"""A library that another process serves, used through it: the same methods, the same values, the same errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

import corpus.errors as errors
from corpus.errors import LibraryBusyError, QAError
from corpus.types import Article, LoadFailure
from index.owner import Owner
from index.types import AddProgress, AddReport, ArticleInfo, Filters, Hit
from qa import __version__
from qa.pipeline import EVERYTHING
from qa.types import Answer, StreamEvent
from qa.wire import Edition, Hello, Ids, Loaded, Wanted, pack, unpack

if TYPE_CHECKING:
    from qa.settings import Settings

Value = TypeVar("Value")
ProgressCallback = Callable[[AddProgress], None]
_CONNECT_S = 2.0  # on loopback it takes a millisecond
_HELLO_S = 30.0  # an owner that is only just starting answers when its page is ready
_READ_S = 120.0  # one answer, behind a full queue
_ADD_S = 600.0  # one batch, behind a folder that the page is adding
_BUSY_S = 60.0  # how long "busy" is answered with patience
_BATCH_ARTICLES = 64
_BATCH_CHARS = 1_000_000  # a quarter of a minute of embedding
# What may differ between two processes without changing what is answered.
_ELSEWHERE = frozenset(
    ("library", "k", "threads", "host", "port", "log", "log_format")
    + ("token", "user", "password_hash", "allowed_hosts", "workers", "queue", "per_client")
    + ("trace_endpoint", "trace_texts")
)


class RemoteByline:
    """An open library in another process; make one with `connect_owner`. Has the methods of `Byline` that commands use.

    Args:
        owner: Who holds the library, where it answers and with which token.
        settings: Those of this process.
    """

    def __init__(self, owner: Owner, settings: Settings) -> None:
        assert owner.address is not None
        self.owner = owner
        self.folder: Path = settings.library
        self.settings = settings
        with self._in_our_words():  # the address may be nonsense
            self._client = httpx.Client(
                base_url=owner.address,
                headers={"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"},
                timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
                trust_env=False,
            )

    def hello(self) -> Hello:
        """Ask who answers."""
        return self._call("hello", Hello, Ids, Ids(()), read_s=_HELLO_S)

    def ask(self, question: str, *, k: int | None = None, filters: Filters = EVERYTHING, **options: Any) -> Answer:  # noqa: ANN401
        """Answer as `Byline.ask` does."""
        return self._call("ask", Answer, Wanted, self._wanted(question, k, filters, options))

    def stream(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        **options: Any,  # noqa: ANN401
    ) -> Iterator[StreamEvent]:
        """Yield as `Byline.stream` does."""
        body = pack(Wanted, self._wanted(question, k, filters, options))
        with self._in_our_words(), self._client.stream("POST", "/owner/stream", content=body) as response:
            if response.is_error:
                response.read()
            _raise_ours(response)
            for line in response.iter_lines():
                if line.startswith('{"error"'):
                    raise _their_error(json.loads(line)["error"])
                yield unpack(StreamEvent, line.encode())

    def search(
        self, query: str, *, k: int | None = None, filters: Filters = EVERYTHING, rerank: bool = False
    ) -> list[Hit]:
        """Search as `Byline.search` does."""
        return self._call("search", list[Hit], Wanted, Wanted(query, filters, {"k": self._k(k), "rerank": rerank}))

    def articles(self) -> list[ArticleInfo]:
        """Return what is in the library."""
        return self._call("articles", list[ArticleInfo], Ids, Ids(()))

    def article(self, article_id: str, *, version: str | None = None) -> Article:
        """Return one article with its text; the current version when None."""
        return self._call("article", Article, Edition, Edition(article_id, version))

    def remove(self, *article_ids: str) -> None:
        """Remove articles for good; all or none."""
        self._call("remove", type(None), Ids, Ids(article_ids))

    def add(self, *sources: str | Path, mirror: bool = False, on_progress: ProgressCallback | None = None) -> AddReport:
        """Load files, folders and addresses in this process, and have the other one store their articles.

        Raises:
            LibraryBusyError: With `mirror`: what is gone from a folder is known only to who has folder and library.
        """
        from corpus.load import load_sources

        if mirror:
            raise LibraryBusyError(
                f"Mirroring a folder needs the library to itself, and process {self.owner.pid} serves it. "
                "Close that one first."
            )

        return self.add_articles(load_sources(sources), on_progress=on_progress)

    def add_articles(
        self, articles: Iterable[Article | LoadFailure], *, on_progress: ProgressCallback | None = None
    ) -> AddReport:
        """Have articles stored that are already loaded, some at a time; each batch is safe when the next one goes."""
        merged = AddReport()
        done = 0
        for batch in _batches(articles):
            loaded = Loaded(
                tuple(item for item in batch if isinstance(item, Article)),
                tuple(item for item in batch if isinstance(item, LoadFailure)),
            )
            merged = _merge(merged, self._call("add", AddReport, Loaded, loaded, read_s=_ADD_S))
            for item in batch:
                done += 1
                if on_progress:
                    on_progress(AddProgress(done, item.origin))
        return merged

    def close(self) -> None:
        """Let go of the connection; the library stays open where it is."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wanted(self, question: str, k: int | None, filters: Filters, options: dict[str, Any]) -> Wanted:
        # What says nothing is left out: the owner's method need not know of it.
        said = {name: value for name, value in options.items() if value is not None and value != ()}
        as_of = said.pop("as_of", None)
        return Wanted(question, filters, {"k": self._k(k), **said}, as_of)

    def _k(self, k: int | None) -> int:
        return self.settings.k if k is None else k

    def _call(self, name: str, gives: type[Value], takes: Any, value: object, read_s: float = _READ_S) -> Value:  # noqa: ANN401
        body = pack(takes, value)
        patience = time.monotonic() + _BUSY_S
        timeout = httpx.Timeout(read_s, connect=_CONNECT_S)
        while True:
            with self._in_our_words():
                response = self._client.post(f"/owner/{name}", content=body, timeout=timeout)
            busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS
            wait_s = float(response.headers.get("retry-after", "1")) if busy else 0.0
            if not busy or time.monotonic() + wait_s > patience:
                _raise_ours(response)
                result: Value = unpack(gives, response.content)
                return result
            time.sleep(wait_s)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise LibraryBusyError(
                f"Process {self.owner.pid}, which serves the library {str(self.folder)!r}, does not answer. "
                "Wait until it is done, or end it."
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise OwnerGoneError(
                f"Process {self.owner.pid}, which served the library {str(self.folder)!r}, has gone away. Try again."
            ) from error


class OwnerGoneError(LibraryBusyError):
    """Nobody answers where the lock file says that the owner does."""


def connect_owner(owner: Owner, settings: Settings) -> RemoteByline:
    """Return the library of `settings` as its owner serves it.

    Raises:
        OwnerGoneError: If nobody, or another process, answers at the owner's address.
        LibraryBusyError: If the owner does not answer in time, or was started with other settings than are set here.
    """
    remote = RemoteByline(owner, settings)
    try:
        try:
            hello = remote.hello()
        except (OwnerGoneError, LibraryBusyError):
            raise
        except QAError as error:  # a stranger's page, or one that does not know the token
            raise OwnerGoneError(
                f"At {owner.address} answers something else than process {owner.pid}, which holds the library "
                f"{str(settings.library)!r}. Close that process first."
            ) from error
        _check_same(hello, owner, settings)
    except BaseException:
        remote.close()
        raise
    return remote


def _check_same(hello: Hello, owner: Owner, settings: Settings) -> None:
    if hello.pid != owner.pid:
        raise OwnerGoneError(f"At {owner.address} answers process {hello.pid}, not {owner.pid}. Try again.")
    if hello.version != __version__:
        raise LibraryBusyError(
            f"The library {str(settings.library)!r} is served by Byline {hello.version}, and this is {__version__}. "
            "Restart the one that serves."
        )
    mine = settings.model_dump(mode="json")
    for name in sorted(settings.model_fields_set - _ELSEWHERE):
        if hello.settings.get(name) != mine[name]:
            raise LibraryBusyError(
                f"Process {hello.pid} serves the library {str(settings.library)!r} with {name} "
                f"{hello.settings.get(name)!r}, and here {mine[name]!r} is set. Close that one first, or leave the "
                "setting out."
            )


def _raise_ours(response: httpx.Response) -> None:
    """Raise the error that the owner met, as the class that it was there."""
    if response.is_success:
        return
    try:
        problem = json.loads(response.content)["error"]
        kind, sentence = problem["type"], problem["message"]
    except (ValueError, KeyError, TypeError) as error:
        raise QAError(f"The process that serves the library answered with status {response.status_code}.") from error
    raise _their_error({"type": kind, "message": sentence})


def _their_error(problem: dict[str, str]) -> QAError:
    kind = getattr(errors, problem["type"], QAError)
    return (
        kind(problem["message"])
        if isinstance(kind, type) and issubclass(kind, QAError)
        else QAError(problem["message"])
    )


def _batches(items: Iterable[Article | LoadFailure]) -> Iterator[list[Article | LoadFailure]]:
    batch: list[Article | LoadFailure] = []
    n_chars = 0
    for item in items:
        batch.append(item)
        n_chars += len(item.text) if isinstance(item, Article) else 0
        if len(batch) == _BATCH_ARTICLES or n_chars >= _BATCH_CHARS:
            yield batch
            batch, n_chars = [], 0
    if batch:
        yield batch


def _merge(before: AddReport, after: AddReport) -> AddReport:
    """Join the reports of two batches of one run as if it had been one: what changed stays so, whatever comes later."""
    outcomes = {id_: name for name in ("added", "updated", "unchanged", "removed") for id_ in getattr(before, name)}
    for name in ("added", "updated", "unchanged", "removed"):
        for id_ in getattr(after, name):
            if name == "removed" or outcomes.get(id_, "unchanged") == "unchanged":
                outcomes.pop(id_, None)
                outcomes[id_] = name
    ids = {name: tuple(id_ for id_, outcome in outcomes.items() if outcome == name) for name in set(outcomes.values())}
    return AddReport(failed=before.failed + after.failed, **ids)
