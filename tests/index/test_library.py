import sqlite3
import threading
from datetime import date

import numpy as np
import pytest

from corpus.chunk import chunk_article
from corpus.errors import (
    ArticleNotFoundError,
    IndexingError,
    IndexMismatchError,
    IndexMissingError,
    LibraryDamagedError,
)
from corpus.types import Span
from index import library_file
from index.ingest import add_articles, remove_articles
from index.library import Library
from index.library_chats import create_chat, list_chats
from index.library_file import APPLICATION_ID, LIBRARY_NAME, SCHEMA_VERSION, LibraryFile
from index.library_manifest import Build, create_with
from index.library_rows import rows_from, rows_to_blobs, spans_from, spans_to_blob
from index.library_upkeep import give_back_space
from index.sentence_vectors import passage_vector, sentence_texts
from index.types import Filters
from tests.fakes import make_article

TEXT = "First sentence here. Second “quoted” one — with 🙂 emoji.\n\nA new paragraph. " + "More words follow. " * 80
ARTICLE = make_article(
    TEXT.strip(),
    id="a1",
    source="The Guardian",
    url="https://example.org/a1",
    published=date(2025, 5, 6),
    author="A. Writer",
    language="en",
    origin="/articles/a1.txt",
)
OTHER = make_article("Something else entirely.", id="a2", source="Reuters", published=date(2025, 5, 8), origin="o2")
BARE = make_article("No outlet and no date.", id="a3", id_given=True)


@pytest.fixture
def library(index):
    add_articles(index, [ARTICLE, OTHER, BARE])
    return index.library


def test_article_comes_back_exactly_as_it_was_added(library):
    assert library.article("a1") == ARTICLE and library.article("a1").version == ARTICLE.version
    assert library.article("a3") == BARE
    with pytest.raises(ArticleNotFoundError, match="'nope'.*byline list"):
        library.article("nope")


def test_passages_come_back_exactly_as_they_were_cut(library):
    passages = chunk_article(ARTICLE)
    assert len(passages) > 1 and library.passages_of("a1") == passages
    wanted = [passages[1].id, "unknown", passages[0].id, passages[1].id]
    assert library.passages(wanted) == {passage.id: passage for passage in passages[:2]}
    assert library.passages_with_articles([passages[0].id]) == {passages[0].id: (passages[0], ARTICLE)}
    assert library.passages([]) == {}
    with pytest.raises(ArticleNotFoundError):
        library.passages_of("nope")


def test_articles_lists_facts_origins_and_passages(library):
    infos = library.articles()
    assert [info.id for info in infos] == ["a1", "a2", "a3"]
    assert infos[0].to_dict() == {
        "id": "a1",
        "title": "Title of a1",
        "source": "The Guardian",
        "url": "https://example.org/a1",
        "published": "2025-05-06",
        "version": ARTICLE.version,
        "origins": ["/articles/a1.txt"],
        "passages": len(chunk_article(ARTICLE)),
    }
    assert infos[2].origins == () and infos[2].source is None
    assert library.n_passages() == sum(info.n_passages for info in infos)


def test_vectors_are_the_embedded_ones_as_unit_rows(library, embedder):
    passages = chunk_article(ARTICLE)
    ids = [passage.id for passage in reversed(passages)]
    expected = np.array([passage_vector(p, embedder.embed_passages(sentence_texts(p))) for p in reversed(passages)])
    rows = library.vectors(ids)
    assert rows.dtype == np.float32 and rows.shape == expected.shape
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6) and np.allclose(rows, expected, atol=1e-3)
    known, some = library.known_vectors([ids[0], "unknown"])
    assert known == [ids[0]] and np.array_equal(some, rows[:1])
    with pytest.raises(ValueError, match="1 of 2 passages"):
        library.vectors([ids[0], "unknown"])
    assert library.vectors([]).shape == (0, embedder.dim)


@pytest.mark.parametrize(
    ("filters", "article_ids"),
    [
        (Filters(), {"a1", "a2", "a3"}),
        (Filters(outlets=("the guardian",)), {"a1"}),
        (Filters(outlets=("REUTERS", "nobody")), {"a2"}),
        (Filters(since=date(2025, 5, 7)), {"a2"}),
        (Filters(until=date(2025, 5, 7)), {"a1"}),
        (Filters(since=date(2025, 5, 6), until=date(2025, 5, 8)), {"a1", "a2"}),
        (Filters(article_ids=("a3", "a1", "gone")), {"a1", "a3"}),
        (Filters(article_ids=("a3",), outlets=("Reuters",)), set()),
    ],
)
def test_passage_ids_where_applies_every_filter(library, filters, article_ids):
    ids = library.passage_ids_where(filters)
    assert {passage.article_id for passage in library.passages(ids).values()} == article_ids
    assert len(ids) == sum(info.n_passages for info in library.articles() if info.id in article_ids)


def test_generation_grows_with_every_change_and_not_otherwise(index, library):
    before = library.generation()
    add_articles(index, [ARTICLE])
    assert library.generation() == before
    add_articles(index, [make_article("New text.", id="a1")])
    between = library.generation()
    remove_articles(index, ["a1"])
    assert before < between < library.generation()


