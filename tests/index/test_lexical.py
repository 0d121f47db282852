import math
from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.chunk import chunk_article, indexed_text
from corpus.errors import LibraryDamagedError
from index.lexical_tantivy import TantivyLexical, prepare
from index.types import Filters
from tests.fakes import make_article

ARTICLES = [
    make_article(
        "Rwanda's minister met the U.S. envoy.", id="a1", source="The Guardian", published=date(2025, 5, 6), title="One"
    ),
    make_article("Talks cost 7,500 dollars.", id="a2", source="Reuters", published=date(2025, 5, 7), title="Two"),
    make_article("The envoy was flown to Kigali, which denied it.", id="a3", source="reuters", title="Three"),
    make_article("A café in Kigali serves the journalists.", id="a4", published=date(2024, 1, 1), title="Four"),
]
ENTRIES = [(passage, article) for article in ARTICLES for passage in chunk_article(article)]
ID = {article.id: passage.id for passage, article in ENTRIES}


@pytest.fixture
def lexical(tmp_path):
    opened = TantivyLexical(tmp_path / "lexical")
    opened.upsert(ENTRIES)
    return opened


NO_FILTERS = Filters()


def found(lexical, text, filters=NO_FILTERS, k=10):
    article_of = {passage.id: article.id for passage, article in ENTRIES}
    return [article_of[passage_id] for passage_id, _ in lexical.query(text, k, filters)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("minister", ["a1"]),
        ("Which ministers?", ["a1"]),
        ("RWANDA", ["a1"]),
        ("Rwanda’s", ["a1"]),
        ("US", ["a1"]),
        ("U.S.", ["a1"]),
        ("7500", ["a2"]),
        ("7,500", ["a2"]),
        ("cafe", ["a4"]),
        ("CAFÉ", ["a4"]),
        ("flying", []),
        ("Guardian", ["a1"]),
        ("Three", ["a3"]),
    ],
)
def test_query_meets_the_word_in_any_form(lexical, text, expected):
    assert found(lexical, text) == expected


def test_query_uses_stop_words_only_when_there_is_nothing_else(lexical):
    assert found(lexical, "Which was it, the minister?") == ["a1"]
    assert found(lexical, "which was") == ["a3"]
    assert found(lexical, "") == found(lexical, "?! ...") == []


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        'a "b',
        "title:x",
        "id:",
        "AND",
        "minister AND",
        "NOT minister",
        "(",
        "[1 TO",
        "*",
        "+-",
        "a^2",
        "\\",
        "~",
    ]
    + ["\x00minister", "{}", "/re/", "text:minister OR", "<" * 50, "𝔘nicode 中文", "x" * 10_000],
)
def test_query_takes_no_character_as_syntax(lexical, text):
    assert set(found(lexical, text)) <= {"a1"}


@given(text=st.text(max_size=60))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_query_never_fails_on_any_text(lexical, text):
    assert all(score > 0 for _, score in lexical.query(text, 5, Filters()))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), ["a3", "a4", "a1"]),
        (Filters(outlets=("REUTERS",)), ["a3"]),
        (Filters(outlets=("Reuters", "The Guardian")), ["a3", "a1"]),
        (Filters(outlets=("Nobody",)), []),
        (Filters(since=date(2025, 5, 6)), ["a1"]),
        (Filters(since=date(2025, 5, 7)), []),
        (Filters(until=date(2025, 5, 6)), ["a4", "a1"]),
        (Filters(until=date(2024, 1, 1)), ["a4"]),
        (Filters(since=date(2024, 1, 1), until=date(2024, 12, 31)), ["a4"]),
        (Filters(article_ids=("a1", "a4", "gone")), ["a4", "a1"]),
        (Filters(article_ids=("a1", "a4"), outlets=("the guardian",)), ["a1"]),
    ],
)
def test_query_filters_inside_and_leaves_scores_alone(lexical, filters, expected):
    text = "Kigali envoy"
    unfiltered = dict(lexical.query(text, 10, Filters()))
    hits = lexical.query(text, 10, filters)
    assert sorted(found(lexical, text, filters)) == sorted(expected)
    assert all(score == pytest.approx(unfiltered[passage_id]) for passage_id, score in hits)
    assert hits == sorted(hits, key=lambda pair: (-pair[1], pair[0]))


