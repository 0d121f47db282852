"""Articles into the library and both indexes: incremental, idempotent, visible article by article.

```
calling thread   load ─ look up ─ chunk ─ group ──┐                      ┌── store ─ tell
encoder                                           └─ one slice a time ───┘
```
The calling thread is a few groups ahead of the encoder and stores, in order, what the encoder has done. So the encoder
never waits, there is one writer, and a caller's iterator and callback stay in the caller's thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from corpus.chunk import chunk_article
from corpus.errors import ArticleNotFoundError, QAError
from corpus.types import Article, LoadFailure, Passage
from index.encode import EncodedSlice, Encoding
from index.library_file import LibraryFile
from index.library_manifest import Build, current_build
from index.library_rows import hash_sentences
from index.library_write import (
    CutArticle,
    Known,
    delete_articles,
    look_up,
    missing_hashes,
    store_articles,
    store_vectors,
)
from index.open import OpenIndex
from index.types import AddProgress, AddReport, Embedder

_LOOK_UP = 256  # incoming articles compared with the library at once: unchanged ones cost three queries a batch
_LOOK_UP_WAIT_S = 0.5  # ... or as many as a slow loader gives in this time
_GROUP_ARTICLES = 50  # changed articles committed together, at most
_GROUP_PASSAGES = 64  # ... or as soon as they have this many passages: under a second of embedding is lost by a kill
_GROUPS_AHEAD = 3  # cut and waiting for the encoder: a group takes longer to embed than to cut
_CATCH_UP_PASSAGES = 1_024  # passages after which a long ingest makes what it stored searchable


def add_articles(
    index: OpenIndex,
    loaded: Iterable[Article | LoadFailure],
    *,
    on_progress: Callable[[AddProgress], None] | None = None,
) -> AddReport:
    """Store what is new or changed, skip what is not, and make it searchable.

    Safe to interrupt at any moment: an article is stored wholly or not at all, and adding the same again goes on
    from there. Copies (equal text) are folded into the article that was stored first, unless their id was given.

    Args:
        index: The library; other writers of this process wait until the run is over.
        loaded: Articles, and failures that are passed on to the report.
        on_progress: Called when an article is safely stored or skipped, or a failure noted.

    Raises:
        IndexMismatchError: If the embedder's vectors are not as wide as it says.
        IndexingError: If the library cannot be written.
    """
    with index.writing(), Encoding(index.embedder) as encoding:
        run = _Run(index, encoding, *current_build(index.library.file), on_progress)
        try:
            for batch in _batches(loaded):
                _add_batch(run, batch)
            run.settle(0)
        except BaseException:
            with suppress(QAError):  # what led here says more, and the next opening catches up too
                run.keep_what_is_done()
                index.catch_up()
            raise
        index.catch_up()
    return run.report()


def remove_articles(index: OpenIndex, article_ids: Sequence[str]) -> None:
    """Remove articles from the library and from both indexes; all or none.

    Raises:
        ArticleNotFoundError: Naming the ids that are not there; then nothing is removed.
    """
    with index.writing():
        missing = sorted(set(article_ids) - set(index.library.stories(article_ids)))  # a damaged text is not read
        if missing:
            names = ", ".join(repr(article_id) for article_id in missing)
            raise ArticleNotFoundError(f"There is no article {names}. See what there is with: byline list")
        delete_articles(index.library.file, article_ids)
        index.catch_up()


def cut_article(article: Article, chunk_tokens: int) -> CutArticle:
    """Chunk an article and hash what will be embedded for each passage."""
    passages = tuple(chunk_article(article, chunk_tokens=chunk_tokens))
    return CutArticle(article, passages, tuple(map(hash_sentences, passages)))


def embed_missing(file: LibraryFile, build: Build, embedder: Embedder, cut_articles: Sequence[CutArticle]) -> None:
    """Embed and store the passages whose sentences this embedder has not seen together; each slice is durable.

    Raises:
        IndexMismatchError: If the vectors are not as wide as the embedder says.
        IndexingError: If they hold NaN or infinity.
    """
    with Encoding(embedder) as encoding:
        for encoded in encoding.start(_missing(file, build, cut_articles)):
            _store_slice(file, build, encoded.result())


def _missing(file: LibraryFile, build: Build, cut_articles: Sequence[CutArticle]) -> dict[bytes, Passage]:
    passages = {
        digest: passage for cut in cut_articles for passage, digest in zip(cut.passages, cut.hashes, strict=True)
    }
    missing = missing_hashes(file, build.fingerprint, passages)
    return {digest: passage for digest, passage in passages.items() if digest in missing}


def _store_slice(file: LibraryFile, build: Build, encoded: EncodedSlice) -> None:
    store_vectors(file, build, encoded.hashes, encoded.vectors, encoded.sentences)


@dataclass(slots=True)
class _Group:
    """What is committed together: changed articles, moved origins, and what to report once that is done."""

    cut_articles: list[CutArticle] = field(default_factory=list)
    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    effects: list[Article | str] = field(default_factory=list)  # versions to come, and ids whose text may go, in order
    n_passages: int = 0
    slices: deque[Future[EncodedSlice]] = field(default_factory=deque)


@dataclass(slots=True)
class _Run:
    """One `add_articles` while it lasts."""

    index: OpenIndex
    encoding: Encoding
    build_number: int
    build: Build
    on_progress: Callable[[AddProgress], None] | None
    ahead: deque[_Group] = field(default_factory=deque)  # cut and not stored yet, in order
    outcomes: dict[str, str] = field(default_factory=dict)  # article id -> field of AddReport
    failed: list[LoadFailure] = field(default_factory=list)
    done: int = 0
    not_searchable: int = 0  # passages stored since both indexes last caught up

    def note(self, article_id: str, outcome: str, origin: str) -> None:
        """Count an incoming article; one that changed in this run stays so, whatever comes later."""
        if self.outcomes.get(article_id, "unchanged") == "unchanged":
            self.outcomes[article_id] = outcome
        self._tick(origin)

    def fail(self, failure: LoadFailure) -> None:
        """Pass a failure on."""
        self.failed.append(failure)
        self._tick(failure.origin)

    def look_up(self, articles: Sequence[Article]) -> Known:
        """Return what the library holds of these articles, once what is ahead is stored."""
        known = look_up(self.index.library.file, articles)
        for group in self.ahead:
            for effect in group.effects:
                if isinstance(effect, Article):
                    known.replace(effect)
                else:
                    known.forget(effect)
            known.origins.update(group.origins)
        return known

    def start(self, group: _Group) -> None:
        """Let a group be embedded, and store those before it that are ready."""
        waiting = {digest for other in self.ahead for cut in other.cut_articles for digest in cut.hashes}
        missing = _missing(self.index.library.file, self.build, group.cut_articles)
        group.slices.extend(self.encoding.start({d: p for d, p in missing.items() if d not in waiting}))
        self.ahead.append(group)
        self.settle(_GROUPS_AHEAD)

    def settle(self, n_ahead: int) -> None:
        """Store what is embedded, in order, and wait until no more than this many groups are left."""
        while self.ahead and (len(self.ahead) > n_ahead or all(encoded.done() for encoded in self.ahead[0].slices)):
            group = self.ahead[0]
            while group.slices:
                _store_slice(self.index.library.file, self.build, group.slices[0].result())
                group.slices.popleft()
            self._store(group)
            self.ahead.popleft()
            for note in group.notes:
                self.note(*note)
            self._catch_up_now_and_then(group.n_passages)

    def keep_what_is_done(self) -> None:
        """Break off: store every group and every slice that is ready, and start nothing more."""
        self.encoding.stop()
        whole = all(_is_ready(encoded) for group in list(self.ahead)[:1] for encoded in group.slices)
        while self.ahead and whole:
            self.settle(len(self.ahead) - 1)
            whole = all(_is_ready(encoded) for group in list(self.ahead)[:1] for encoded in group.slices)
        for group in self.ahead:
            for encoded in group.slices:
                if _is_ready(encoded):
                    _store_slice(self.index.library.file, self.build, encoded.result())

    def report(self) -> AddReport:
        """Return what was done."""
        ids = {
            name: tuple(article_id for article_id, outcome in self.outcomes.items() if outcome == name)
            for name in set(self.outcomes.values())
        }
        return AddReport(failed=tuple(self.failed), **ids)

    def _store(self, group: _Group) -> None:
        if group.cut_articles or group.origins:
            removed = store_articles(self.index.library.file, self.build_number, group.cut_articles, group.origins)
            self.outcomes.update(dict.fromkeys(removed, "removed"))

    def _catch_up_now_and_then(self, n_passages: int) -> None:
        self.not_searchable += n_passages
        if self.not_searchable >= _CATCH_UP_PASSAGES:
            self.index.catch_up()
            self.not_searchable = 0

    def _tick(self, origin: str) -> None:
        self.done += 1
        if self.on_progress:
            self.on_progress(AddProgress(self.done, origin))


def _batches(loaded: Iterable[Article | LoadFailure]) -> Iterator[list[Article | LoadFailure]]:
    batch: list[Article | LoadFailure] = []
    started = time.monotonic()
    for item in loaded:
        batch.append(item)
        if len(batch) == _LOOK_UP or time.monotonic() - started > _LOOK_UP_WAIT_S:
            yield batch
            batch, started = [], time.monotonic()
    if batch:
        yield batch


def _add_batch(run: _Run, batch: Sequence[Article | LoadFailure]) -> None:
    articles = [item for item in batch if isinstance(item, Article) and _storable(item)]
    known = run.look_up(articles)
    group = _Group()
    for item in batch:
        if isinstance(item, LoadFailure):
            run.fail(item)
        elif not _storable(item):
            run.fail(LoadFailure(ascii(item.origin), "Its name or text holds half a character (a lone surrogate)."))
        else:
            _decide(run, known, group, item)
        if len(group.cut_articles) >= _GROUP_ARTICLES or group.n_passages >= _GROUP_PASSAGES:
            run.start(group)
            group = _Group()
    run.start(group)


def _decide(run: _Run, known: Known, group: _Group, article: Article) -> None:
    """Put one incoming article into the group as new, changed, unchanged or a copy; keep `known` up to date."""
    stored = known.versions.get(article.id)
    twin = None if article.id_given else known.contents.get(article.content_hash)
    target = article.id
    if stored == article.version:
        outcome = "unchanged"
    elif twin not in (None, article.id):
        assert twin is not None
        target, outcome = twin, "unchanged"
        known.forget(article.id)
        group.effects.append(article.id)
    else:
        outcome = "added" if stored is None else "updated"
        cut = cut_article(article, run.build.chunk_tokens)
        group.cut_articles.append(cut)
        group.n_passages += len(cut.passages)
        known.replace(article)
        group.effects.append(article)
    pair = (article.origin, article.id)
    if known.origins.get(pair) != target:
        known.origins[pair] = group.origins[pair] = target
    group.notes.append((target, outcome, article.origin))


def _is_ready(encoded: Future[EncodedSlice]) -> bool:
    return encoded.done() and not encoded.cancelled() and encoded.exception() is None


def _storable(article: Article) -> bool:
    facts = (article.id, article.title, article.text, article.source, article.url, article.author, article.language)
    try:
        for fact in (*facts, article.origin):
            (fact or "").encode()
    except UnicodeEncodeError:
        return False
    return True
