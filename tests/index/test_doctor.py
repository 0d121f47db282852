import re
import sqlite3
from types import SimpleNamespace

import pytest

from corpus.errors import IndexingError, IndexMissingError, LibraryBusyError
from index import doctor
from index.ingest import add_articles, remove_articles
from index.open import open_index
from index.seal import break_seal
from index.types import AddProgress, Filters
from tests.fakes import FakeEmbedder, make_article

ARTICLES = [make_article(f"Text of topic{n}. It goes on.\n\nAnd on. " * 40, id=f"a{n}") for n in range(6)]


@pytest.fixture
def filled(folder, embedder):
    with open_index(folder, embedder) as index:
        add_articles(index, ARTICLES)
    return folder


def edit(folder, statement):
    connection = sqlite3.connect(folder / "library.sqlite3")
    connection.execute(statement)
    connection.commit()
    connection.close()


def bad(findings):
    return {finding.check: finding.message for finding in findings if not finding.ok}


def test_check_finds_nothing_wrong_with_a_good_library(filled):
    findings = doctor.check(filled)
    assert [finding.check for finding in findings] == ["file", "articles", "chroma", "lexical"]
    assert bad(findings) == {} and "6 articles" in findings[1].message


def test_check_of_an_empty_library(folder, embedder):
    open_index(folder, embedder).close()
    assert bad(doctor.check(folder)) == {}


@pytest.mark.parametrize(
    ("statement", "check", "message"),
    [
        ("UPDATE versions SET text = text || ' More.'", "articles", "not what was added"),
        ("UPDATE passages SET span_end = span_end - 1 WHERE ordinal = 0", "articles", "6 more.*backup|does not fit"),
        ("DELETE FROM passages WHERE ordinal = 1", "articles", "does not follow|is in no passage"),
        ("UPDATE vectors SET text_hash = randomblob(32)", "articles", "vector of another text"),
        ("UPDATE vectors SET vector = zeroblob(64)", "articles", "not 64 numbers long"),
        ("UPDATE vectors SET vector = CAST(zeroblob(126) || x'007c' AS BLOB)", "articles", "NaN or infinity"),
        ("UPDATE vectors SET vector = CAST(zeroblob(126) || x'003c' AS BLOB)", "chroma", "has another vector"),
        ("DELETE FROM articles WHERE id = 'a1'", "file", "refers to"),
    ],
)
def test_check_finds_what_was_changed_in_the_truth(filled, statement, check, message):
    edit(filled, statement)
    findings = bad(doctor.check(filled))
    assert check in findings
    assert re.search(message, findings[check])


def test_check_finds_a_broken_file(filled):
    path = filled / "library.sqlite3"
    content = bytearray(path.read_bytes())
    content[20_000:60_000] = b"\xaa" * 40_000
    path.write_bytes(content)
    findings = bad(doctor.check(filled))
    assert "backup" in findings["file"]


def test_check_finds_what_an_index_lost_and_repair_mends_it(filled):
    for name in ("chroma", "lexical"):
        break_seal(filled / name / "1")  # as every writer does; closing seals what was written
    with open_index(filled, FakeEmbedder()) as index:
        ids = index.library.passage_ids()
        index.vectors.remove(ids[:2])
        index.vectors.upsert(ids[3:4], index.library.vectors(ids[4:5]))
        index.lexical.remove(ids[2:3])
    findings = bad(doctor.check(filled))
    assert findings.keys() == {"chroma", "lexical"}
    assert "2 passages are missing" in findings["chroma"] and "1 passages are missing" in findings["lexical"]
    assert all("byline doctor --repair" in message for message in findings.values())
    doctor.repair(filled)
    assert bad(doctor.check(filled)) == {}


def test_doctor_needs_a_library_that_nobody_uses(tmp_path, filled, embedder):
    for act in (doctor.check, doctor.repair, doctor.compact):
        with pytest.raises(IndexMissingError, match="byline add"):
            act(tmp_path / "nothing")
        with open_index(filled, embedder), pytest.raises(LibraryBusyError):
            act(filled)
    assert not (tmp_path / "nothing").exists()


