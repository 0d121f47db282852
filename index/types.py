"""Values of the index (`Filters`, `Hit`, `ArticleInfo`, `AddReport`, ...) and its three protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.types import Article, LoadFailure, Passage

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may be searched; empty fields do not restrict.

    Args:
        outlets: Compared with `Article.source` without regard to case.
        since: First publication day that counts. Undated articles are left out when a day is set.
        until: Last publication day that counts.
        article_ids: Only these articles.
    """

    outlets: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    article_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"The date range is empty: since {self.since} is after until {self.until}.")

    def __bool__(self) -> bool:
        return bool(self.outlets or self.since or self.until or self.article_ids)


@dataclass(frozen=True, slots=True)
class Signals:
    """What each stage thought of a passage; None when that stage did not see it. Bigger is better.

    Args:
        bm25: BM25 score of header and passage, 0 or more.
        cosine: Cosine similarity of the question and the passage's most alike sentence, -1 to 1.
        fused: Convex sum of the min-max-scaled two, 0 to 1.
        reader: The reader's own score; its scale is the reader's.
    """

    bm25: float | None = None
    cosine: float | None = None
    fused: float | None = None
    reader: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its rank (from 1), the score that ordered it, and all signals.

    Args:
        sentence_cosines: Similarity of the question and each sentence of the passage; empty when it was not measured.
        story: What the article and its near-duplicates share, see `Library.stories`; None when it was not looked up.
        copies: Ids of near-duplicates whose passages say the same and were left out.
        degraded: One sentence when it was found without one of both indexes, which was late or is damaged.
    """

    rank: int
    passage: Passage
    article: Article
    score: float
    signals: Signals
    sentence_cosines: tuple[float, ...] = ()
    story: str | None = None
    copies: tuple[str, ...] = ()
    degraded: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the hit as in DESIGN 3.1 (`hits`), with `copies` when some were left out."""
        signals = self.signals
        copies = {"copies": list(self.copies)} if self.copies else {}
        return {
            "rank": self.rank,
            "passage_id": self.passage.id,
            "article_id": self.passage.article_id,
            "start": self.passage.span.start,
            "end": self.passage.span.end,
            "score": self.score,
            "signals": {
                "bm25": signals.bm25,
                "cosine": signals.cosine,
                "fused": signals.fused,
                "reader": signals.reader,
            },
            **copies,
        }


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """What the library lists about a visible article, without its text.

    Args:
        version: Hash of text and facts; changes with every edit.
        origins: Paths and URLs it was loaded from, sorted; several when copies were folded into one.
        n_passages: Passages it was cut into.
        story: Id of the first article of its story; None when it has no near-duplicates.
    """

    id: str
    title: str
    source: str | None
    url: str | None
    published: date | None
    version: str
    origins: tuple[str, ...]
    n_passages: int
    story: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the article as a row of `byline list --json` (DESIGN 3.2), with `story` when others share it."""
        story = {"story": self.story} if self.story else {}
        return {
            "id": self.id,
            "title": self.title,
            "source": self.source,
            "url": self.url,
            "published": self.published.isoformat() if self.published else None,
            "version": self.version,
            "origins": list(self.origins),
            "passages": self.n_passages,
            **story,
        }


@dataclass(frozen=True, slots=True)
class AddReport:
    """What one `add` did, as article ids in the order they came; each id is in one of the first four."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[LoadFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class AddProgress:
    """How far an `add` is: articles and failures dealt with so far, and where the last one came from."""

    done: int
    origin: str


class Embedder(Protocol):
    """Turns texts into unit-length rows; `fingerprint` changes whenever the vectors would."""

    @property
    def fingerprint(self) -> str:
        """Name, file hash and dimension, e.g. `minilm-l6-int8:3f2a...:384`."""

    @property
    def dim(self) -> int:
        """Width of a vector."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32, shape (len(texts), dim), rows of unit length in the order given."""

    def embed_question(self, text: str) -> Vectors:
        """Return float32, shape (dim,), of unit length."""


class VectorIndex(Protocol):
    """Nearest passages by cosine; disposable, rebuilt from the library."""

    def upsert(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """Store or replace one vector per passage id."""

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget these passages; unknown ids are no error."""

    def query(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return up to k (passage id, cosine), best first, ties by passage id."""


class LexicalIndex(Protocol):
    """BM25 over header and passage; disposable, rebuilt from the library."""

    def upsert(self, entries: Sequence[tuple[Passage, Article]]) -> None:
        """Store or replace the postings of these passages, visible when the call returns."""

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Forget these passages; unknown ids are no error."""

    def query(self, text: str, k: int, filters: Filters) -> list[tuple[str, float]]:
        """Return up to k (passage id, BM25 score), best first, ties by passage id."""
