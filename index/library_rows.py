"""Rows of the library to values and back: articles, passages, vectors. No connection is opened here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np

from corpus.errors import LibraryDamagedError
from corpus.types import NORMALISER_VERSION, Article, Passage, Span
from index.sentence_vectors import sentence_texts
from index.types import Vectors

ARTICLE_COLUMNS = """
    articles.id, versions.title, versions.text, versions.source, versions.url, versions.published, versions.author,
    versions.language, (SELECT min(origin) FROM origins WHERE origins.article = articles.key), articles.id_given,
    versions.version, versions.normaliser
"""
PASSAGE_COLUMNS = """
    visible.id, visible.article_id, visible.ordinal, visible.span_start, visible.span_end, visible.sentences,
    visible.n_tokens
"""
_UNIT_TOLERANCE = 0.01  # float16 rounding is below 0.001; bytes that are noise miss by far


@lru_cache(maxsize=256)  # a retrieval's articles and a conversation's; making one hashes its text twice
def article_from(row: tuple[object, ...]) -> Article:
    """Make the article of a row of `ARTICLE_COLUMNS`.

    Raises:
        LibraryDamagedError: If the stored text or facts are not those that were hashed when it was stored.
    """
    (id_, title, text, source, url, published, author, language, origin, id_given, version, normaliser) = row
    try:
        article = Article(
            id=str(id_),
            title=str(title),
            text=str(text),
            source=_text_or_none(source),
            url=_text_or_none(url),
            published=day_from(published, id_),
            author=_text_or_none(author),
            language=_text_or_none(language),
            origin=str(origin or ""),
            id_given=bool(id_given),
        )
    except ValueError as error:  # an article without a title or a text is none
        raise _not_as_added(id_) from error
    # The hash takes in the normaliser's version, so an older row cannot be compared.
    if normaliser == NORMALISER_VERSION and article.version != version:
        raise _not_as_added(id_)
    return article


def day_from(text: object, article_id: object) -> date | None:
    """Return the day that is stored for an article in ISO 8601; None for none.

    Raises:
        LibraryDamagedError: If it is no day.
    """
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError as error:
        raise _not_as_added(article_id) from error


def passage_from(row: tuple[str, str, int, int, int, bytes, int], version: str, text: str) -> Passage:
    """Make the passage of a row of `PASSAGE_COLUMNS`, cut from its article version's text.

    Raises:
        LibraryDamagedError: If the stored spans do not fit the text.
    """
    id_, article_id, ordinal, start, end, sentences, n_tokens = row
    try:
        span = Span(start, end)
        return Passage(id_, article_id, version, ordinal, span, span.slice(text), spans_from(sentences), n_tokens)
    except (ValueError, TypeError) as error:
        raise LibraryDamagedError(
            f"Passage {id_!r} does not fit the text of article {article_id!r}. Mend it with: byline reindex"
        ) from error


def spans_to_blob(spans: Sequence[Span]) -> bytes:
    """Pack spans as little-endian uint32 pairs."""
    return np.array([(span.start, span.end) for span in spans], dtype="<u4").tobytes()


def spans_from(blob: bytes) -> tuple[Span, ...]:
    """Unpack what `spans_to_blob` packed."""
    return tuple(Span(start, end) for start, end in np.frombuffer(blob, dtype="<u4").reshape(-1, 2).tolist())


def rows_to_blobs(vectors: Vectors) -> list[bytes]:
    """Pack each row as float16: 2 bytes a number cost 0.0003 of cosine at most and halve the library."""
    return [row.tobytes() for row in vectors.astype("<f2")]


def rows_from(blobs: Sequence[bytes], dim: int) -> Vectors:
    """Unpack float16 blobs to float32 rows of unit length.

    Raises:
        LibraryDamagedError: If a blob is not `dim` finite numbers of unit length.
    """
    joined = b"".join(blobs)
    if len(joined) != 2 * dim * len(blobs):
        raise LibraryDamagedError(f"A stored vector is not {dim} numbers long. Mend it with: byline reindex")
    rows: Vectors = np.frombuffer(joined, dtype="<f2").reshape(len(blobs), dim).astype(np.float32)
    if not np.isfinite(rows).all():
        raise LibraryDamagedError("A stored vector holds NaN or infinity. Mend it with: byline reindex")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.all((np.abs(norms - 1.0) < _UNIT_TOLERANCE) | (norms == 0)):
        raise LibraryDamagedError("A stored vector is not of unit length. Mend it with: byline reindex")
    np.divide(rows, norms, out=rows, where=norms > 0)
    return rows


def hash_sentences(passage: Passage) -> bytes:
    """Return the key of a passage's vectors: 32 bytes of SHA-256 over its sentences, which are what is embedded."""
    return hashlib.sha256(json.dumps(sentence_texts(passage)).encode()).digest()


def _not_as_added(article_id: object) -> LibraryDamagedError:
    return LibraryDamagedError(
        f"The stored text of article {article_id!r} is not what was added. "
        "Remove the article and add it again, or restore the library from a backup."
    )


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
