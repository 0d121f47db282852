"""Answers as text: the official script's examples, hand-worked cases, the empty ones."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures.text import contains, measure_completeness, measure_text, normalise_answer, token_f1
from evals.types import Example, Reply, Stated


def _reply(text, short=None, **facts):
    return Reply(statements=(Stated(text, (1,)),), short_answer=short, **facts)


def _example(*answers, id="q", **facts):
    return Example(id, "?", True, answers, **facts)


def _official_f1(prediction, truth):
    """The metric of SQuAD's evaluate-v1.1.py, as published."""

    def normalise(text):
        text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    one, two = normalise(prediction).split(), normalise(truth).split()
    common = Counter(one) & Counter(two)
    same = sum(common.values())
    if same == 0:
        return 0.0
    precision, recall = same / len(one), same / len(two)
    return 2 * precision * recall / (precision + recall)


WORDS = st.lists(st.sampled_from(["the", "A", "cat", "cat,", "sat", "1,200", "U.S.", "-"]), min_size=1).map(" ".join)


@given(WORDS, WORDS)
def test_token_f1_equals_the_official_script(said, wanted):
    if normalise_answer(said) or normalise_answer(wanted):
        assert token_f1(said, wanted) == pytest.approx(_official_f1(said, wanted))


def test_token_f1_of_nothing():
    assert (token_f1("the", "..."), token_f1("", "cat")) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("It was the “gimmick” of the year.", "Gimmick", True),
        ("They paid £50 million.", "50 million", True),
        ("In 1234 nobody came.", "23", False),
        ("two dull piers", "two piers", False),
        ("Yes, it was.", "Yes", True),
        ("There is no doubt.", "No", False),
        ("anything", "...", False),
    ],
    ids=["curly", "pound", "part of a number", "not in a row", "yes first", "no inside", "empty"],
)
def test_contains(said, wanted, expected):
    assert contains(said, wanted) is expected


def test_measure_text_by_hand():
    replies = {"q": _reply("The storm broke two piers.", "two old piers")}
    values = {name: by_id["q"] for name, by_id in measure_text(replies, [_example("two piers", "the pier")]).items()}
    assert values == {
        "Exact match": 0.0,
        "Token F1": pytest.approx(4 / 5),
        "Text F1": pytest.approx(4 / 6),
        "Answer contained": 1.0,
    }


def test_measure_text_scores_declined_failed_and_missing_0_and_leaves_the_unanswerable_out():
    examples = [_example("x", id=name) for name in ("declined", "failed", "missing")]
    examples.append(Example("null", "?", False))
    replies = {"declined": Reply(abstained=True), "failed": _reply("x", error="It broke."), "null": _reply("x")}
    values = measure_text(replies, examples)
    assert all(by_id == {"declined": 0.0, "failed": 0.0, "missing": 0.0} for by_id in values.values())


def test_a_faked_answer_lowers_exact_match_and_f1():
    true, faked = (measure_text({"q": _reply("t", said)}, [_example("two piers")]) for said in ("two piers", "ten"))
    assert (true["Exact match"]["q"], faked["Exact match"]["q"]) == (1.0, 0.0)
    assert true["Token F1"]["q"] > faked["Token F1"]["q"]


def test_measure_completeness_by_hand():
    example = _example("1902", "1885", wanted=(("1902",), ("1885", "the eighties")), wrong_answers=("1850",))
    both = {"q": _reply("Built in 1902, says one; in the eighties, says another.")}
    one_wrong = {"q": _reply("Built in 1902 or in 1850.")}
    sides = {"q": _reply("Built in 1902.", disagreements=(("1902", "1885"),))}
    names = ("Complete and clean", "Answers covered", "No wrong answer")

    def values(replies):
        measured = measure_completeness(replies, [example])
        return [measured[name]["q"] for name in names]

    assert values(both) == [1.0, 1.0, 1.0]
    assert values(one_wrong) == [0.0, 0.5, 0.0]
    assert values(sides) == [1.0, 1.0, 1.0]
    assert values({}) == [0.0, 0.0, 0.0]
    assert measure_completeness(both, [_example("1902")])["Answers covered"] == {}
