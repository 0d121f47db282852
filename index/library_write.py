"""The truth as it is changed: vectors, article versions with their passages, origins, removals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from corpus.types import NORMALISER_VERSION, Article, Passage
from index.library_file import LibraryFile
from index.library_log import log_commit
from index.library_manifest import Build, embedder_key
from index.library_rows import rows_to_blobs, spans_to_blob
from index.library_stories import leave_story, link_stories
from index.sentence_vectors import pack_sentences
from index.types import Vectors


@dataclass(frozen=True, slots=True)
class CutArticle:
    """An article with its passages and, for each, the hash of what is embedded and indexed for it."""

    article: Article
    passages: tuple[Passage, ...]
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the library already holds of a batch of incoming articles.

    Args:
        versions: Article id -> its current version.
        contents: Content hash -> id of the first article that has it.
        origins: (origin, id it arrived as) -> id of the article that stands for it.
    """

    versions: dict[str, str]
    contents: dict[str, str]
    origins: dict[tuple[str, str], str]

    def replace(self, article: Article) -> None:
        """Take over that this version will be stored."""
        self.forget(article.id)
        self.versions[article.id] = article.version
        self.contents.setdefault(article.content_hash, article.id)

    def forget(self, article_id: str) -> None:
        """Take over that the article's former text may be gone; at worst a copy of it is then not folded."""
        self.versions.pop(article_id, None)
        for content in [content for content, id_ in self.contents.items() if id_ == article_id]:
            del self.contents[content]


def look_up(file: LibraryFile, articles: Sequence[Article]) -> Known:
    """Return what is stored under the ids, contents and origins of these articles."""
    ids = json.dumps([article.id for article in articles])
    hashes = json.dumps([article.content_hash for article in articles])
    with file.reading() as connection:
        versions = connection.execute(
            """
            SELECT articles.id, version FROM json_each(?) AS wanted
            CROSS JOIN articles ON articles.id = wanted.value
            CROSS JOIN versions ON versions.key = articles.current
            """,
            (ids,),
        ).fetchall()
        contents = connection.execute(
            """
            SELECT versions.content_hash, articles.id FROM json_each(?) AS wanted
            CROSS JOIN versions ON versions.content_hash = wanted.value
            CROSS JOIN articles ON articles.current = versions.key
            ORDER BY articles.key DESC
            """,
            (hashes,),
        ).fetchall()
        query = """
            SELECT articles.id FROM origins JOIN articles ON articles.key = origins.article
            WHERE origin = ? AND arrived_as = ?
        """
        origins = {}
        for pair in {(article.origin, article.id) for article in articles}:
            row = connection.execute(query, pair).fetchone()
            if row:
                origins[pair] = row[0]
    return Known(dict(versions), dict(contents), origins)


def missing_hashes(file: LibraryFile, fingerprint: str, hashes: Iterable[bytes]) -> set[bytes]:
    """Return those hashes for which this embedder's vector is not stored yet."""
    query = """
        SELECT 1 FROM vectors JOIN embedders ON embedders.key = vectors.embedder
        WHERE fingerprint = ? AND text_hash = ?
    """
    with file.reading() as connection:
        return {digest for digest in hashes if not connection.execute(query, (fingerprint, digest)).fetchone()}


def store_vectors(
    file: LibraryFile, build: Build, hashes: Sequence[bytes], vectors: Vectors, sentences: Sequence[Vectors]
) -> None:
    """Keep vectors by what was embedded, durable on return; those stored already stay as they are.

    Args:
        file: The library.
        build: Names the embedder.
        hashes: One for each passage.
        vectors: A row for each passage.
        sentences: For each passage a row for each of its sentences.
    """
    blobs = zip(hashes, rows_to_blobs(vectors), map(pack_sentences, sentences), strict=True)
    with file.writing() as connection:
        embedder = embedder_key(connection, build)
        connection.executemany(
            "INSERT INTO vectors (embedder, text_hash, vector, sentences) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            ((embedder, *row) for row in blobs),
        )


def store_articles(
    file: LibraryFile, build: int, cut_articles: Sequence[CutArticle], origins: Mapping[tuple[str, str], str]
) -> list[str]:
    """Make these versions current with all their passages and note where they came from, in one transaction.

    Every vector must be stored before; an article that lacks one fails the whole transaction.

    Args:
        file: The library.
        build: Number of the build that is read.
        cut_articles: In the order they came; of the same id the last one wins.
        origins: (origin, id it arrived as) -> id of the article that stands for it from now on.

    Returns:
        Ids of the articles removed because their last origin now stands for another article.
    """
    changed: list[str] = []
    texts: set[int] = set()  # keys of the articles whose text is new
    left: list[int] = []  # stories that lost a member
    with file.writing() as connection:
        for cut in cut_articles:
            article_key = _article_key(connection, cut.article)
            left += leave_story(connection, article_key)
            texts.add(article_key)
            version_key = _version_key(connection, article_key, cut.article)
            changed += _drop_passages(connection, article_key)
            connection.execute("UPDATE articles SET current = ? WHERE key = ?", (version_key, article_key))
            _forget_former(connection, article_key)
            insert_passages(connection, build, version_key, cut)
            changed += [passage.id for passage in cut.passages]
        orphans = _point_origins(connection, origins)
        for article_key, _ in orphans:
            left += leave_story(connection, article_key)
            changed += _delete_article(connection, article_key)
        link_stories(connection, texts - {article_key for article_key, _ in orphans}, left)
        if changed:
            log_commit(connection, changed)
    return [article_id for _, article_id in orphans]


