"""Rows of a suite become examples with spans in the articles; kept cases likewise."""

import json

import pytest

from corpus.errors import ArticleFormatError, EmptyCorpusError
from evals.suite import find_suite, load_suite, pending_cases, stem_of
from tests.fakes import make_article

TEXT = "Talks are at an early stage. He called it a “gimmick”. Rwanda seeks £50 million."
ARTICLE = make_article(TEXT, id="a1", origin="stem-1.txt")
ROW = {"id": "c", "question": "What is it?", "type": "quote", "answerable": True, "answers": ["gimmick"]}
GIMMICK, TALKS = {"article": "stem-1", "all_of": ['"GIMMICK"']}, {"article": "stem-1", "all_of": ["talks"]}


def _load(tmp_path, *rows):
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_suite(path, [ARTICLE])


def _shown(sets):
    return [[gold.span.slice(TEXT) for gold in each] for each in sets]


def test_evidence_is_found_whatever_its_quotes_and_case(tmp_path):
    [example] = _load(tmp_path, ROW | {"evidence": [GIMMICK]}).examples
    assert _shown(example.gold_sets) == [["He called it a “gimmick”."]]
    assert (example.gold_articles, example.disagrees) == (("a1",), False)


def test_any_entry_is_enough_unless_all_are_needed(tmp_path):
    row = ROW | {"evidence": [GIMMICK, TALKS]}
    either, both = _load(tmp_path, row, row | {"need": "all"}).examples
    talks, gimmick = "Talks are at an early stage.", "He called it a “gimmick”."
    assert _shown(either.gold_sets) == [[gimmick], [talks]]
    assert _shown(both.gold_sets) == [[talks, gimmick]]
    assert _shown([both.gold_spans]) == [[talks, gimmick]]


def test_any_of_wants_one_of_its_words(tmp_path):
    entry = {"article": "stem-1", "any_of": ["early", "seeks"]}
    [example] = _load(tmp_path, ROW | {"evidence": [entry]}).examples
    assert _shown(example.gold_sets) == [["Talks are at an early stage."], ["Rwanda seeks £50 million."]]


def test_parts_and_positions_are_what_a_complete_answer_names(tmp_path):
    parts = ROW | {"evidence": [GIMMICK], "parts": [["a", "b"], ["c"]]}
    sides = ROW | {
        "evidence": [TALKS],
        "positions": [{"article": "x", "answers": ["1"]}, {"article": "y", "answers": ["2"]}],
    }
    listed, disagreeing = _load(tmp_path, parts, sides).examples
    assert (listed.wanted, listed.disagrees) == ((("a", "b"), ("c",)), False)
    assert (disagreeing.wanted, disagreeing.disagrees) == ((("1",), ("2",)), True)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"id": "x"}, "Line 1"),
        (ROW | {"evidence": [{"article": "stem-1", "all_of": ["nowhere"]}]}, "in no sentence"),
        (ROW | {"evidence": [{"article": "stem-9"}]}, "not among the articles"),
    ],
    ids=["fields", "sentence", "article"],
)
def test_load_suite_names_what_is_wrong(tmp_path, row, error):
    with pytest.raises(ArticleFormatError, match=error):
        _load(tmp_path, row)


def test_load_suite_names_the_line_that_is_not_json(tmp_path):
    (tmp_path / "s.jsonl").write_text('{}{"id"\n')
    with pytest.raises(ArticleFormatError, match="Line 1"):
        load_suite(tmp_path / "s.jsonl", [])


def test_kept_cases_expect_their_spans_and_pending_ones_are_told(tmp_path):
    gold = {"doc": "a1", "version": ARTICLE.version, "start": 0, "end": 28, "text": TEXT[:28]}
    kept = {"id": "k", "question": "?", "verdict": "right", "answerable": True, "answers": [], "gold_spans": [gold]}
    pending = kept | {"id": "p", "verdict": "wrong", "answerable": None, "gold_spans": []}
    loaded = _load(tmp_path, kept, pending)
    assert _shown([example.gold_spans for example in loaded.examples]) == [["Talks are at an early stage."]]
    assert [case["id"] for case in pending_cases(tmp_path / "s.jsonl")] == ["p"]
    with pytest.raises(ArticleFormatError, match="changed or removed"):
        _load(tmp_path, kept | {"gold_spans": [gold | {"text": "Talks have ended already. Now"}]})


def test_find_suite_names_the_bundled_ones():
    assert find_suite("bundled").name == "bundled.jsonl"
    with pytest.raises(EmptyCorpusError, match="bundled, chats, first_answers"):
        find_suite("nosuch")


def test_stem_of_reads_front_matter_or_the_file_name(tmp_path):
    path = tmp_path / "mine.md"
    path.write_text("---\nid: a\nstem: 004_x\n---\nText\nstem: not-this\n")
    assert stem_of(make_article("x", origin=str(path))) == "004_x"
    assert stem_of(make_article("x", origin="folder/000_y.txt")) == "000_y"
