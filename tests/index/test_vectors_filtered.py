from datetime import date, timedelta

import numpy as np
import pytest

from corpus.chunk import article_id_of
from index import retrieve, vectors_filtered
from index.ingest import add_articles, remove_articles
from index.retrieve import Retriever
from index.types import Filters
from tests.fakes import make_article

DAY = date(2026, 1, 1)
ARTICLES = [
    make_article(
        f"Text of topic{n} and thing{n % 7}. " * 3,
        id=f"a{n}",
        source=f"Outlet {n % 3}" if n % 10 else None,
        published=DAY + timedelta(days=n) if n % 4 else None,
    )
    for n in range(60)
]
FILTERS = [
    Filters(outlets=("OUTLET 1",)),
    Filters(since=DAY + timedelta(days=20)),
    Filters(until=DAY + timedelta(days=20)),
    Filters(since=DAY + timedelta(days=5), until=DAY + timedelta(days=9), outlets=("Outlet 0", "outlet 2")),
    Filters(article_ids=("a3", "a4", "nobody")),
    Filters(outlets=("Nobody",)),
]


@pytest.fixture
def filled(index):
    add_articles(index, ARTICLES)
    return index


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: repr(filters)[8:60])
@pytest.mark.parametrize("scanned", [0, 1_000], ids=["by Chroma", "by scan"])
def test_query_finds_what_an_exact_scan_of_the_filtered_passages_finds(filled, embedder, filters, scanned, monkeypatch):
    monkeypatch.setattr(vectors_filtered, "SCANNED", scanned)
    vector = embedder.embed_question("topic7 thing3")
    wanted = filled.library.passage_ids_where(filters)
    exact = dict(filled.exact.query_within(vector, 5, wanted))
    found = filled.filtered.query(vector, 5, filters, filled.vectors.query)
    assert len(found) == len(exact) and set(found) <= set(wanted)
    floor = min(exact.values(), default=0.0) - 0.004  # equal scores are equally right; int8 is off by 0.002
    scores = dict(filled.exact.query_within(vector, 60, wanted))
    assert all(scores[passage_id] >= floor for passage_id in found)


def test_query_sees_articles_come_change_and_go(filled, embedder):
    vector, filters = embedder.embed_question("zeppelin"), Filters(outlets=("Harbour",))
    assert filled.filtered.query(vector, 5, filters, filled.vectors.query) == []
    add_articles(filled, [make_article("The zeppelin landed.", id="new", source="Harbour")])
    (first,) = filled.filtered.query(vector, 5, filters, filled.vectors.query)
    add_articles(filled, [make_article("The zeppelin left.", id="new", source="Harbour")])
    (second,) = filled.filtered.query(vector, 5, filters, filled.vectors.query)
    assert first != second
    remove_articles(filled, ["new"])
    assert filled.filtered.query(vector, 5, filters, filled.vectors.query) == []


def test_query_reads_each_vector_once_and_only_what_a_filter_lets_through(filled, embedder, monkeypatch):
    read = []
    by_key = filled.library.vectors_by_key
    monkeypatch.setattr(filled.library, "vectors_by_key", lambda keys: read.append(len(keys)) or by_key(keys))
    vector, one, more = embedder.embed_question("topic7"), FILTERS[0], Filters(outlets=("outlet 1", "outlet 2"))
    counts = [len(filled.library.passage_ids_where(filters)) for filters in (one, more)]
    first = filled.filtered.query(vector, 5, one, filled.vectors.query)
    assert filled.filtered.query(vector, 5, one, filled.vectors.query) == first
    assert sum(read) == counts[0]
    filled.filtered.query(vector, 5, more, filled.vectors.query)
    assert sum(read) == counts[1]
    add_articles(filled, [make_article("The zeppelin landed.", id="new", source="Outlet 1")])
    filled.filtered.query(vector, 5, more, filled.vectors.query)
    assert sum(read) == counts[1] + 1


def test_vectors_of_articles_that_went_are_let_go_of(filled, embedder):
    vector, filters = embedder.embed_question("topic7"), Filters(until=DAY + timedelta(days=90))
    everything = set(filled.filtered.query(vector, 60, filters, filled.vectors.query))
    remove_articles(filled, [f"a{n}" for n in range(50)])
    left = set(filled.filtered.query(vector, 60, filters, filled.vectors.query))
    assert left == {passage_id for passage_id in everything if int(article_id_of(passage_id)[1:]) >= 50}
    assert filled.filtered._columns.codes.n == len(left)


def test_codes_grow_and_keep_what_they_hold():
    codes = vectors_filtered._Codes(4, 2)
    rows = np.arange(28, dtype=np.int8).reshape(7, 4)
    scales = np.arange(7, dtype=np.float32)
    places = [codes.add(rows[start:end], scales[start:end]) for start, end in ((0, 2), (2, 5), (5, 7))]
    assert np.concatenate(places).tolist() == list(range(7))
    assert np.array_equal(codes.rows[:7], rows) and np.array_equal(codes.scales[:7], scales)


@pytest.mark.parametrize("filters", FILTERS[:3], ids=lambda filters: repr(filters)[8:60])
def test_a_large_library_finds_under_filters_what_a_small_one_does(filled, filters, monkeypatch):
    small = Retriever(filled).retrieve("topic7 thing3", filters=filters)
    monkeypatch.setattr(retrieve, "EXACT_PASSAGES", 0)
    assert Retriever(filled).retrieve("topic7 thing3", filters=filters) == small
