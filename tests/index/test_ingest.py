import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from corpus.chunk import chunk_article
from corpus.errors import ArticleNotFoundError, IndexingError, IndexMismatchError, LibraryDamagedError
from corpus.load import bundled_articles, load_sources
from corpus.types import LoadFailure
from index import encode, ingest
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles, remove_articles
from index.library_rows import hash_sentences, rows_to_blobs
from index.open import open_index
from index.sentence_vectors import pack_sentences, passage_vector, sentence_texts
from index.types import AddProgress, AddReport, Filters
from tests.fakes import FakeEmbedder, make_article

ROOT = Path(__file__).parents[2]


class CountingEmbedder(FakeEmbedder):
    """Remembers what it was asked to embed; may be told to fail at a text."""

    def __init__(self, fail_at: str = "\0"):
        super().__init__()
        self.texts: list[str] = []
        self.fail_at = fail_at

    def embed_passages(self, texts):
        if any(self.fail_at in text for text in texts):
            raise KeyboardInterrupt
        self.texts += texts
        return super().embed_passages(texts)


def found(index, question):
    """Return the articles that each index finds, joined with what is visible."""
    vector = index.embedder.embed_question(question)
    hits = {
        "chroma": index.vectors.query(vector, 50),
        "exact": index.exact.query(vector, 50),
        "lexical": index.lexical.query(question, 50, Filters()),
    }
    return {
        name: {passage.article_id for passage in index.library.passages([id_ for id_, _ in pairs]).values()}
        for name, pairs in hits.items()
    }


def passage_ids_everywhere(index):
    return {
        "truth": set(index.library.passage_ids()),
        "chroma": index.vectors.ids(),
        "exact": {id_ for id_, _ in index.exact.query(index.embedder.embed_question("x"), 10_000)},
        "lexical": index.lexical.ids(),
    }


def assert_in_step(index):
    held = passage_ids_everywhere(index)
    assert held["truth"] == held["chroma"] == held["exact"] == held["lexical"]


def test_add_articles_stores_what_all_indexes_then_find(index):
    articles = [make_article(f"Text of topic{n}. " * 60, id=f"a{n}") for n in range(7)]
    assert add_articles(index, articles) == AddReport(added=tuple(f"a{n}" for n in range(7)))
    assert index.library.n_passages() == sum(len(chunk_article(article)) for article in articles)
    assert_in_step(index)
    assert found(index, "topic3")["lexical"] == {"a3"}


def test_add_articles_skips_what_it_has(index):
    articles = [make_article(f"Text {n}.", id=f"a{n}") for n in range(3)]
    add_articles(index, articles)
    assert add_articles(index, reversed(articles)) == AddReport(unchanged=("a2", "a1", "a0"))
    changed = make_article("Text 1, edited.", id="a1")
    assert add_articles(index, [articles[0], changed, articles[2]]) == AddReport(
        updated=("a1",), unchanged=("a0", "a2")
    )
    assert index.library.article("a1") == changed


def test_add_articles_notices_a_change_of_facts_alone(index):
    add_articles(index, [make_article("Same text.", id="a1", source="Reuters")])
    report = add_articles(index, [make_article("Same text.", id="a1", source="Associated Press")])
    assert report.updated == ("a1",) and index.library.article("a1").source == "Associated Press"
    assert index.lexical.query("reuters", 5, Filters()) == [] and len(index.lexical.query("press", 5, Filters())) == 1


def test_an_edit_a_removal_and_a_return_never_leave_old_passages(index):
    old = make_article("The zeppelin landed. " * 100, id="a1")
    new = make_article("The submarine dived. " * 40, id="a1")
    add_articles(index, [old, make_article("Other.", id="a2")])
    old_ids = {passage.id for passage in chunk_article(old)}
    add_articles(index, [new])
    assert_in_step(index)
    assert not old_ids & passage_ids_everywhere(index)["truth"]
    assert found(index, "zeppelin")["lexical"] == set() and found(index, "submarine")["lexical"] == {"a1"}
    remove_articles(index, ["a1"])
    assert_in_step(index)
    assert "a1" not in set().union(*found(index, "submarine zeppelin").values())
    assert add_articles(index, [old]).added == ("a1",)
    assert_in_step(index)
    assert old_ids < passage_ids_everywhere(index)["truth"] and found(index, "zeppelin")["lexical"] == {"a1"}


