import pytest

from corpus.errors import IndexingError
from index.doctor_open import check_open, repair_open
from index.ingest import add_articles
from index.open import open_index
from index.types import Filters
from tests.fakes import FakeEmbedder, make_article


@pytest.fixture
def index(tmp_path):
    with open_index(tmp_path / "library", FakeEmbedder()) as index:
        add_articles(index, [make_article("Rain fell on Oslo.", "rain"), make_article("Snow fell on Bergen.", "snow")])
        yield index


def test_check_open_finds_a_whole_library_well(index):
    assert [(finding.check, finding.ok) for finding in check_open(index)] == [
        ("file", True),
        ("articles", True),
        ("chroma", True),
        ("lexical", True),
    ]


def test_check_open_of_an_empty_library_opens_no_index(tmp_path):
    with open_index(tmp_path / "library", FakeEmbedder()) as index:
        assert [finding.check for finding in check_open(index)] == ["file", "articles"]
        assert not (tmp_path / "library" / "chroma").exists()


@pytest.mark.parametrize("name", ["vectors", "lexical"])
def test_repair_open_brings_back_what_an_index_lost(index, name):
    passage_id = index.library.passage_ids()[0]
    getattr(index, name).remove([passage_id])
    assert [finding.ok for finding in check_open(index)].count(False) == 1
    before = index.vectors
    for _ in range(2):  # what a first repair replaced is closed by the second
        repair_open(index)
        assert all(finding.ok for finding in check_open(index))
    assert index.vectors is not before
    assert [id_ for id_, _ in index.lexical.query("rain oslo", 5, Filters())] == [passage_id]


def test_repair_open_leaves_a_question_in_hand_its_index(index):
    asked = index.vectors
    asked.query(index.library.vectors(index.library.passage_ids()[:1])[0], 1)
    repair_open(index)
    vector = index.library.vectors(index.library.passage_ids()[:1])[0]
    try:
        assert len(asked.query(vector, 1)) == 1
    except IndexingError:
        pytest.fail("a question that was being answered lost its index")
    assert len(list((index.folder / "chroma").iterdir())) == 2
    add_articles(index, [make_article("Hail fell on Narvik.", "hail")])
    assert all(finding.ok for finding in check_open(index))
    index.close()
    assert [len(list((index.folder / name).iterdir())) for name in ("chroma", "lexical")] == [1, 1]
