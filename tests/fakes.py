"""Fakes with real behaviour: words hashed to vectors, a scripted reader, a retriever that finds what it is given."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from corpus.types import Article, Passage, Span
from index.types import Filters, Hit, Signals, Vectors
from qa.types import Abstention, Citation, Reading, Statement, Support, flat


class FakeEmbedder:
    """Bag of hashed words: texts that share words have a high cosine."""

    def __init__(self, dim: int = 64) -> None:
        self._dim = dim

    @property
    def fingerprint(self) -> str:
        return f"fake-words:{self._dim}"

    @property
    def dim(self) -> int:
        return self._dim

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.array([self.embed_question(text) for text in texts], dtype=np.float32).reshape(-1, self._dim)

    def embed_question(self, text: str) -> Vectors:
        vector = np.full(self._dim, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[int(hashlib.md5(word.encode()).hexdigest(), 16) % self._dim] += 1.0
        return vector / np.linalg.norm(vector)

    def embed_tokens(self, text: str) -> Vectors:
        words = re.findall(r"\w+", text.lower()) or [""]
        return np.array([self.embed_question(word) for word in ["[CLS]", *words, "[SEP]"]], dtype=np.float32)


class FakeReader:
    """Cites the first sentence of the first hit; abstains when `silent` or without hits."""

    def __init__(self, silent: bool = False) -> None:
        self.silent = silent
        self.questions: list[str] = []

    @property
    def name(self) -> str:
        return "fake"

    @property
    def fingerprint(self) -> str:
        return "fake:1"

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        self.questions.append(question)
        scores = tuple(1.0 / hit.rank for hit in hits)
        if self.silent or not hits:
            return Reading((), (), 0.1, scores, abstention=Abstention("The fake reader was told to be silent."))
        span = hits[0].passage.sentences[0]
        quote = span.slice(hits[0].article.text)
        citation = Citation(1, hits[0].article, hits[0].passage.id, span, quote)
        return Reading((Statement(flat(quote), (1,), Support.VERBATIM),), (citation,), 0.9, scores)


def make_article(text: str, id: str = "a1", **facts) -> Article:
    """Return an article with a title, for tests that only care about the text."""
    return Article(id=id, title=facts.pop("title", f"Title of {id}"), text=text, **facts)


def make_hits(*articles: Article) -> list[Hit]:
    """Return one hit per article: its whole text as one passage of one sentence, ranked as given."""
    hits = []
    for rank, article in enumerate(articles, start=1):
        span = Span(0, len(article.text))
        passage = Passage(f"{article.id}:0", article.id, article.version, 0, span, article.text, (span,), 1)
        hits.append(Hit(rank, passage, article, 1.0 / rank, Signals(bm25=2.0 / rank, fused=1.0 / rank)))
    return hits


class FakeRetriever:
    """Finds what it was given, whatever the question; remembers what it was asked."""

    def __init__(self, hits: Sequence[Hit] = ()) -> None:
        self.hits = list(hits)
        self.calls: list[tuple[str, int, Filters]] = []

    def retrieve(self, question: str, *, k: int, filters: Filters) -> list[Hit]:
        self.calls.append((question, k, filters))
        return self.hits[:k]
