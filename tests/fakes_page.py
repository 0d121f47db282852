"""A small library in memory that behaves as `qa.byline.Byline` does towards the page, over whole-article passages."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from corpus.errors import ArticleNotFoundError, EmptyCorpusError, SettingsError
from corpus.types import Article, LoadFailure, Passage, Span
from index.library import Library
from index.library_file import LIBRARY_NAME
from index.library_manifest import Build, create_with
from index.types import AddProgress, AddReport, ArticleInfo, Filters, Hit, Signals
from qa.chats import Chats
from qa.choice import AS_SET, Choice
from qa.readers import Readers
from qa.service import DEFAULT_LIMITS, Service
from qa.settings import Settings
from qa.types import Abstention, Answer, Citation, Statement, StreamEvent, Support, flat
from qa.views.chat import ask

EVERYTHING = Filters()


class FakeByline:
    """Answers with every sentence that holds all words of the question in capitals; abstains when there is none."""

    def __init__(self, folder: Path, *articles: Article, max_question_chars: int = 4000) -> None:
        self.folder = folder
        self.settings = Settings(library=folder)
        self.readers = Readers(self.settings)
        self.choices: list[Choice] = []
        self.max_question_chars = max_question_chars
        self.on_change: Callable[[str, tuple[str, ...]], None] | None = None
        self._articles = {article.id: article for article in articles}

    @cached_property
    def index(self) -> SimpleNamespace:
        """A real file for the chats, in which no article is stored."""
        path = self.folder / LIBRARY_NAME
        if not path.exists():
            self.folder.mkdir(exist_ok=True)
            create_with(path, Build("fake", 4, 1, 200, "fake"))
        return SimpleNamespace(library=Library.open(path))

    @property
    def chats(self) -> Chats:
        return Chats(self)

    def put(self, article: Article) -> None:
        self._articles[article.id] = article

    def add(self, *sources: str | Path, on_progress: Callable[[AddProgress], None] | None = None) -> AddReport:
        added, updated, unchanged, failed = [], [], [], []
        for done, source in enumerate(map(Path, sources), 1):
            if on_progress is not None:
                on_progress(AddProgress(done, str(source)))
            try:
                text = source.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                failed.append(LoadFailure(str(source), "It is not text."))
                continue
            article = Article(source.stem, source.stem.replace("-", " "), text, origin=str(source))
            old = self._articles.get(article.id)
            same = old is not None and old.version == article.version
            (unchanged if same else updated if old else added).append(article.id)
            self._articles[article.id] = article
        return AddReport(tuple(added), tuple(updated), tuple(unchanged), (), tuple(failed))

    def change(self, article_id: str, text: str) -> None:
        self._articles[article_id] = replace(self._articles[article_id], text=text)

    def remove(self, *article_ids: str) -> None:
        for article_id in article_ids:
            del self._articles[self.article(article_id).id]

    def articles(self) -> list[ArticleInfo]:
        return [
            ArticleInfo(a.id, a.title, a.source, a.url, a.published, a.version, (a.origin,) if a.origin else (), 1)
            for a in self._articles.values()
        ]

    def article(self, article_id: str) -> Article:
        if article_id not in self._articles:
            raise ArticleNotFoundError(f"No article has the id {article_id!r}.")
        return self._articles[article_id]

    def asker(self, choice: Choice = AS_SET) -> "FakeByline":
        self.choices.append(choice)
        return self

    def ask(self, question: str, *, filters: Filters = EVERYTHING) -> Answer:
        *_, last = self.stream(question, filters=filters)
        return last.answer

    def stream(
        self, question: str, *, filters: Filters = EVERYTHING, history: Sequence[Answer] = ()
    ) -> Iterator[StreamEvent]:
        if not question.strip():
            raise SettingsError("The question is empty. Ask one in words.")
        if len(question) > self.max_question_chars:
            raise SettingsError("The question is too long. Shorten it.")
        if not self._articles:
            raise EmptyCorpusError("The library holds no articles yet.")
        return self._events(question, filters)

    def _events(self, question: str, filters: Filters) -> Iterator[StreamEvent]:
        searched = [a for a in self._articles.values() if not filters.article_ids or a.id in filters.article_ids]
        hits = tuple(_hit(rank, article) for rank, article in enumerate(searched, 1))
        yield StreamEvent("hits", hits=hits)
        words = re.findall(r"\b[A-Z]\w+", question)[1:]
        found = [
            (hit, span)
            for hit in hits
            for span in hit.passage.sentences
            if words and all(word in span.slice(hit.article.text) for word in words)
        ]
        statements, citations = [], []
        for n, (hit, span) in enumerate(found, 1):
            quote = span.slice(hit.article.text)
            start = span.start + quote.index(words[0])
            citations.append(Citation(n, hit.article, hit.passage.id, span, quote, Span(start, start + len(words[0]))))
            statements.append(Statement(flat(quote), (n,), Support.VERBATIM))
            yield StreamEvent("statement", statement=statements[-1], citations=(citations[-1],))
        abstention = None if found else Abstention("No sentence holds every name of the question.")
        yield StreamEvent(
            "answer",
            answer=Answer(
                question, tuple(statements), tuple(citations), hits, 0.9, "fake", "0" * 12, abstention=abstention
            ),
        )


def _hit(rank: int, article: Article) -> Hit:
    whole = Span(0, len(article.text))
    sentences = tuple(Span(*match.span()) for match in re.finditer(r"[^\s.][^.]*\.”?", article.text))
    passage = Passage(f"{article.id}:0", article.id, article.version, 0, whole, article.text, sentences, 1)
    return Hit(rank, passage, article, 1.0 / rank, Signals())


def asked(byline, question, turns=(), *, limits=DEFAULT_LIMITS, on_step=lambda service: None):
    """Ask to the end; return every state that the chat went through."""

    async def states():
        service = Service(byline, limits=limits)
        seen = []
        async for state in ask(service, "here", question, turns):
            seen.append(state)
            on_step(service)
        service.pool.close()
        return seen

    return asyncio.run(states())