def test_compact_leaves_nothing_of_removed_and_former_texts_on_disk(folder, embedder):
    secret, former = "Quetzalcoatl", "Popocatepetl"
    with open_index(folder, embedder) as index:
        add_articles(index, ARTICLES)
        add_articles(index, [make_article(f"{secret} is mentioned. " * 50, id="secret", title=f"On {secret}")])
        add_articles(index, [make_article(f"{former} was here. " * 50, id="a1")])
        add_articles(index, [make_article("An edit.", id="a1")])
        remove_articles(index, ["secret"])
    before = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    doctor.compact(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    for word in (secret, former):
        assert not [path for path in files if word.lower().encode() in path.read_bytes().lower()]
    assert sum(path.stat().st_size for path in files) < before
    assert bad(doctor.check(folder)) == {}
    with open_index(folder, embedder) as index:
        assert len(index.library.articles()) == 6 and index.library.article("a1").text == "An edit."


def test_compact_keeps_former_versions_when_told_so(filled, embedder):
    with open_index(filled, embedder, keep_versions=True) as index:
        add_articles(index, [make_article("An edit.", id="a1")])
    doctor.compact(filled)
    connection = sqlite3.connect(filled / "library.sqlite3")
    assert connection.execute("SELECT count(*) FROM versions").fetchone() == (7,)
    connection.close()


def test_reindex_goes_over_to_other_settings(filled):
    wider = FakeEmbedder(128)
    seen: list[AddProgress] = []
    assert doctor.reindex(filled, wider, chunk_tokens=64, on_progress=seen.append)
    assert [progress.done for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert bad(doctor.check(filled)) == {}
    with open_index(filled, wider, chunk_tokens=64) as index:
        assert [index.library.article(f"a{n}") for n in range(6)] == ARTICLES
        assert max(passage.n_tokens for passage in index.library.passages_of("a1")) <= 64
        assert index.vectors.ids() == index.lexical.ids() == set(index.library.passage_ids())
        assert index.exact.query(wider.embed_question("topic3"), 3)
        assert add_articles(index, ARTICLES).unchanged
    assert not doctor.reindex(filled, wider, chunk_tokens=64)


class FailingEmbedder(FakeEmbedder):
    def embed_passages(self, texts):
        if any("topic4" in text for text in texts):
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_nothing_is_begun_that_the_disk_has_no_room_for(filled, embedder, monkeypatch):
    before = (filled / "library.sqlite3").read_bytes()
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=16_000_000 + len(before) - 1))
    with pytest.raises(IndexingError, match="compacting needs about"):
        doctor.compact(filled)
    with pytest.raises(IndexingError, match="building the library anew needs about"):
        doctor.reindex(filled, embedder, chunk_tokens=90)
    assert (filled / "library.sqlite3").read_bytes() == before


def test_an_interrupted_reindex_leaves_the_library_as_it_was(filled, embedder):
    with pytest.raises(KeyboardInterrupt):
        doctor.reindex(filled, FailingEmbedder(128), chunk_tokens=64)
    assert bad(doctor.check(filled)) == {}
    with open_index(filled, embedder) as index:
        assert index.lexical.query("topic3", 1, Filters())
    assert doctor.reindex(filled, FakeEmbedder(128), chunk_tokens=64)
    assert bad(doctor.check(filled)) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vectors SET vector = randomblob(128)",
        "UPDATE vectors SET vector = zeroblob(128)",
        "UPDATE vectors SET sentences = zeroblob(64)",
        "UPDATE vectors SET sentences = (SELECT sentences FROM vectors AS other WHERE other.key = 1)",
        "UPDATE vectors SET text_hash = randomblob(32)",
    ],
)
def test_reindex_mends_vectors_that_the_doctor_finds_damaged(filled, statement):
    edit(filled, statement)
    assert "byline reindex" in bad(doctor.check(filled))["articles"]
    assert doctor.reindex(filled, FakeEmbedder())
    assert bad(doctor.check(filled)) == {}
    assert not doctor.reindex(filled, FakeEmbedder())


@pytest.mark.parametrize("text", ["D" * 500, "\U0001f600 \U0001f600", "* * *"], ids=["one long word", "emoji", "stars"])
def test_check_does_not_ask_for_a_passage_by_words_it_has_not(folder, embedder, text):
    with open_index(folder, embedder) as index:
        add_articles(index, [*ARTICLES, make_article(text, id="wordless")])
    assert bad(doctor.check(folder)) == {}
