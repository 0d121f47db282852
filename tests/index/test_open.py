import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from corpus.errors import IndexingError, IndexMismatchError, LibraryBusyError, LibraryDamagedError
from index.ingest import add_articles, remove_articles
from index.open import open_index
from index.owner import read_owner
from index.types import Filters
from tests.fakes import FakeEmbedder, make_article

ROOT = Path(__file__).parents[2]
ARTICLES = [make_article(f"Text of topic{n}. " * 50, id=f"a{n}") for n in range(5)]


@pytest.fixture
def filled(folder, embedder):
    with open_index(folder, embedder) as index:
        add_articles(index, ARTICLES)
    return folder


class NoEmbedder(FakeEmbedder):
    """Has the fake's fingerprint and refuses to embed passages."""

    def embed_passages(self, texts):
        raise AssertionError("nothing may be embedded")


def test_open_index_makes_a_private_folder_and_opens_it_again(folder, embedder):
    with open_index(folder, embedder) as index:
        assert index.library.articles() == [] and index.exact.query(embedder.embed_question("x"), 3) == []
        assert index.vectors.query(embedder.embed_question("x"), 3) == []
        assert index.lexical.query("x", 3, Filters()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "library.sqlite3").stat().st_mode & 0o777 == 0o600
    with open_index(folder, embedder) as index:
        add_articles(index, ARTICLES)
    with open_index(folder, NoEmbedder()) as index:
        assert len(index.library.articles()) == 5 and index.lexical.query("topic3", 1, Filters())


@pytest.mark.parametrize(
    ("other", "chunk_tokens", "message"),
    [
        (FakeEmbedder(32), 200, "fingerprint 'fake-words:64' .now 'fake-words:32'., dim 64 .now 32."),
        (FakeEmbedder(), 100, "chunk tokens 200 .now 100."),
    ],
    ids=["embedder", "chunk size"],
)
def test_open_index_refuses_other_settings_and_names_the_remedy(filled, other, chunk_tokens, message):
    with pytest.raises(IndexMismatchError, match=f"{message}.*byline reindex"):
        open_index(filled, other, chunk_tokens=chunk_tokens)
    open_index(filled, FakeEmbedder()).close()  # the refusal let go of the lock


@pytest.mark.parametrize("column", ["chunker_version", "tokenizer", "distance"])
def test_open_index_checks_the_whole_manifest(filled, embedder, column):
    connection = sqlite3.connect(filled / "library.sqlite3")
    connection.execute(f"UPDATE manifest SET {column} = 99")
    connection.commit()
    connection.close()
    with pytest.raises(IndexMismatchError, match=f"{column.replace('_', ' ')} '?99'?.*byline reindex"):
        open_index(filled, embedder)


def test_open_index_refuses_a_file_and_a_folder_below_one(tmp_path, embedder):
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "file", tmp_path / "file" / "library"):
        with pytest.raises(IndexingError, match="is a file, not a folder. Name a folder with --library"):
            open_index(path, embedder)


def test_open_index_refuses_a_folder_of_other_things(tmp_path, embedder):
    (tmp_path / "holiday.jpg").write_text("picture")
    with pytest.raises(IndexingError, match="holds other files and no library"):
        open_index(tmp_path, embedder)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_open_index_refuses_a_read_only_folder(filled, embedder):
    filled.chmod(0o500)
    (filled / "library.sqlite3").chmod(0o400)
    try:
        with pytest.raises(IndexingError, match="writable"):
            open_index(filled, embedder)
    finally:
        filled.chmod(0o700)


@pytest.mark.parametrize("content", [None, b""], ids=["gone", "empty"])
def test_open_index_does_not_take_a_lost_library_for_a_new_one(filled, embedder, content):
    (filled / "library.sqlite3").unlink()
    if content is not None:
        (filled / "library.sqlite3").write_bytes(content)
    with pytest.raises(LibraryDamagedError, match="has lost its library.sqlite3.*backup"):
        open_index(filled, embedder)


def test_open_index_starts_over_where_creation_was_killed(folder, embedder):
    folder.mkdir()
    (folder / "library.sqlite3").touch()
    (folder / "owner.lock").touch()
    with open_index(folder, embedder) as index:
        assert index.library.articles() == []


def test_open_index_refuses_a_second_opening_in_this_process(filled, embedder):
    with open_index(filled, embedder) as index:
        with pytest.raises(LibraryBusyError, match=f"this process .pid {os.getpid()}"):
            open_index(filled, embedder)
        assert len(index.library.articles()) == 5
        index.close()
        open_index(filled, embedder).close()


