"""Stored vectors that fail their own checks: found by the doctor, computed anew by `byline reindex`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from corpus.errors import LibraryDamagedError
from corpus.types import Passage
from index.library import Library
from index.library_log import log_commit
from index.library_manifest import current_build, embedder_key
from index.library_rows import hash_sentences, passage_from, rows_from, rows_to_blobs
from index.library_upkeep import StoredPassage, stored_passages
from index.sentence_vectors import pack_sentences, passage_vector, sentence_texts, unpack_sentences
from index.types import Embedder

_GOES_WITH = 0.98  # cosine of a passage's vector and the mean of its sentences': rounding costs 0.002


def vector_problem(passage: Passage, stored: StoredPassage, dim: int) -> str | None:
    """Say what is wrong with the vectors stored for a passage; None when they are well."""
    if stored.vector is None or stored.sentences is None or stored.text_hash != hash_sentences(passage):
        return f"passage {passage.id!r} has the vector of another text"
    try:
        (row,) = rows_from([stored.vector], dim)
        sentences = unpack_sentences([passage.id], [stored.sentences], dim).rows
    except LibraryDamagedError as error:
        return str(error)
    if len(sentences) != len(sentence_texts(passage)) or passage_vector(passage, sentences) @ row < _GOES_WITH:
        return f"passage {passage.id!r} has sentence vectors that do not go with its own"
    return None


def mend_vectors(library: Library, embedder: Embedder) -> int:
    """Embed again what the damaged vectors were made of; both indexes are then to be built anew.

    Returns:
        How many passages had damaged vectors.
    """
    n_mended = 0
    for passages in _damaged(library):
        _store(library, embedder, passages)
        n_mended += len(passages)
    return n_mended


def _damaged(library: Library) -> Iterator[list[Passage]]:
    dim = library.build.dim
    for article in library.all_articles():
        pairs = [
            (passage_from(stored.row, article.version, article.text), stored)
            for stored in stored_passages(library.file, article.id)
        ]
        if bad := [passage for passage, stored in pairs if vector_problem(passage, stored, dim)]:
            yield bad


def _store(library: Library, embedder: Embedder, passages: Sequence[Passage]) -> None:
    number, build = current_build(library.file)
    embedded = [embedder.embed_passages(sentence_texts(passage)) for passage in passages]
    vectors = np.array([passage_vector(*pair) for pair in zip(passages, embedded, strict=True)])
    hashes = [hash_sentences(passage) for passage in passages]
    with library.file.writing() as connection:
        key = embedder_key(connection, build)
        connection.executemany(
            """
            INSERT INTO vectors (embedder, text_hash, vector, sentences) VALUES (?, ?, ?, ?)
            ON CONFLICT (embedder, text_hash)
            DO UPDATE SET vector = excluded.vector, sentences = excluded.sentences
            """,
            zip([key] * len(hashes), hashes, rows_to_blobs(vectors), map(pack_sentences, embedded), strict=True),
        )
        connection.executemany(
            """
            UPDATE passages SET vector = (SELECT key FROM vectors WHERE embedder = ? AND text_hash = ?)
            WHERE id = ? AND build = ?
            """,
            ((key, digest, passage.id, number) for digest, passage in zip(hashes, passages, strict=True)),
        )
        log_commit(connection, [passage.id for passage in passages])
