"""Fakes with real behaviour: words hashed to vectors, a scripted reader, a retriever that finds what it is given."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from corpus.types import Article, Passage, Span
from index.types import Filters, Hit, Signals, Vectors
from qa.network_onnx import Logits
from qa.reading_input import WRITINGS, ReadingInput
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


class FakeNetwork:
    """Reads by words alone: answerable is the share of the text's stems that the passage holds, and a capitalised or
    numeric piece that the text does not name is the more likely an answer the nearer it stands to matching ones."""

    fingerprint = "fake-network:1"

    def score(self, pairs: Sequence[ReadingInput]) -> list[Logits]:
        return [self._score(pair) for pair in pairs]

    def _score(self, pair: ReadingInput) -> Logits:
        matches, writings = pair.marks // WRITINGS, pair.marks % WRITINGS
        asked = matches[: int((pair.segments == 0).sum())]
        topic = (asked != 1)[1:-1]
        share = float((asked[1:-1][topic] > 1).mean()) if topic.any() else 0.0
        near = np.array([(matches[max(0, i - 8) : i + 9] > 1).sum() for i in range(len(pair))], np.float32)
        may = (writings > 0) & (writings < 4) & (matches == 0)
        spans = np.full((len(pair), 2), -2.0, np.float32)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], may.astype(int), [0]])))
        for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):  # runs of such pieces are one name or number
            spans[first, 0] = spans[last, 1] = near[first : last + 1].max()
        spans[0] = 2.0 - 4.0 * share
        return Logits(spans, 8.0 * share - 4.0, 8.0 * share - 4.0)


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
