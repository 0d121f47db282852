"""A library of any size for benchmarks: made-up texts over real words, and vectors shaped like real ones.

Embedding 200,000 passages would take an hour, so vectors are made from those of real sentences: each is the weighted
sum of two of them and some noise, at unit length. Texts are words drawn as often as the real sentences have them, so
that posting lists are as long as they would be. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from corpus.chunk import passage_id
from corpus.types import Article, Passage, Span
from index.embed_onnx import OnnxEmbedder
from index.library_manifest import current_build
from index.library_rows import hash_sentences
from index.library_write import CutArticle, store_articles, store_vectors
from index.open import OpenIndex
from index.types import Vectors

SEED = 20261125
PASSAGES_AN_ARTICLE = 10
OUTLETS = 50
FIRST_DAY = date(2020, 1, 1)
DAYS = 2_000
SENTENCES_A_PASSAGE = 3
_SENTENCE_WORDS = 40  # with three sentences about as many tokens as a passage of 200 tokens has
_NOISE = 0.35  # of the length of what it is added to
_GROUP = 100  # articles stored at once


@dataclass(frozen=True, slots=True)
class Seeds:
    """What real sentences lend: their words, as often as they have them, and their vectors."""

    words: Sequence[str]
    vectors: Vectors


def make_seeds(texts: Sequence[str], embedder: OnnxEmbedder) -> Seeds:
    """Embed real sentences and gather their words."""
    return Seeds([word for text in texts for word in text.split()], embedder.embed_passages(texts))


def grow(index: OpenIndex, seeds: Seeds, n_passages: int) -> None:
    """Add made-up articles until the library holds `n_passages`, and bring both indexes up to it."""
    held = index.library.n_passages()
    first, last = held // PASSAGES_AN_ARTICLE, n_passages // PASSAGES_AN_ARTICLE
    number, build = current_build(index.library.file)
    with index.writing():
        for start in range(first, last, _GROUP):
            articles = [make_cut(seeds, n) for n in range(start, min(start + _GROUP, last))]
            hashes = [digest for cut, _ in articles for digest in cut.hashes]
            sentences = [rows for _, own in articles for rows in own]
            vectors = np.array([_unit(rows.mean(axis=0)) for rows in sentences])
            store_vectors(index.library.file, build, hashes, vectors, sentences)
            store_articles(index.library.file, number, [cut for cut, _ in articles], {})
        index.catch_up()


def make_cut(seeds: Seeds, n: int, edition: int = 0) -> tuple[CutArticle, list[Vectors]]:
    """Return the n-th article, cut, and the sentence vectors of each passage; another edition has other texts."""
    random = np.random.default_rng([SEED, n, edition])
    n_sentences = PASSAGES_AN_ARTICLE * SENTENCES_A_PASSAGE
    drawn = random.integers(len(seeds.words), size=(n_sentences, _SENTENCE_WORDS))
    sentences = [f"{' '.join(seeds.words[word] for word in row)}." for row in drawn]
    article = Article(
        id=f"made-up-{n:06}",
        title=f"Article {n}",
        text=" ".join(sentences),
        source=f"Outlet {n % OUTLETS}",
        published=FIRST_DAY + timedelta(days=n % DAYS),
        id_given=True,
    )
    passages = tuple(_passages(article, sentences))
    topics = random.integers(len(seeds.vectors), size=(PASSAGES_AN_ARTICLE, 2))
    vectors = [make_vectors(seeds, pair, SENTENCES_A_PASSAGE, random) for pair in topics]
    return CutArticle(article, passages, tuple(map(hash_sentences, passages))), vectors


def make_questions(seeds: Seeds, n: int) -> tuple[list[str], Vectors]:
    """Return n questions of ten words and their vectors, none of which is any passage's."""
    random = np.random.default_rng([SEED + 1])
    texts = [" ".join(seeds.words[word] for word in row) for row in random.integers(len(seeds.words), size=(n, 10))]
    topics = random.integers(len(seeds.vectors), size=(n, 2))
    return texts, np.concatenate([make_vectors(seeds, pair, 1, random) for pair in topics])


def make_vectors(seeds: Seeds, pair: Sequence[int], n: int, random: np.random.Generator) -> Vectors:
    """Return n unit rows about the same two topics."""
    weight = random.uniform(0.3, 0.7)
    topic = weight * seeds.vectors[pair[0]] + (1 - weight) * seeds.vectors[pair[1]]
    noise = random.standard_normal((n, seeds.vectors.shape[1])).astype(np.float32)
    noise *= _NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.array([_unit(row) for row in topic + noise * np.linalg.norm(topic)], dtype=np.float32)


class MadeUpEmbedder:
    """Knows the vectors of made-up questions and gives any other text a random one; costs nothing.

    Args:
        known: The vectors of questions.
        dim: Width of a vector.
        encoder: Is run over every question for what that costs; its vector is not used.
    """

    def __init__(self, known: dict[str, Vectors], dim: int, encoder: OnnxEmbedder | None = None) -> None:
        self._known = known
        self._dim = dim
        self._encoder = encoder

    @property
    def fingerprint(self) -> str:
        """Name and width."""
        return f"made-up:{self._dim}"

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return self._dim

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text."""
        return np.array([self.embed_question(text) for text in texts], dtype=np.float32).reshape(-1, self._dim)

    def embed_question(self, text: str) -> Vectors:
        """Return the known vector, or one that follows from the text."""
        if self._encoder is not None:
            self._encoder.embed_question(text)
        if text in self._known:
            return self._known[text]
        seed = np.frombuffer(text.encode().ljust(8)[:64], dtype=np.uint8)
        return _unit(np.random.default_rng(seed).standard_normal(self._dim).astype(np.float32))


def _passages(article: Article, sentences: Sequence[str]) -> Iterator[Passage]:
    start = 0
    spans = []
    for sentence in sentences:
        spans.append(Span(start, start + len(sentence)))
        start += len(sentence) + 1
    for ordinal in range(PASSAGES_AN_ARTICLE):
        own = tuple(spans[ordinal * SENTENCES_A_PASSAGE : (ordinal + 1) * SENTENCES_A_PASSAGE])
        span = Span(own[0].start, own[-1].end)
        yield Passage(
            passage_id(article.id, article.version, ordinal),
            article.id,
            article.version,
            ordinal,
            span,
            span.slice(article.text),
            own,
            SENTENCES_A_PASSAGE * _SENTENCE_WORDS,
        )


def _unit(row: Vectors) -> Vectors:
    unit: Vectors = np.asarray(row / np.linalg.norm(row), dtype=np.float32)
    return unit