def test_open_index_refuses_a_library_that_another_process_uses(filled, embedder):
    code = """
import sys
from pathlib import Path
from index.open import open_index
from tests.fakes import FakeEmbedder
index = open_index(Path(sys.argv[1]), FakeEmbedder())
print("open", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(filled)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "open\n"
        assert read_owner(filled).pid == child.pid
        with pytest.raises(LibraryBusyError, match=f"in use by process {child.pid} .since .*Close that one first"):
            open_index(filled, embedder)
        child.kill()
        child.communicate(timeout=10)
    open_index(filled, embedder).close()


@pytest.mark.parametrize("name", ["chroma", "lexical"])
@pytest.mark.parametrize("damage", ["missing", "no stamp", "another's", "broken", "fewer"])
def test_a_disposable_index_is_rebuilt_without_embedding(filled, embedder, name, damage, caplog):
    (used,) = (filled / name).iterdir()
    if damage == "missing":
        shutil.rmtree(filled / name)
    elif damage == "no stamp":
        (used / "stamp").unlink()
    elif damage == "another's":
        (used / "stamp").write_text("0123456789abcdef")
    elif damage == "broken":
        (used / {"chroma": "chroma.sqlite3", "lexical": "meta.json"}[name]).write_bytes(b"junk" * 5_000)
    else:
        for path in used.iterdir():
            if path.name != "stamp":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    with caplog.at_level(logging.WARNING), open_index(filled, NoEmbedder()) as index:
        ids = set(index.library.passage_ids())
        assert index.vectors.ids() == index.lexical.ids() == ids
        assert index.vectors.query(embedder.embed_question("topic3"), 1)
    assert len(list((filled / name).iterdir())) == 1 and f"'{name}'" in caplog.text or "failed" in caplog.text


def test_a_restored_backup_of_the_truth_is_noticed(filled, embedder, tmp_path):
    """Truth from yesterday, indexes from today: the indexes are rebuilt, and nothing of today is found."""
    shutil.copy(filled / "library.sqlite3", tmp_path / "backup")
    with open_index(filled, embedder) as index:
        add_articles(index, [make_article("The zeppelin landed.", id="today")])
    (filled / "library.sqlite3").write_bytes((tmp_path / "backup").read_bytes())
    with open_index(filled, embedder) as index:
        add_articles(index, [make_article("A glacier melted.", id="tomorrow")])  # as many commits as before
        assert index.lexical.query("zeppelin", 3, Filters()) == []
        assert index.vectors.ids() == index.lexical.ids() == set(index.library.passage_ids())


def test_an_index_left_behind_catches_up_with_what_was_written_since(filled, embedder):
    from index.library import Library
    from index.library_write import delete_articles

    library = Library.open(filled / "library.sqlite3")
    delete_articles(library.file, ["a3"])
    library.close()
    with open_index(filled, NoEmbedder()) as index:
        assert index.lexical.query("topic3", 3, Filters()) == []
        assert index.vectors.ids() == set(index.library.passage_ids())


def test_opening_and_asking_a_small_library_loads_no_chroma(filled):
    code = """
import sys
from pathlib import Path
from index.open import open_index
from index.types import Filters
from tests.fakes import FakeEmbedder
with open_index(Path(sys.argv[1]), FakeEmbedder()) as index:
    index.lexical.query("topic3", 3, Filters())
    index.exact.query(index.embedder.embed_question("topic3"), 3)
    index.library.passages_of("a3")
print(sorted(name for name in ("chromadb", "onnxruntime", "llama_index") if name in sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code, str(filled)], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr


def test_threads_read_from_all_indexes_while_one_writes(index, embedder):
    """No reader fails or meets a passage of an article that was gone before it asked."""
    add_articles(index, ARTICLES)
    problems: list[str] = []
    gone: set[str] = set()
    stop = threading.Event()

    def read():
        try:
            while not stop.is_set():
                before = set(gone)
                hits = index.lexical.query("text topic1 round", 20, Filters())
                hits += index.vectors.query(embedder.embed_question("topic1 round"), 20)
                hits += index.exact.query(embedder.embed_question("topic1 round"), 20)
                passages = index.library.passages([passage_id for passage_id, _ in hits])
                problems.extend(passages.keys() & before)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            problems.append(repr(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(8):
        add_articles(index, [make_article(f"Text of round {n}. " * 30, id="moving")])
        ids = [passage.id for passage in index.library.passages_of("moving")]
        remove_articles(index, ["moving"])
        gone.update(ids)
    stop.set()
    for thread in threads:
        thread.join(timeout=30)
    assert not problems


def test_close_twice_and_use_afterwards(index):
    index.close()
    index.close()
    with pytest.raises(IndexingError, match="is closed"):
        index.library.articles()