def test_hits_of_an_index_that_lags_behind_are_not_visible(index):
    """Between the commit of the truth and the indexes, an old passage is found but joins with nothing."""
    add_articles(index, [make_article("The zeppelin landed.", id="a1")])
    from index.library_write import delete_articles

    delete_articles(index.library.file, ["a1"])
    stale = index.lexical.query("zeppelin", 5, Filters())
    assert len(stale) == 1 and index.library.passages([stale[0][0]]) == {}
    index.catch_up()
    assert index.lexical.query("zeppelin", 5, Filters()) == []


def test_copies_are_one_article_with_several_origins(index):
    first = make_article("The same text.", id="x", origin="/b/first.txt")
    copy = make_article("The same text.", id="y", origin="/a/copy.txt", title="Other title")
    report = add_articles(index, [first, copy])
    assert report == AddReport(added=("x",))
    (info,) = index.library.articles()
    assert info.id == "x" and info.origins == ("/a/copy.txt", "/b/first.txt")
    assert add_articles(index, [first, copy]) == AddReport(unchanged=("x",))
    assert add_articles(index, [copy]) == AddReport(unchanged=("x",))


def test_given_ids_are_never_folded_together(index):
    articles = [make_article("The same text.", id=id_, id_given=True, origin="rows.jsonl") for id_ in ("x", "y")]
    assert add_articles(index, articles).added == ("x", "y")
    assert add_articles(index, articles).unchanged == ("x", "y")
    assert index.library.n_passages() == 2


def test_a_copy_that_is_edited_becomes_its_own_article(index):
    first = make_article("The same text.", id="x", origin="first")
    add_articles(index, [first, make_article("The same text.", id="y", origin="copy")])
    edited = make_article("Now a text of its own.", id="y", origin="copy")
    assert add_articles(index, [first, edited]) == AddReport(added=("y",), unchanged=("x",))
    assert [info.origins for info in index.library.articles()] == [("first",), ("copy",)]


def test_an_article_edited_into_a_copy_gives_way(index):
    add_articles(
        index, [make_article("One text.", id="x", origin="o1"), make_article("Two text.", id="y", origin="o2")]
    )
    report = add_articles(index, [make_article("One text.", id="y", origin="o2")])
    assert report == AddReport(unchanged=("x",), removed=("y",))
    (info,) = index.library.articles()
    assert info.id == "x" and info.origins == ("o1", "o2")
    assert_in_step(index)


def test_an_original_that_is_edited_leaves_its_copy_to_return(index):
    """The copy's text is gone with the edit of the original; adding both files again brings it back."""
    first = make_article("The same text.", id="x", origin="first")
    copy = make_article("The same text.", id="y", origin="copy")
    add_articles(index, [first, copy])
    edited = make_article("Edited text.", id="x", origin="first")
    assert add_articles(index, [edited, copy]) == AddReport(added=("y",), updated=("x",))
    assert {info.id: info.origins for info in index.library.articles()} == {"x": ("first",), "y": ("copy",)}


def test_the_same_id_from_two_sources_keeps_the_newer_text(index):
    report = add_articles(
        index, [make_article("Older.", id="x", origin="o1"), make_article("Newer.", id="x", origin="o2")]
    )
    assert report == AddReport(added=("x",))
    assert index.library.article("x").text == "Newer." and index.library.articles()[0].origins == ("o1", "o2")
    assert_in_step(index)


def test_failures_are_passed_on_and_progress_counts_everything(index):
    failure = LoadFailure("bad.pdf", "It has no text.")
    surrogate = make_article("Half a character: \ud83d.", id="s", origin="half\udce9.txt")
    seen: list[AddProgress] = []
    loaded = [make_article("Good.", id="g", origin="good.txt"), failure, surrogate]
    report = add_articles(index, loaded, on_progress=seen.append)
    assert report.added == ("g",) and report.failed[0] == failure
    assert "surrogate" in report.failed[1].reason and report.failed[1].origin.isascii()
    assert sorted(progress.done for progress in seen) == [1, 2, 3]
    assert {progress.origin for progress in seen} == {"good.txt", "bad.pdf", report.failed[1].origin}


def test_progress_is_told_only_after_the_article_is_stored(index):
    articles = [make_article(f"Text {n}.", id=f"a{n}", origin=str(n)) for n in range(120)]
    stored: list[bool] = []

    def check(progress):
        stored.append(bool(index.library.articles_by_id([f"a{progress.origin}"])))

    add_articles(index, articles, on_progress=check)
    assert stored == [True] * 120


