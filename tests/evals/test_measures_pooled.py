"""Figures over all questions: worked examples, second implementations, what is not defined."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures.pooled import aurc, calibration, ece, f1, p50, p95, precision, recall, risk_coverage
from evals.measures.support import auroc, balanced_accuracy, best_threshold


def _rows(*rows):
    return np.array(rows, float)


def test_precision_recall_and_f1_by_hand():
    # Two of three to be declined are declined, and one too many.
    rows = _rows((1, 1), (1, 1), (1, 0), (0, 1), (0, 0))
    assert precision(rows) == pytest.approx(2 / 3)
    assert recall(rows) == pytest.approx(2 / 3)
    assert f1(rows) == pytest.approx(2 / 3)


def test_precision_recall_and_f1_where_they_are_not_defined():
    none_wanted, none_given = _rows((0, 0), (0, 1)), _rows((1, 0), (0, 0))
    assert all(math.isnan(figure(none_wanted)) for figure in (precision, recall, f1))
    assert math.isnan(precision(none_given))
    assert (recall(none_given), f1(none_given)) == (0.0, 0.0)


def test_aurc_by_hand():
    # Surest first: right, wrong, right; the declined one last and wrong. Risks 0, 1/2, 1/3, 1/2.
    rows = _rows((0.9, 1, 1), (0.5, 0, 1), (0.3, 1, 1), (0.99, 1, 0))
    assert aurc(rows) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert risk_coverage(rows)[:, 0] == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_aurc_shares_the_risk_of_equal_confidences():
    rows = _rows((0.5, 1, 1), (0.5, 0, 1))
    assert aurc(rows) == aurc(rows[::-1]) == pytest.approx((0.5 + 0.5) / 2)


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=30, unique_by=lambda row: row[0]))
def test_aurc_equals_a_plain_reading_of_the_definition(rows):
    ordered = sorted(rows, reverse=True)
    risks = [sum(not right for _, right in ordered[:n]) / n for n in range(1, len(rows) + 1)]
    assert aurc(_rows(*((c / 1000, right, 1) for c, right in rows))) == pytest.approx(sum(risks) / len(risks))


def test_ece_by_hand():
    # Bin 0.2: mean confidence 0.25, half right. Bin 0.9: confidences 0.9 and 1.0, all right.
    rows = _rows((0.2, 1), (0.3 - 1e-9, 0), (0.9, 1), (1.0, 1))
    assert ece(rows) == pytest.approx(0.5 * 0.25 + 0.5 * 0.05, abs=1e-6)
    assert calibration(rows)[:, 2].tolist() == [2, 2]
    assert math.isnan(ece(np.empty((0, 2))))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_ece_equals_a_loop_over_bins(rows):
    total = 0.0
    for place in range(10):
        inside = [(c, r) for c, r in rows if min(9, int(c * 10)) == place]
        if inside:
            gap = abs(sum(r for _, r in inside) - sum(c for c, _ in inside)) / len(inside)
            total += gap * len(inside) / len(rows)
    assert ece(_rows(*rows)) == pytest.approx(total, abs=1e-9)


def test_percentiles_by_hand():
    rows = _rows(*((n,) for n in range(1, 102)))
    assert (p50(rows), p95(rows)) == (51.0, 96.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30))
def test_auroc_equals_counting_pairs(rows):
    value = auroc(_rows(*rows))
    pairs = [(p, n) for is_p, p in rows if is_p for is_n, n in rows if not is_n]
    if not pairs:
        assert math.isnan(value)
    else:
        assert value == pytest.approx(sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs))


def test_balanced_accuracy_by_hand():
    assert balanced_accuracy(_rows((1, 1), (1, 1), (1, 0), (1, 0), (0, 0))) == 0.75
    assert balanced_accuracy(_rows((1, 1), (0, 1), (0, 1))) == 0.5
    assert math.isnan(balanced_accuracy(_rows((1, 1))))


def test_best_threshold_parts_what_can_be_parted():
    threshold = best_threshold(_rows((1, 0.9), (1, 0.7), (0, 0.3), (0, 0.1)))
    assert threshold == pytest.approx(0.5)
    assert best_threshold(_rows((1, 0.4))) == 0.4
