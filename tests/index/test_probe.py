import logging
import os

import pytest

from corpus.errors import LibraryDamagedError
from index import probe as probing
from index.ingest import add_articles
from index.open import open_index
from index.probe import probe
from tests.fakes import FakeEmbedder, make_article

ARTICLES = [make_article(f"Text of topic{n} and of thing{n}.", id=f"a{n}") for n in range(1_010)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A library whose Chroma has its graph on disk, and whose indexes were not closed cleanly."""
    folder = tmp_path_factory.mktemp("killed") / "library"
    with open_index(folder, FakeEmbedder()) as index:
        add_articles(index, ARTICLES)
    for seal in folder.glob("*/*/seal"):
        seal.unlink()
    return folder


@pytest.mark.parametrize("name", ["chroma", "lexical"])
def test_probe_finds_a_sound_index_sound(killed, name):
    probe(killed, name, killed / name / "1", 1_010)


def test_a_graph_that_kills_chroma_kills_the_child_alone(killed, caplog):
    (graph,) = killed.glob("chroma/1/*/data_level0.bin")
    sound = graph.read_bytes()
    graph.write_bytes(bytes((n * 167 + 91) % 256 for n in range(len(sound))))
    try:
        with pytest.raises(LibraryDamagedError, match="'chroma' was not closed cleanly and .*byline doctor --repair"):
            probe(killed, "chroma", killed / "chroma" / "1", 1_010)
        with caplog.at_level(logging.WARNING), open_index(killed, FakeEmbedder()) as index:
            assert index.vectors.query(FakeEmbedder().embed_question("topic3 thing3"), 1)[0][0].startswith("a3:")
        assert "Rebuilding an index" in caplog.text
    finally:
        if graph.exists():
            graph.write_bytes(sound)


def test_a_child_that_hangs_is_ended(killed, monkeypatch):
    monkeypatch.setattr(probing, "_LIMIT_S", 0.2)
    monkeypatch.setattr(probing, "_CODE", "import time; time.sleep(60)")
    with pytest.raises(LibraryDamagedError, match="did not answer within 0 seconds|within 1 seconds"):
        probe(killed, "lexical", killed / "lexical" / "1", 0)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_child_that_is_killed_is_told_by_its_signal(killed, monkeypatch):
    monkeypatch.setattr(probing, "_CODE", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(LibraryDamagedError, match="killed the process that opened it .SIGSEGV."):
        probe(killed, "lexical", killed / "lexical" / "1", 0)
