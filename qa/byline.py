"""`Byline`: one open library that takes articles in and answers questions about them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from corpus.errors import EmptyCorpusError, SettingsError
from corpus.types import Article, LoadFailure
from index.types import AddProgress, AddReport, ArticleInfo, Embedder, Filters, Hit
from qa.choice import AS_SET, Choice
from qa.make_embedder import make_embedder
from qa.pipeline import EVERYTHING, Pipeline, check_k, check_question
from qa.readers import Readers
from qa.types import Answer, Reader, StreamEvent

if TYPE_CHECKING:
    from index.open import OpenIndex
    from index.retrieve import Retriever
    from qa.asking import Asker
    from qa.chats import Chats
    from qa.conversation import History
    from qa.llamaindex import Document
    from qa.settings import Settings

ProgressCallback = Callable[[AddProgress], None]
ChangeCallback = Callable[[str, tuple[str, ...]], None]


class Byline:
    """An open library; usually made by `qa.open`. Safe to use from several threads; changes take turns.

    Args:
        folder: Where the library lives; made when it is not there.
        settings: The encoder, reader and sizes to use.
        embedder: Takes the place of the encoder that the settings name.
        reader: Takes the place of the reader that the settings name.
        llm: An LLM of LlamaIndex that writes the answers, every statement checked.

    Raises:
        LibraryBusyError: If another process owns the library.
        IndexMismatchError: If it was built with another encoder or chunker; the message names the mend.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        embedder: Embedder | None = None,
        reader: Reader | None = None,
        llm: object = None,
    ) -> None:
        from index.open import open_index

        self.folder = folder
        self.settings = settings
        self.readers = Readers(settings, reader=reader, llm=llm)
        self.on_change: ChangeCallback | None = None  # told ("added", ids) and so on, after each change
        self._index = open_index(
            folder,
            embedder or make_embedder(settings),
            chunk_tokens=settings.chunk_tokens,
            keep_versions=settings.keep_versions,
        )
        self._retriever: Retriever | None = None
        self._pipelines: dict[Choice, Pipeline] = {}
        self._building = threading.Lock()
        self._filled_at: int | None = None  # generation of the library at which articles were last seen

    @property
    def index(self) -> OpenIndex:
        """The library and its two indexes, for the parts that look inside."""
        return self._index

    def add(self, *sources: str | Path, mirror: bool = False, on_progress: ProgressCallback | None = None) -> AddReport:
        """Add or update the articles of files, folders and URLs; unchanged ones cost nothing.

        Args:
            *sources: Paths and http(s) addresses.
            mirror: Also remove the articles whose files below these folders are gone; what could not be read stays.
            on_progress: Called after each article with how many are done.

        Returns:
            The ids of what changed and one `LoadFailure` for each file that could not be read.

        Raises:
            SettingsError: If something else than folders is to be mirrored.
        """
        from corpus.load import load_sources

        if mirror:
            from index.mirror import mirror_articles

            folders = [_mirrored(source) for source in sources]
            return self._noted(mirror_articles(self._index, load_sources(sources), folders, on_progress=on_progress))
        return self.add_articles(load_sources(sources), on_progress=on_progress)

    def add_articles(
        self, articles: Iterable[Article | LoadFailure], *, on_progress: ProgressCallback | None = None
    ) -> AddReport:
        """Add or update articles that are already loaded."""
        from index.disk import need_space
        from index.ingest import add_articles

        need_space(self.folder, 0, "adding articles")
        return self._noted(add_articles(self._index, articles, on_progress=on_progress))

    def add_documents(self, documents: Sequence[Document]) -> AddReport:
        """Add LlamaIndex documents, e.g. from a LlamaHub reader; their metadata becomes title, outlet and date."""
        from qa.llamaindex import load_documents

        return self.add_articles(load_documents(documents))

    def remove(self, *article_ids: str) -> None:
        """Remove articles for good.

        Raises:
            ArticleNotFoundError: If one is not there; then none is removed.
        """
        from index.ingest import remove_articles

        remove_articles(self._index, article_ids)
        self._note_change("removed", article_ids)

    def articles(self) -> list[ArticleInfo]:
        """Return what is in the library, without the texts."""
        return self._index.library.articles()

    def article(self, article_id: str, *, version: str | None = None) -> Article:
        """Return one article with its text.

        Args:
            article_id: Of the article.
            version: As a citation names it; None is the one that is current.

        Raises:
            ArticleNotFoundError: If no article has that id, or that version is not kept (`Settings.keep_versions`).
        """
        library = self._index.library
        return library.article(article_id) if version is None else library.version(article_id, version)

    def search(
        self, query: str, *, k: int | None = None, filters: Filters = EVERYTHING, rerank: bool = False
    ) -> list[Hit]:
        """Return the k best passages, best first.

        Args:
            query: A question, or words.
            k: How many; the setting's number when None.
            filters: Which articles may be searched.
            rerank: Read what was found, and rank it by what the reader thinks: better, and some 20 times as slow.

        Raises:
            EmptyCorpusError: If the library holds no article.
            SettingsError: If the query is empty or too long, or `k` is below 1.
        """
        if rerank:
            return self._answerer().search(query, k=k, filters=filters)
        self._check_filled()
        wanted = check_question(query, self.settings.max_question_chars)
        return self._finder().retrieve(wanted, k=check_k(k, self.settings.k), filters=filters)

    def ask(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> Answer:
        """Answer from the articles with citations, or abstain.

        Args:
            question: It may lean on the history; then `Answer.standalone_question` says how it was read.
            k: How many hits are shown.
            filters: Which articles may be searched.
            history: The turns before, oldest first: earlier `Answer`s, texts of questions, or `{role, text}`.
            as_of: Answer with what was published by this day; "last week" is counted from it, else from today.

        Raises:
            EmptyCorpusError: If the library holds no article.
            SettingsError: If the question is empty or too long, `k` is below 1, or the history is not one.
        """
        return self.asker().ask(question, k=k, filters=filters, history=history, as_of=as_of)

    def stream(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> Iterator[StreamEvent]:
        """Yield the hits, each statement, and the finished answer, as they are ready; all else as in `ask`."""
        return self.asker().stream(question, k=k, filters=filters, history=history, as_of=as_of)

    def asker(self, choice: Choice = AS_SET) -> Asker:
        """Return what answers as `ask` and `stream` do, in the way that was chosen.

        Raises:
            EmptyCorpusError: If the library holds no article.
            SettingsError: If the reader that was chosen is not to be had.
        """
        from qa.asking import Asker

        return Asker(self._answerer(choice), self._index.library)

    @property
    def chats(self) -> Chats:
        """The chats that the library keeps."""
        from qa.chats import Chats

        return Chats(self)

    async def asearch(
        self, query: str, *, k: int | None = None, filters: Filters = EVERYTHING, rerank: bool = False
    ) -> list[Hit]:
        """Search as `search` does, in a worker thread."""
        return await asyncio.to_thread(self.search, query, k=k, filters=filters, rerank=rerank)

    async def aask(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> Answer:
        """Answer as `ask` does, in a worker thread."""
        return await asyncio.to_thread(self.ask, question, k=k, filters=filters, history=history, as_of=as_of)

    async def astream(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters = EVERYTHING,
        history: History = (),
        as_of: date | None = None,
    ) -> AsyncIterator[StreamEvent]:
        """Yield as `stream` does, each step in a worker thread."""
        events = await asyncio.to_thread(self.stream, question, k=k, filters=filters, history=history, as_of=as_of)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    def close(self) -> None:
        """Let go of the library; calling it twice is fine."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _noted(self, report: AddReport) -> AddReport:
        for action in ("added", "updated", "removed"):
            self._note_change(action, getattr(report, action))
        return report

    def _note_change(self, action: str, article_ids: tuple[str, ...]) -> None:
        if self.on_change is not None and article_ids:
            self.on_change(action, article_ids)

    def _check_filled(self) -> None:
        library = self._index.library
        generation = library.generation()
        if generation == self._filled_at:  # counting takes long in a large library
            return
        if not library.n_passages():
            raise EmptyCorpusError(
                f"The library {str(self.folder)!r} holds no articles yet. Add some with: byline add PATH "
                "(or the two bundled ones: byline add --sample)"
            )
        self._filled_at = generation

    def _finder(self) -> Retriever:
        from index.retrieve import Retriever

        with self._building:
            self._retriever = self._retriever or Retriever(self._index, deadline_s=self.settings.deadline_s)
            return self._retriever

    def _answerer(self, choice: Choice = AS_SET) -> Pipeline:
        from corpus.chunk import CHUNKER_VERSION
        from qa import __version__

        self._check_filled()
        retriever, settings = self._finder(), choice.of(self.settings)
        with self._building:
            if choice not in self._pipelines:
                reader = self.readers.get(choice.reader, choice.strictness)
                facts = (__version__, self._index.embedder.fingerprint, CHUNKER_VERSION, reader.fingerprint)
                self._pipelines[choice] = Pipeline(
                    retriever=retriever,
                    reader=reader,
                    fingerprint=settings.fingerprint(*facts),
                    k=settings.k,
                    max_question_chars=settings.max_question_chars,
                )
            return self._pipelines[choice]


def _mirrored(source: str | Path) -> str:
    from corpus.load import origin_of

    folder = Path(os.path.abspath(source))
    if not folder.is_dir():
        raise SettingsError(f"{str(source)!r} is no folder, and only folders are mirrored. Leave out --mirror.")
    return origin_of(folder)