def test_nothing_is_embedded_twice(folder):
    embedder = CountingEmbedder()
    article = make_article("\n\n".join(f"## Part {n}\n\n" + f"It says {n} things. " * 20 for n in range(5)), id="a1")
    edited = make_article(article.text + "\n\n## The end\n\nA last paragraph.", id="a1")
    with open_index(folder, embedder) as index:
        add_articles(index, [article])
        remove_articles(index, ["a1"])
        add_articles(index, [article])
        add_articles(index, [edited])
    cut = {hash_sentences(p): p for version in (article, edited) for p in chunk_article(version)}
    texts = [text for passage in cut.values() for text in sentence_texts(passage)]
    assert len(cut) < len(chunk_article(article)) + len(chunk_article(edited))
    assert sorted(embedder.texts) == sorted(texts)


def test_an_interrupt_loses_nothing_that_was_acknowledged(folder):
    articles = [make_article(f"Text of number{n}. " * 20, id=f"a{n:03}", origin=f"a{n:03}") for n in range(150)]
    acknowledged: list[str] = []
    with open_index(folder, CountingEmbedder(fail_at="number120.")) as index:
        with pytest.raises(KeyboardInterrupt):
            add_articles(index, articles, on_progress=lambda progress: acknowledged.append(progress.origin))
        stored = {info.id for info in index.library.articles()}
        assert len(acknowledged) >= 50 and set(acknowledged) == stored and "a120" not in stored
        assert_in_step(index)
    again = CountingEmbedder()
    with open_index(folder, again) as index:
        assert set(add_articles(index, articles).unchanged) == stored
        left = [passage for article in articles[len(stored) :] for passage in chunk_article(article)]
        assert len(again.texts) <= sum(len(sentence_texts(passage)) for passage in left)
        assert_in_step(index)


class HeldEmbedder(FakeEmbedder):
    """Embeds nothing until it is released, so that everything before that is in flight."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()

    def embed_passages(self, texts):
        assert self.released.wait(60)
        return super().embed_passages(texts)


def test_what_is_in_flight_is_known_to_what_comes_after(folder, monkeypatch):
    """Each article is looked up before any other of the run is stored; the outcome is that of one by one."""
    monkeypatch.setattr(ingest, "_LOOK_UP", 1)
    monkeypatch.setattr(ingest, "_GROUP_ARTICLES", 1)
    monkeypatch.setattr(ingest, "_GROUPS_AHEAD", 20)
    run = [
        make_article("One text.", id="x", origin="o1"),
        make_article("One text.", id="y", origin="o2"),  # a copy
        make_article("One text, edited.", id="x", origin="o1"),
        make_article("One text, edited.", id="x", origin="o1"),  # the same again
        make_article("One text.", id="y", origin="o2"),  # no longer a copy of anything
        make_article("Two text.", id="z", origin="o3"),
        make_article("One text.", id="z", origin="o3"),  # becomes a copy, and z gives way
    ]
    embedder = HeldEmbedder()

    def loaded():
        yield from run
        embedder.released.set()

    with open_index(folder, embedder) as index:
        report = add_articles(index, loaded())
        together = [(info.id, info.version, info.origins) for info in index.library.articles()]
        assert_in_step(index)
    with open_index(folder.with_name("one by one"), FakeEmbedder()) as index:
        for article in run:
            add_articles(index, [article])
        assert together == [(info.id, info.version, info.origins) for info in index.library.articles()]
    assert report == AddReport(added=("x", "y"), removed=("z",))


def test_an_interrupt_keeps_the_vectors_that_are_done(folder, monkeypatch):
    """Of a book that takes long, no slice is embedded twice."""
    monkeypatch.setattr(encode, "_AT_ONCE", 2)
    parts = [f"## Part {n}\n\n" + f"It says number{n}. " * 30 for n in range(8)]
    book = make_article("\n\n".join(parts), id="book")
    first = CountingEmbedder(fail_at="number5.")
    with open_index(folder, first) as index:
        with pytest.raises(KeyboardInterrupt):
            add_articles(index, [book])
        assert index.library.articles() == [] and len(first.texts) >= 4
    again = CountingEmbedder()
    with open_index(folder, again) as index:
        assert add_articles(index, [book]).added == ("book",)
    assert not set(first.texts) & set(again.texts)


def stored_vectors(folder, n_threads, monkeypatch, **sizes):
    for name, value in sizes.items():
        monkeypatch.setattr(encode if name == "_AT_ONCE" else ingest, name, value)
    with open_index(folder, embedded_encoder(threads=n_threads)) as index:
        add_articles(index, load_sources([bundled_articles()]))
        with index.library.file.reading() as connection:
            return dict(connection.execute("SELECT text_hash, CAST(vector || sentences AS BLOB) FROM vectors"))


def test_vectors_are_the_same_to_the_bit_whatever_the_threads_and_slices(tmp_path, monkeypatch):
    encoder = embedded_encoder(threads=1)
    one = stored_vectors(tmp_path / "1", 1, monkeypatch)
    two = stored_vectors(tmp_path / "2", 2, monkeypatch, _AT_ONCE=3, _GROUP_PASSAGES=1, _GROUPS_AHEAD=1)
    assert one == two and len(one) > 5
    articles = [item for item in load_sources([bundled_articles()])]
    for passage in chunk_article(articles[0])[:2]:
        alone = np.array([encoder.embed_passages([text])[0] for text in sentence_texts(passage)])
        vector = rows_to_blobs(passage_vector(passage, alone)[np.newaxis])[0]
        assert one[hash_sentences(passage)] == vector + pack_sentences(alone)


class BrokenEmbedder(FakeEmbedder):
    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def embed_passages(self, texts):
        return np.array(self.rows, np.float32)


@pytest.mark.parametrize(
    ("rows", "error"),
    [([[1.0] * 3], IndexMismatchError), ([[np.nan] * 64], IndexingError), ([[1.0] * 64] * 2, IndexMismatchError)],
    ids=["width", "nan", "count"],
)
def test_add_articles_refuses_what_is_no_vector(folder, rows, error):
    with open_index(folder, BrokenEmbedder(rows)) as index:
        with pytest.raises(error, match="embedder"):
            add_articles(index, [make_article("Text.", id="a1")])
        assert index.library.articles() == []


def test_remove_articles_removes_all_or_none(index):
    add_articles(index, [make_article(f"Text {n}.", id=f"a{n}") for n in range(3)])
    with pytest.raises(ArticleNotFoundError, match="'gone'.*byline list"):
        remove_articles(index, ["a1", "gone"])
    assert len(index.library.articles()) == 3
    remove_articles(index, ["a1", "a2", "a1"])
    assert [info.id for info in index.library.articles()] == ["a0"]
    assert_in_step(index)
    remove_articles(index, [])


def test_a_damaged_article_can_be_removed_and_added_again_as_its_message_says(index):
    article = make_article("The ferry sails at noon.", id="a")
    add_articles(index, [article, make_article("Snow fell.", id="b")])
    with index.library.file.writing() as connection:
        connection.execute("UPDATE versions SET text = text || '!' WHERE title = ?", (article.title,))
    with pytest.raises(LibraryDamagedError, match="Remove the article and add it again"):
        index.library.article("a")
    remove_articles(index, ["a"])
    add_articles(index, [article])
    assert index.library.article("a").text == article.text
    assert_in_step(index)


KILL = """
import os, signal, sys
from pathlib import Path
import index.catch_up, index.open
from index.ingest import add_articles, remove_articles
from index.open import open_index
from tests.fakes import FakeEmbedder, make_article

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

