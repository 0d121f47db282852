"""Every retrieval measure against a worked example, its edge cases, and a second implementation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.types import Span
from evals.measures.retrieval import (
    found_spans,
    measure_articles,
    measure_evidence,
    measure_evidence_within,
    measure_seen_articles,
    measure_spans,
    rank_articles,
)
from evals.types import Example, GoldSpan, Retrieved


def _run(**rankings):
    """Question id -> article names best first; scores fall, each passage is characters 0..10."""
    return {
        question: tuple(Retrieved(name, Span(0, 10), 1.0 / rank) for rank, name in enumerate(names, 1))
        for question, names in rankings.items()
    }


def _example(id, *articles, spans=()):
    gold = tuple(GoldSpan(name, Span(start, end)) for name, start, end in spans)
    return Example(id=id, question="?", answerable=True, gold_articles=articles, gold_spans=gold)


def test_measure_articles_by_hand():
    # Relevant at ranks 1 and 3 of three relevant articles.
    values = measure_articles(_run(q=["a", "x", "b"]), [_example("q", "a", "b", "c")], 10)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert values["nDCG@10"]["q"] == pytest.approx((1 + 1 / math.log2(4)) / ideal)
    assert values["Recall@10"]["q"] == pytest.approx(2 / 3)
    assert values["RR@10"]["q"] == 1.0
    assert values["AP@10"]["q"] == pytest.approx((1 / 1 + 2 / 3) / 3)


def test_measure_articles_sees_nothing_after_k():
    values = measure_articles(_run(q=["x", "y", "a"]), [_example("q", "a")], 2)
    assert {name: value["q"] for name, value in values.items()} == dict.fromkeys(values, 0.0)
    assert measure_articles(_run(q=["x", "y", "a"]), [_example("q", "a")], 3)["RR@3"]["q"] == pytest.approx(1 / 3)


def test_measure_articles_scores_a_missing_question_0_and_leaves_unjudged_ones_out():
    values = measure_articles(_run(q=["a"]), [_example("q", "a"), _example("silent", "a"), _example("unjudged")], 10)
    assert values["nDCG@10"] == {"q": 1.0, "silent": 0.0}


def test_measure_articles_keeps_the_order_given_when_scores_tie():
    tied = {"q": tuple(Retrieved(name, Span(0, 10), 0.5) for name in ["b", "a", "c"])}
    assert measure_articles(tied, [_example("q", "a")], 10)["RR@10"]["q"] == 0.5


@given(st.permutations("abcdefghij"), st.sets(st.sampled_from("abcdefghijkl"), min_size=1), st.integers(1, 12))
def test_measure_articles_equals_a_plain_reading_of_the_formulas(ranking, gold, k):
    values = measure_articles(_run(q=ranking), [_example("q", *sorted(gold))], k)
    gains = [1.0 if name in gold else 0.0 for name in ranking[:k]]
    dcg = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(gold), k) + 1))
    precisions = [sum(gains[:rank]) / rank for rank, gain in enumerate(gains, 1) if gain]
    expected = {
        f"nDCG@{k}": dcg / ideal,
        f"Recall@{k}": sum(gains) / len(gold),
        f"RR@{k}": next((1 / rank for rank, gain in enumerate(gains, 1) if gain), 0.0),
        f"AP@{k}": sum(precisions) / len(gold),
    }
    assert {name: value["q"] for name, value in values.items()} == pytest.approx(expected)


def test_rank_articles_counts_an_article_where_it_first_comes():
    assert rank_articles(_run(q=["a", "b", "a", "c", "b"])["q"]) == ["a", "b", "c"]
    assert rank_articles([]) == []


PASSAGES = [Retrieved("a", Span(0, 100), 2.0), Retrieved("a", Span(100, 180), 1.0), Retrieved("b", Span(0, 50), 0.5)]


@pytest.mark.parametrize(
    ("gold", "hits", "found"),
    [
        (("a", 20, 60), PASSAGES[:1], True),
        (("a", 80, 120), PASSAGES[:1], True),  # exactly half
        (("a", 79, 121), PASSAGES[:1], True),
        (("a", 80, 121), PASSAGES[:1], False),
        (("a", 90, 190), PASSAGES[:1], False),
        (("a", 90, 190), PASSAGES[:2], True),  # two passages together
        (("b", 0, 200), PASSAGES, False),
        (("c", 0, 10), PASSAGES, False),
        (("a", 0, 10), [], False),
    ],
    ids=["inside", "half", "even", "below half", "tenth", "union", "quarter", "other article", "no hits"],
)
def test_found_spans_wants_half_of_the_span(gold, hits, found):
    name, start, end = gold
    assert found_spans(hits, [GoldSpan(name, Span(start, end))]) == [found]


def test_found_spans_counts_overlapping_passages_once():
    overlapping = [
        Retrieved("a", Span(0, 30), 1.0),
        Retrieved("a", Span(10, 30), 1.0),
        Retrieved("a", Span(0, 30), 1.0),
    ]
    assert found_spans(overlapping, [GoldSpan("a", Span(0, 100))]) == [False]


SPANS = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@given(st.lists(SPANS, max_size=5), SPANS)
def test_found_spans_equals_counting_characters(spans, target):
    shown = {place for span in spans for place in range(span.start, span.end)}
    share = len(shown & set(range(target.start, target.end))) / len(target)
    hits = [Retrieved("a", span, 1.0) for span in spans]
    assert found_spans(hits, [GoldSpan("a", target)]) == [share >= 0.5]


def test_measure_evidence_by_hand():
    example = _example("q", spans=[("a", 0, 40), ("a", 150, 170), ("b", 20, 40), ("c", 0, 9)])
    values = measure_evidence({"q": tuple(PASSAGES)}, [example], 10)
    assert values == {"Evidence recall@10": {"q": 0.75}, "All evidence@10": {"q": 0.0}}
    first_two = measure_evidence({"q": tuple(PASSAGES)}, [example], 2)
    assert first_two["Evidence recall@2"]["q"] == 0.5


def test_measure_evidence_scores_a_missing_question_0_and_leaves_unjudged_ones_out():
    judged = _example("q", spans=[("b", 0, 10)])
    values = measure_evidence({}, [judged, _example("unjudged")], 10)
    assert values == {"Evidence recall@10": {"q": 0.0}, "All evidence@10": {"q": 0.0}}
    assert measure_evidence({"q": tuple(PASSAGES)}, [judged], 10)["All evidence@10"] == {"q": 1.0}


def test_measure_evidence_within_cuts_the_passage_that_crosses_the_budget():
    hits = (Retrieved("a", Span(0, 100), 2.0, n_tokens=20), Retrieved("b", Span(0, 100), 1.0, n_tokens=20))
    example = _example("q", spans=[("a", 0, 10), ("b", 0, 40), ("b", 60, 100)])
    name = "Evidence recall@{} tokens".format
    within = {budget: measure_evidence_within({"q": hits}, [example], budget) for budget in (0, 20, 28, 40, 99)}
    shares = [within[budget][name(budget)]["q"] for budget in within]
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    with pytest.raises(ValueError, match="tokens"):
        measure_evidence_within({"q": tuple(PASSAGES)}, [example], 10)


def test_a_span_shifted_out_of_its_passage_lowers_evidence_recall():
    example = _example("q", spans=[("a", 0, 40)])
    shifted = {"q": (Retrieved("a", Span(25, 125), 1.0),)}
    assert measure_evidence(shifted, [example], 10)["Evidence recall@10"]["q"] == 0.0


def test_measure_articles_weighs_grades():
    example = Example("q", "?", True, gold_articles=("a", "b"), grades=(2, 1))
    value = measure_articles(_run(q=["b", "a"]), [example], 10)["nDCG@10"]["q"]
    assert value == pytest.approx((1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)))


def test_measure_seen_articles_by_hand():
    run = {"q": (*PASSAGES[:2], Retrieved("b", Span(0, 9), 0.1)), "r": tuple(PASSAGES[:2])}
    values = measure_seen_articles(run, [_example("q", "a", "b"), _example("r", "a", "b"), _example("silent", "a")], 3)
    assert values["Articles in 3 passages"] == {"q": 1.0, "r": 0.5, "silent": 0.0}
    assert values["All articles in 3 passages"] == {"q": 1.0, "r": 0.0, "silent": 0.0}
    assert measure_seen_articles(run, [_example("q", "b")], 2)["Articles in 2 passages"] == {"q": 0.0}


def test_measure_spans_by_hand():
    # The first passage finds nothing, the second two spans at once, the third none that is new; one is never found.
    example = _example("q", spans=[("a", 0, 10), ("a", 50, 60), ("b", 0, 10)])
    hits = (Retrieved("c", Span(0, 99), 3.0), Retrieved("a", Span(0, 99), 2.0), Retrieved("a", Span(5, 99), 1.0))
    values = {name: by_id["q"] for name, by_id in measure_spans({"q": hits}, [example], 10).items()}
    gain = 1 / math.log2(3) + 1 / math.log2(4)
    assert values["Span nDCG@10"] == pytest.approx(gain / (1 + gain))
    assert values["Span Recall@10"] == pytest.approx(2 / 3)
    assert values["Span RR@10"] == 0.5
    assert values["Span AP@10"] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_measure_spans_does_not_change_when_a_passage_is_cut_in_two():
    example = _example("q", spans=[("a", 10, 20), ("b", 0, 10)])
    whole = (Retrieved("a", Span(0, 100), 2.0), Retrieved("b", Span(0, 50), 1.0))
    cut = (Retrieved("a", Span(0, 60), 2.0), Retrieved("b", Span(0, 50), 1.0), Retrieved("a", Span(60, 100), 0.5))
    assert measure_spans({"q": whole}, [example], 10) == measure_spans({"q": cut}, [example], 10)


def test_a_shifted_span_lowers_the_span_measures():
    hits = {"q": (Retrieved("a", Span(0, 40), 1.0),)}
    right, shifted = (measure_spans(hits, [_example("q", spans=[("a", at, at + 20)])], 10) for at in (10, 31))
    assert [by_id["q"] for by_id in right.values()] == [1.0] * 4
    assert [by_id["q"] for by_id in shifted.values()] == [0.0] * 4


def test_evidence_takes_the_set_that_is_found_best():
    one, two, three = (GoldSpan("a", Span(at, at + 10)) for at in (0, 50, 90))
    example = Example("q", "?", True, gold_spans=(one, two, three), gold_sets=((one, two), (three,)))
    hits = (Retrieved("a", Span(45, 65), 1.0, n_tokens=5),)
    assert measure_evidence({"q": hits}, [example], 10)["Evidence recall@10"]["q"] == 0.5
    hits = (Retrieved("a", Span(85, 105), 1.0, n_tokens=5),)
    assert measure_evidence({"q": hits}, [example], 10)["All evidence@10"]["q"] == 1.0
    assert measure_evidence_within({"q": hits}, [example], 9)["Evidence recall@9 tokens"]["q"] == 1.0
