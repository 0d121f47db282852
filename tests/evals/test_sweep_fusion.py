"""The sweep measures each weight as retrieval would, and the halves part the questions for good."""

import pytest

from corpus.types import Span
from evals.data import EvalSet
from evals.sweep_fusion import WEIGHTS, WeightRow, best_weight, half_of, sweep_weights
from evals.types import Example, GoldSpan
from tests.fakes import FakeEmbedder, make_article


def _rows(*triples, half="even"):
    return [WeightRow(name, half, weight, ndcg, 0.5) for name, weight, ndcg in triples]


def test_best_weight_is_that_of_the_highest_sum_over_sets():
    rows = _rows(("a", 0.2, 0.9), ("a", 0.5, 0.8), ("b", 0.2, 0.1), ("b", 0.5, 0.3))
    assert best_weight(rows, "even") == 0.5


def test_best_weight_looks_at_one_half_and_takes_the_smaller_of_equals():
    rows = _rows(("a", 0.2, 0.6), ("a", 0.5, 0.6)) + _rows(("a", 0.2, 0.1), ("a", 0.5, 0.9), half="odd")
    assert (best_weight(rows, "even"), best_weight(rows, "odd")) == (0.2, 0.5)


def test_half_of_parts_questions_about_evenly_and_for_good():
    examples = [Example(f"q{n}", "?", True) for n in range(400)]
    halves = [half_of(example) for example in examples]
    assert 160 < halves.count("even") < 240
    assert halves[:4] == ["even", "odd", "even", "even"]


def test_sweep_weights_has_a_row_for_each_weight_and_half(tmp_path):
    article = make_article("The ferry was late. Nobody knew why.", id="a1", title="Ferry")
    gold = (GoldSpan("a1", Span(0, 19)),)
    asked = [Example(f"q{n}", "Was the ferry late?", True, (), ("a1",), gold) for n in range(4)]
    of = EvalSet("s", tmp_path, (*asked, Example("null", "Who?", False)), (article,))
    ticks = []
    rows = sweep_weights(of, tmp_path / "library", embedder=FakeEmbedder(), on_question=lambda: ticks.append(1))
    assert len(ticks) == 4
    assert {(row.dense_weight, row.half) for row in rows} == {(w, half) for w in WEIGHTS for half in ("even", "odd")}
    assert all((row.ndcg, row.evidence) == pytest.approx((1.0, 1.0)) for row in rows)