def test_library_reads_while_another_thread_writes(index, library):
    """Every read sees an article wholly in one version: its passages tile that version's text."""
    versions = [make_article(f"Version {n}. " + f"Word{n} again. " * 150, id="a1") for n in range(12)]
    stop = threading.Event()
    problems: list[str] = []

    def read():
        while not stop.is_set():
            passages = library.passages_of("a1")
            pairs = library.passages_with_articles([passage.id for passage in passages])
            texts = {article.text for _, article in pairs.values()}
            if len({passage.version for passage in passages}) != 1 or len(texts) > 1:
                problems.append("mixed versions")
            if pairs and (len(pairs) != len(passages) or texts.pop()[-5:] not in passages[-1].text):
                problems.append("half an article")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in versions:
        add_articles(index, [version])
    stop.set()
    for thread in threads:
        thread.join(timeout=20)
    assert not problems and library.article("a1") == versions[-1]


def test_blobs_keep_spans_and_vectors():
    spans = (Span(0, 5), Span(6, 70_000), Span(70_000, 3_000_000_000))
    assert spans_from(spans_to_blob(spans)) == spans and spans_from(spans_to_blob(())) == ()
    rows = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, 0.0]], np.float32)
    assert np.allclose(rows_from(rows_to_blobs(rows), 2), rows, atol=5e-4)
    with pytest.raises(LibraryDamagedError, match="not 3 numbers"):
        rows_from(rows_to_blobs(rows), 3)


def edit(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "error", "message"),
    [
        (f"PRAGMA user_version = {SCHEMA_VERSION + 1}", IndexMismatchError, "newer Byline.*pip install --upgrade"),
        ("PRAGMA user_version = 0", LibraryDamagedError, "schema 0.*backup"),
        ("PRAGMA application_id = 7", IndexMismatchError, "another program .application id 7.*--library"),
    ],
    ids=["newer", "no schema", "foreign"],
)
def test_open_refuses_a_file_that_is_not_this_schema(index, folder, statement, error, message):
    index.close()
    path = folder / "library.sqlite3"
    edit(path, statement)
    with pytest.raises(error, match=message):
        Library.open(path)
    edit(path, f"PRAGMA user_version = {SCHEMA_VERSION}", f"PRAGMA application_id = {APPLICATION_ID}")
    Library.open(path).close()


def test_open_refuses_a_missing_file_and_one_that_is_no_database(tmp_path):
    with pytest.raises(IndexMissingError, match="byline add"):
        Library.open(tmp_path / "library.sqlite3")
    (tmp_path / "junk").write_bytes(b"not a database at all " * 100)
    with pytest.raises(LibraryDamagedError, match="is damaged.*backup"):
        Library.open(tmp_path / "junk")


def test_reading_a_truncated_file_is_an_error_of_ours(index, folder):
    add_articles(index, [make_article(f"Text number {n}. " * 40, id=f"a{n}") for n in range(30)])
    index.close()
    path = folder / "library.sqlite3"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(LibraryDamagedError):
        library = Library.open(path)
        for info in library.articles():
            library.passages_of(info.id)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE versions SET text = 'Another text of no passage.' WHERE title = 'Title of a1'", "not what was added"),
        ("UPDATE versions SET published = '2020-01-01' WHERE title = 'Title of a1'", "not what was added"),
        ("UPDATE versions SET published = '2020-13-41' WHERE title = 'Title of a1'", "not what was added"),
        ("UPDATE versions SET title = ' ' WHERE title = 'Title of a1'", "not what was added"),
        ("UPDATE passages SET span_end = 900000 WHERE ordinal = 0", "does not fit the text"),
        ("UPDATE passages SET span_end = 'x' WHERE ordinal = 0", "does not fit the text"),
    ],
)
def test_reading_notices_a_row_that_was_changed_behind_its_back(library, folder, statement, message):
    edit(folder / "library.sqlite3", statement)
    with pytest.raises(LibraryDamagedError, match=message):
        library.passages_of("a1")


def test_a_closed_library_says_so(index, library):
    index.close()
    with pytest.raises(IndexingError, match="is closed"):
        library.articles()


def test_a_failed_write_leaves_nothing_behind(library):
    before = library.articles()
    with pytest.raises(RuntimeError, match="stop"), library.file.writing() as connection:
        connection.execute("DELETE FROM articles")
        raise RuntimeError("stop")
    assert library.articles() == before


def test_giving_back_space_says_when_another_program_keeps_the_former_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(library_file, "_LOCK_TIMEOUT_S", 0.05)
    path = tmp_path / LIBRARY_NAME
    create_with(path, Build("fake", 8, 1, 200, "o200k_base"))
    library = Library.open(path)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM articles").fetchone()
    with library.file.writing() as connection:
        connection.execute("UPDATE library SET keep_versions = 1")
    with pytest.raises(IndexingError, match=r"Another program reads.*run again: byline compact"):
        give_back_space(library.file)
    reader.close()
    give_back_space(library.file)
    library.close()


def test_a_library_whose_chats_have_no_visitor_is_taken_further(index, folder):
    chat = create_chat(index.library.file, "Old")
    index.close()
    path = folder / LIBRARY_NAME
    edit(path, "DROP INDEX chats_by_visitor", "ALTER TABLE chats DROP COLUMN visitor", "PRAGMA user_version = 2")
    file = LibraryFile(path)
    assert list_chats(file) == [chat] and list_chats(file, "anybody") == []
    assert [each.on_page for each in (create_chat(file, "New", "mary"), *list_chats(file, "mary"))] == [True, True]
    file.close()