place = sys.argv[2]
opened = open_index(Path(sys.argv[1]), FakeEmbedder())
add_articles(opened, [make_article("The zeppelin landed.", id="old"), make_article("A glacier.", id="gone")])
if place == "before the indexes":
    index.open.OpenIndex.catch_up = die
elif place == "between the indexes":
    index.open.lexical_kind = die
elif place == "before the stamp":
    index.catch_up._acknowledge = die
elif place == "between stamp and truth":
    index.catch_up.set_index_state = die
elif place == "while embedding":
    FakeEmbedder.embed_passages = die
if place == "removal":
    index.open.OpenIndex.catch_up = die
    remove_articles(opened, ["gone"])
add_articles(opened, [make_article("The submarine dived.", id="old"), make_article("The harvest failed.", id="new")])
"""


@pytest.mark.parametrize(
    "place",
    ["before the indexes", "between the indexes", "before the stamp", "between stamp and truth", "while embedding"]
    + ["removal"],
)
def test_a_kill_at_any_step_leaves_indexes_that_catch_up(folder, embedder, place):
    command = [sys.executable, "-c", KILL, str(folder), place]
    child = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=60)
    assert child.returncode == -signal.SIGKILL, child.stderr
    with open_index(folder, embedder) as index:
        stored = {info.id: index.library.article(info.id).text for info in index.library.articles()}
        assert_in_step(index)
        answers = found(index, "zeppelin submarine harvest glacier")["lexical"]
    old = {"old": "The zeppelin landed.", "gone": "A glacier."}
    new = {"old": "The submarine dived.", "gone": "A glacier.", "new": "The harvest failed."}
    expected = {"while embedding": old, "removal": {"old": old["old"]}}.get(place, new)
    assert stored == expected and answers == set(expected)
