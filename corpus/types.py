"""Frozen values of the corpus: `Span`, `Article`, `Passage`, `LoadFailure`. No I/O."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date

NORMALISER_VERSION = 1  # raise it when `corpus.normalise` would give another text for the same file


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open, non-empty range of characters (Unicode code points) in `Article.text`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"A span needs 0 <= start < end, got {self.start}..{self.end}.")

    def __len__(self) -> int:
        return self.end - self.start

    def slice(self, text: str) -> str:
        """Return the characters of `text` that the span covers."""
        return text[self.start : self.end]

    def contains(self, other: Span) -> bool:
        """Say whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Article:
    """One loaded article; `text` is normalised once while loading and never changes.

    Args:
        id: Given by the row or front matter, or made from the origin; never empty.
        title: Shown and indexed; never empty.
        text: Normalised text; what every offset of the project points into.
        source: The outlet, as printed; None when unknown (never guessed).
        url: Where a person can open it.
        published: Publication day from metadata.
        author: As printed.
        language: Two-letter code when the metadata says so.
        origin: Absolute path or URL it was loaded from.
        id_given: Whether the id came with the row or front matter (then copies are not folded together).
    """

    id: str
    title: str
    text: str = field(repr=False)
    source: str | None = None
    url: str | None = None
    published: date | None = None
    author: str | None = None
    language: str | None = None
    origin: str = ""
    id_given: bool = False
    content_hash: str = field(init=False, default="", repr=False)
    version: str = field(init=False, default="", repr=False)

    def __post_init__(self) -> None:
        if not self.id or not self.title.strip() or not self.text.strip():
            raise ValueError(f"An article needs an id, a title and a text; article {self.id!r} lacks one of them.")
        text = json.dumps(self.text)  # the long part of both hashes, written once
        object.__setattr__(self, "content_hash", _sha256(f"[{NORMALISER_VERSION}, {text}]"))
        published = self.published.isoformat() if self.published else None
        before = json.dumps([self.content_hash, NORMALISER_VERSION, self.title])
        after = json.dumps([self.source, self.url, published, self.author, self.language])
        object.__setattr__(self, "version", _sha256(f"{before[:-1]}, {text}, {after[1:]}"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous run of whole sentences of one article version; the unit that is indexed.

    Args:
        id: Unique in a library over all versions; see `corpus.chunk.passage_id`.
        ordinal: Position in the article, from 0.
        span: Where the passage lies in the article's text.
        text: `article.text[span.start:span.end]`.
        sentences: Spans into the article's text (not the passage's), in order, inside `span`.
        n_tokens: Tokens of `text` (tiktoken `o200k_base`).
    """

    id: str
    article_id: str
    version: str
    ordinal: int
    span: Span
    text: str = field(repr=False)
    sentences: tuple[Span, ...] = field(repr=False)
    n_tokens: int

    def __post_init__(self) -> None:
        if len(self.text) != len(self.span):
            raise ValueError(f"Passage {self.id!r}: text has {len(self.text)} characters, span {len(self.span)}.")
        if any(not self.span.contains(sentence) for sentence in self.sentences):
            raise ValueError(f"Passage {self.id!r}: a sentence lies outside the passage's span.")


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A file, URL or row that could not be read as an article, and one sentence saying why."""

    origin: str
    reason: str


def _sha256(facts: str) -> str:
    return "sha256:" + hashlib.sha256(facts.encode()).hexdigest()
