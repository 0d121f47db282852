"""Articles into the library and both indexes: incremental, idempotent, visible article by article."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from corpus.chunk import chunk_article
from corpus.errors import ArticleNotFoundError, IndexingError, IndexMismatchError, QAError
from corpus.types import Article, LoadFailure
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
from index.sentence_vectors import passage_vector, sentence_texts
from index.types import AddProgress, AddReport, Embedder, Vectors

_LOOK_UP = 256  # incoming articles compared with the library at once: unchanged ones cost three queries a batch
_LOOK_UP_WAIT_S = 0.5  # ... or as many as a slow loader gives in this time
_GROUP_ARTICLES = 50  # changed articles committed together, at most
_GROUP_PASSAGES = 64  # ... or as soon as they have this many passages: under a second of embedding is lost by a kill
_EMBED_AT_ONCE = 64  # texts handed to the embedder, so that a whole book can be interrupted
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
    with index.writing():
        run = _Run(index, *current_build(index.library.file), on_progress)
        try:
            for batch in _batches(loaded):
                _add_batch(run, batch)
        except BaseException:
            with suppress(QAError):  # what led here says more, and the next opening catches up too
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
        missing = sorted(set(article_ids) - set(index.library.articles_by_id(article_ids)))
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
    passages = {
        digest: passage for cut in cut_articles for passage, digest in zip(cut.passages, cut.hashes, strict=True)
    }
    missing = missing_hashes(file, build.fingerprint, passages)
    wanted = [digest for digest in passages if digest in missing]
    for start in range(0, len(wanted), _EMBED_AT_ONCE):
        hashes = wanted[start : start + _EMBED_AT_ONCE]
        slice_of = [passages[digest] for digest in hashes]
        texts = [sentence_texts(passage) for passage in slice_of]
        rows = embedder.embed_passages([text for own in texts for text in own])
        _check_vectors(rows, (sum(map(len, texts)), build.dim))
        sentences = np.split(rows, np.cumsum([len(own) for own in texts])[:-1])
        vectors = np.array([passage_vector(*pair) for pair in zip(slice_of, sentences, strict=True)])
        store_vectors(file, build, hashes, vectors, sentences)


@dataclass(slots=True)
class _Run:
    """One `add_articles` while it lasts."""

    index: OpenIndex
    build_number: int
    build: Build
    on_progress: Callable[[AddProgress], None] | None
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

    def report(self) -> AddReport:
        """Return what was done."""
        ids = {
            name: tuple(article_id for article_id, outcome in self.outcomes.items() if outcome == name)
            for name in set(self.outcomes.values())
        }
        return AddReport(failed=tuple(self.failed), **ids)

    def _tick(self, origin: str) -> None:
        self.done += 1
        if self.on_progress:
            self.on_progress(AddProgress(self.done, origin))


@dataclass(slots=True)
class _Group:
    """What is committed together: changed articles, moved origins, and what to report once that is done."""

    cut_articles: list[CutArticle] = field(default_factory=list)
    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    n_passages: int = 0


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
    known = look_up(run.index.library.file, articles)
    group = _Group()
    for item in batch:
        if isinstance(item, LoadFailure):
            run.fail(item)
        elif not _storable(item):
            run.fail(LoadFailure(ascii(item.origin), "Its name or text holds half a character (a lone surrogate)."))
        else:
            _decide(run, known, group, item)
        if len(group.cut_articles) >= _GROUP_ARTICLES or group.n_passages >= _GROUP_PASSAGES:
            _commit(run, group)
            group = _Group()
    _commit(run, group)


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
    else:
        outcome = "added" if stored is None else "updated"
        cut = cut_article(article, run.build.chunk_tokens)
        group.cut_articles.append(cut)
        group.n_passages += len(cut.passages)
        known.replace(article)
    pair = (article.origin, article.id)
    if known.origins.get(pair) != target:
        known.origins[pair] = group.origins[pair] = target
    group.notes.append((target, outcome, article.origin))


def _commit(run: _Run, group: _Group) -> None:
    file = run.index.library.file
    if group.cut_articles or group.origins:
        embed_missing(file, run.build, run.index.embedder, group.cut_articles)
        removed = store_articles(file, run.build_number, group.cut_articles, group.origins)
        run.outcomes.update(dict.fromkeys(removed, "removed"))
    for note in group.notes:
        run.note(*note)
    run.not_searchable += group.n_passages
    if run.not_searchable >= _CATCH_UP_PASSAGES:
        run.index.catch_up()
        run.not_searchable = 0


def _check_vectors(vectors: Vectors, shape: tuple[int, int]) -> None:
    if vectors.shape != shape:
        raise IndexMismatchError(
            f"The embedder returned vectors of shape {vectors.shape} where {shape} was expected. "
            "Check the embedder that is set."
        )
    if not np.isfinite(vectors).all():
        raise IndexingError("The embedder returned NaN or infinity. Check the embedder that is set.")


def _storable(article: Article) -> bool:
    facts = (article.id, article.title, article.text, article.source, article.url, article.author, article.language)
    try:
        for fact in (*facts, article.origin):
            (fact or "").encode()
    except UnicodeEncodeError:
        return False
    return True