def insert_passages(connection: sqlite3.Connection, build: int, version_key: int, cut: CutArticle) -> None:
    """Insert one version's passages inside a writing transaction; NOT NULL fails it where a vector is missing."""
    connection.executemany(
        """
        INSERT INTO passages (build, id, version, ordinal, span_start, span_end, sentences, n_tokens, vector)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, (
            SELECT vectors.key FROM vectors JOIN manifest ON manifest.embedder = vectors.embedder
            WHERE manifest.build = ? AND text_hash = ?
        ))
        """,
        (
            (build, p.id, version_key, p.ordinal, p.span.start, p.span.end, spans_to_blob(p.sentences), p.n_tokens)
            + (build, digest)
            for p, digest in zip(cut.passages, cut.hashes, strict=True)
        ),
    )


def delete_articles(file: LibraryFile, article_ids: Sequence[str]) -> None:
    """Forget articles with all versions, passages and origins, in one transaction; unknown ids are no error."""
    changed: list[str] = []
    left: list[int] = []
    with file.writing() as connection:
        for article_id in article_ids:
            row = connection.execute("SELECT key FROM articles WHERE id = ?", (article_id,)).fetchone()
            if row:
                left += leave_story(connection, row[0])
                changed += _delete_article(connection, row[0])
        link_stories(connection, (), left)
        log_commit(connection, changed)


def origins_below(file: LibraryFile, folder: str) -> set[tuple[str, str]]:
    """Return (origin, id it arrived as) of everything that was loaded from below a folder."""
    start = folder.rstrip("/") + "/"
    query = "SELECT origin, arrived_as FROM origins WHERE origin >= ? AND origin < ?"
    with file.reading() as connection:
        return set(connection.execute(query, (start, start[:-1] + chr(ord("/") + 1))))


def drop_origins(file: LibraryFile, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Forget origins, and the articles that have no other, in one transaction; return the ids of those articles."""
    touched: set[int] = set()
    changed: list[str] = []
    left: list[int] = []
    with file.writing() as connection:
        for pair in pairs:
            query = "SELECT article FROM origins WHERE origin = ? AND arrived_as = ?"
            touched.update(key for (key,) in connection.execute(query, pair))
            connection.execute("DELETE FROM origins WHERE origin = ? AND arrived_as = ?", pair)
        orphans = _without_origins(connection, touched)
        for article_key, _ in orphans:
            left += leave_story(connection, article_key)
            changed += _delete_article(connection, article_key)
        link_stories(connection, (), left)
        if changed:
            log_commit(connection, changed)
    return [article_id for _, article_id in orphans]


def _point_origins(connection: sqlite3.Connection, targets: Mapping[tuple[str, str], str]) -> list[tuple[int, str]]:
    """Let origins stand for articles; return key and id of the articles that thereby lost their last origin."""
    lost: set[int] = set()
    for (origin, arrived_as), article_id in targets.items():
        query = "SELECT article FROM origins WHERE origin = ? AND arrived_as = ?"
        former = connection.execute(query, (origin, arrived_as)).fetchone()
        if former:
            lost.add(former[0])
        connection.execute(
            """
            INSERT OR REPLACE INTO origins (origin, arrived_as, article)
            VALUES (?, ?, (SELECT key FROM articles WHERE id = ?))
            """,
            (origin, arrived_as, article_id),
        )
    return _without_origins(connection, lost)


def _without_origins(connection: sqlite3.Connection, article_keys: Iterable[int]) -> list[tuple[int, str]]:
    query = (
        "SELECT key, id FROM articles WHERE key = ? AND NOT EXISTS (SELECT 1 FROM origins WHERE article = articles.key)"
    )
    return [row for key in sorted(article_keys) for row in connection.execute(query, (key,))]


def _delete_article(connection: sqlite3.Connection, article_key: int) -> list[str]:
    """Delete one article with everything that hangs on it; return the ids of its passages."""
    dropped = _drop_passages(connection, article_key)
    connection.execute("DELETE FROM articles WHERE key = ?", (article_key,))
    return dropped


def _article_key(connection: sqlite3.Connection, article: Article) -> int:
    connection.execute(
        "INSERT INTO articles (id, id_given) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET id_given = excluded.id_given",
        (article.id, article.id_given),
    )
    return int(connection.execute("SELECT key FROM articles WHERE id = ?", (article.id,)).fetchone()[0])


def _version_key(connection: sqlite3.Connection, article_key: int, article: Article) -> int:
    published = article.published.isoformat() if article.published else None
    outlet = article.source.casefold() if article.source else None
    connection.execute(
        """
        INSERT INTO versions (article, version, content_hash, normaliser, title, source, outlet, url, published,
                              author, language, added, text)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (article, version) DO NOTHING
        """,
        (article_key, article.version, article.content_hash, NORMALISER_VERSION, article.title, article.source, outlet)
        + (article.url, published, article.author, article.language)
        + (datetime.now(UTC).isoformat(timespec="seconds"), article.text),
    )
    query = "SELECT key FROM versions WHERE article = ? AND version = ?"
    return int(connection.execute(query, (article_key, article.version)).fetchone()[0])


def _forget_former(connection: sqlite3.Connection, article_key: int) -> None:
    """Delete the versions that are not current, unless the library keeps them."""
    connection.execute(
        """
        DELETE FROM versions WHERE article = ? AND key != (SELECT current FROM articles WHERE key = versions.article)
        AND NOT (SELECT keep_versions FROM library)
        """,
        (article_key,),
    )


def _drop_passages(connection: sqlite3.Connection, article_key: int) -> list[str]:
    """Delete the passages of all versions of an article; return the ids of those that could be seen."""
    query = "SELECT id FROM visible WHERE article = ?"
    dropped = [passage_id for (passage_id,) in connection.execute(query, (article_key,))]
    connection.execute(
        "DELETE FROM passages WHERE version IN (SELECT key FROM versions WHERE article = ?)", (article_key,)
    )
    return dropped
