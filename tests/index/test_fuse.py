"""Fusion by hand-worked sums, and how it behaves at the edges."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.clauses import MAX_CLAUSES, MIN_WORDS, split_clauses
from index.fuse import best_first, fuse_convex, fuse_reciprocal_ranks, scale

LEXICAL = {"a": 12.0, "b": 8.0, "c": 4.0}
DENSE = {"b": 0.75, "c": 0.25, "d": 0.5}
SCORES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(-1, 50), max_size=8)


def test_fuse_convex_by_hand():
    fused = fuse_convex(LEXICAL, DENSE, 0.4)
    assert fused == pytest.approx({"a": 0.6, "b": 0.6 * 0.5 + 0.4, "c": 0.0, "d": 0.4 * 0.5})


@pytest.mark.parametrize(("weight", "order"), [(0.0, ["a", "b", "c", "d"]), (1.0, ["b", "d", "a", "c"])])
def test_fuse_convex_at_its_ends_is_one_side_alone(weight, order):
    assert best_first(fuse_convex(LEXICAL, DENSE, weight)) == order


@given(SCORES, SCORES, st.floats(0, 1))
def test_fuse_convex_stays_between_0_and_1_and_scores_every_id(lexical, dense, weight):
    fused = fuse_convex(lexical, dense, weight)
    assert fused.keys() == lexical.keys() | dense.keys()
    assert all(0.0 <= score <= 1.0 + 1e-12 for score in fused.values())


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_fuse_convex_refuses_a_weight_outside_0_to_1(weight):
    with pytest.raises(ValueError, match="from 0 to 1"):
        fuse_convex(LEXICAL, DENSE, weight)


def test_fuse_of_nothing_is_nothing():
    assert fuse_convex({}, {}, 0.5) == {}
    assert fuse_reciprocal_ranks({}, {}) == {}


def test_fuse_reciprocal_ranks_by_hand():
    fused = fuse_reciprocal_ranks(LEXICAL, DENSE)
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 63 + 1 / 63, "d": 1 / 62})


def test_scale_by_hand_and_when_all_are_equal():
    assert scale({"a": 3.0, "b": 2.0, "c": 1.0}) == {"a": 1.0, "b": 0.5, "c": 0.0}
    assert scale({"a": 2.0, "b": 2.0}) == {"a": 1.0, "b": 1.0}
    assert scale({}) == {}


def test_scale_gives_what_lies_below_the_best_hundred_nothing():
    scaled = scale({f"{n:03}": float(n) for n in range(200)})
    assert scaled["199"] == 1.0
    assert [scaled["100"], scaled["050"], scaled["000"]] == [0.0, 0.0, 0.0]
    assert 0 < scaled["101"] < 0.02


def test_best_first_breaks_ties_by_id():
    assert best_first({"b": 1.0, "c": 2.0, "a": 1.0}) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("question", "clauses"),
    [
        ("Who won?", []),
        ("When, and by whom, was the old bridge over the river closed?", []),
        (
            "Did the Echo report a strike at the port, while the Herald said that talks had resumed?",
            ["Did the Echo report a strike at the port", "while the Herald said that talks had resumed"],
        ),
        (
            "Who leads the party that won the election in March and which minister resigned over the budget vote?",
            ["Who leads the party that won the election in March", "and which minister resigned over the budget vote"],
        ),
        ("Profits of $3.5 billion were reported by the U.S. bank in the third quarter", []),
        ("", []),
        (" ,;:? ", []),
    ],
    ids=["short", "short clauses", "while", "and", "figures", "empty", "marks"],
)
def test_split_clauses_parts_what_asks_for_several_things(question, clauses):
    assert split_clauses(question) == clauses


@example(["port"] * 2 + ["1,5"] * 2 + ["and"] + ["1,5"] * 2 + ["port", "and"])
@given(st.lists(st.sampled_from(["port", "and", "while", "strike,", "talks.", "ü", "1,5", "-"]), max_size=120))
def test_split_clauses_loses_no_word_and_bounds_their_number(words):
    question = " ".join(words)
    clauses = split_clauses(question)
    assert len(clauses) <= MAX_CLAUSES and len(clauses) != 1
    if clauses:
        kept = [word.strip(",.") for word in " ".join(clauses).split()]
        assert kept == [word.strip(",.") for word in words]
        assert sum(len(clause.split()) >= MIN_WORDS for clause in clauses) >= 1