def test_query_scores_are_bm25(tmp_path):
    texts = ["river river bridge", "river treaty harbour", "treaty"]
    articles = [make_article(text, id=f"a{n}", title="t") for n, text in enumerate(texts)]
    lexical = TantivyLexical(tmp_path / "lexical")
    entries = [(passage, article) for article in articles for passage in chunk_article(article)]
    lexical.upsert(entries)
    words = {passage.id: indexed_text(article, passage).lower().split() for passage, article in entries}
    mean = sum(map(len, words.values())) / len(words)
    expected = {}
    for passage_id, tokens in words.items():
        if counts := Counter(tokens)["river"]:
            idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
            expected[passage_id] = idf * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * len(tokens) / mean))
    assert dict(lexical.query("the river", 9, Filters())) == pytest.approx(expected, rel=1e-3)
    doubled = dict(lexical.query("river, the river", 9, Filters()))
    assert doubled == pytest.approx({passage_id: 2 * score for passage_id, score in expected.items()}, rel=1e-3)


def test_query_prefers_words_that_stand_together(tmp_path):
    apart = make_article("The house was old and the man in it wore white.", id="a", title="t")
    together = make_article("The white house was old and the man in it wore.", id="b", title="t")
    lexical = TantivyLexical(tmp_path / "lexical")
    lexical.upsert([(passage, article) for article in (apart, together) for passage in chunk_article(article)])
    scores = {passage_id.split(":")[0]: score for passage_id, score in lexical.query("White House", 5, Filters())}
    assert scores["b"] > scores["a"]
    scores = {passage_id.split(":")[0]: score for passage_id, score in lexical.query("house, white", 5, Filters())}
    assert scores["b"] == pytest.approx(scores["a"])


def test_query_counts_a_word_of_a_passage_twice_at_most(tmp_path):
    articles = [make_article("flood " * n + "dry " * (5 - n), id=f"a{n}", title="t") for n in (1, 2, 5)]
    lexical = TantivyLexical(tmp_path / "lexical")
    lexical.upsert([(passage, article) for article in articles for passage in chunk_article(article)])
    scores = {passage_id.split(":")[0]: score for passage_id, score in lexical.query("flood", 5, Filters())}
    assert scores["a5"] > scores["a2"] > scores["a1"]  # a5 is shorter once its repeats are dropped
    assert scores["a5"] < scores["a1"] * 2


def test_query_breaks_ties_by_passage_id_even_at_the_cut(tmp_path):
    lexical = TantivyLexical(tmp_path / "lexical")
    articles = [make_article("The same words.", id=f"t{n:02}", title="t") for n in range(30)]
    entries = [(passage, article) for article in articles for passage in chunk_article(article)]
    for entry in reversed(entries):  # stored backwards, in several segments
        lexical.upsert([entry])
    ids = sorted(passage.id for passage, _ in entries)
    for k in (1, 3, 29, 30, 99):
        assert [passage_id for passage_id, _ in lexical.query("same words", k, Filters())] == ids[:k]


def test_upsert_replaces_and_remove_forgets(lexical):
    passage, article = ENTRIES[0]
    lexical.upsert([(passage, make_article("x", id="a1")), (passage, make_article("y", id="a1", title="Zebra"))])
    assert lexical.count() == len(ENTRIES) and found(lexical, "zebra") == ["a1"] and found(lexical, "one") == []
    lexical.remove([passage.id, "unknown"])
    assert lexical.ids() == {id_ for id_ in ID.values() if id_ != passage.id} and found(lexical, "zebra") == []
    lexical.upsert([(passage, article)])
    assert found(lexical, "minister") == ["a1"]
    lexical.upsert([])


def test_lexical_index_is_there_after_a_restart_and_frees_its_writer(lexical, tmp_path):
    again = TantivyLexical(tmp_path / "lexical")
    again.remove([ID["a1"]])
    assert found(again, "minister") == []
    lexical.remove([ID["a2"]])  # the first one can write again, for no writer stays open
    assert TantivyLexical(tmp_path / "lexical").count() == 2


def test_query_on_an_empty_index_finds_nothing(tmp_path):
    lexical = TantivyLexical(tmp_path / "lexical")
    assert lexical.query("minister", 5, Filters()) == [] and lexical.count() == 0 and lexical.ids() == set()


def test_lexical_index_says_what_is_wrong_with_a_broken_folder(lexical, tmp_path):
    (tmp_path / "lexical" / "meta.json").write_text("{")
    with pytest.raises(LibraryDamagedError, match="byline doctor --repair"):
        TantivyLexical(tmp_path / "lexical")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the U.S. and the U.N.", "the US and the UN"),
        ("1,234,567 and 12,34 and 1,2345", "1234567 and 12,34 and 1,2345"),
        ("e.g. 3.5 a.m.", "eg 3.5 am"),
        ("End. Start", "End. Start"),
    ],
)
def test_prepare_joins_acronyms_and_grouped_digits(text, expected):
    assert prepare(text) == expected
