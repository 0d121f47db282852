"""Intervals and comparisons: against theory, against counting every case, and with nothing to compare."""

import math
import statistics

import numpy as np
import pytest

from evals.measures.statistics import compare, compare_pooled, figure_of, summarise, summarise_pooled


def test_summarise_gives_the_mean_inside_its_interval():
    values = {str(n): float(n % 4 == 0) for n in range(400)}
    score = summarise("x", values)
    assert (score.value, score.n) == (0.25, 400)
    half_width = 1.96 * statistics.pstdev(values.values()) / math.sqrt(400)  # what theory gives: 0.042
    assert score.low == pytest.approx(0.25 - half_width, abs=0.006)
    assert score.high == pytest.approx(0.25 + half_width, abs=0.006)


def test_summarise_does_not_depend_on_the_order_of_questions():
    values = {"a": 0.0, "b": 1.0, "c": 0.3}
    assert summarise("x", values) == summarise("x", dict(reversed(values.items())))


@pytest.mark.parametrize(("values", "expected"), [({"q": 0.4}, (0.4, 0.4, 0.4, 1))], ids=["one question"])
def test_summarise_of_one_question_has_no_width(values, expected):
    score = summarise("x", values)
    assert (score.value, score.low, score.high, score.n) == expected


def test_summarise_of_nothing_is_not_a_number():
    score = summarise("x", {})
    assert math.isnan(score.value)
    assert score.n == 0


def test_compare_sees_no_difference_in_equal_systems():
    values = {str(n): n % 2 / 1 for n in range(50)}
    same = compare(values, values)
    assert (same.difference, same.p_value, same.low, same.high) == (0.0, 1.0, 0.0, 0.0)


def test_compare_equals_counting_all_swaps():
    # 8 questions, differences 1..8 tenths all in favour of the first: 2 of 256 swaps are as far from 0.
    first = {str(n): n / 10 for n in range(1, 9)}
    result = compare(first, dict.fromkeys(first, 0.0))
    assert result.difference == pytest.approx(0.45)
    assert result.p_value == pytest.approx(2 / 256, abs=0.003)


def test_compare_is_not_fooled_by_one_outlier():
    first = {str(n): 0.0 for n in range(20)} | {"lucky": 1.0}
    assert compare(first, dict.fromkeys(first, 0.0)).p_value == 1.0


def test_compare_refuses_systems_with_different_questions():
    with pytest.raises(ValueError, match="different questions"):
        compare({"a": 1.0}, {"b": 1.0})


def _mean(rows):
    return float(rows[:, 0].mean())


def _row(values):
    return {name: (value,) for name, value in values.items()}


def test_a_pooled_mean_is_the_mean_with_the_same_interval_and_p_value():
    first = {str(n): float(n % 3 == 0) for n in range(60)}
    second = {str(n): float(n % 4 == 0) for n in range(60)}
    one, pooled = summarise("x", first), summarise_pooled("x", _row(first), _mean)
    assert (pooled.value, pooled.n) == (pytest.approx(one.value), 60)
    assert (pooled.low, pooled.high) == (pytest.approx(one.low, abs=0.02), pytest.approx(one.high, abs=0.02))
    means, rows = compare(first, second), compare_pooled(_row(first), _row(second), _mean)
    assert rows.difference == pytest.approx(means.difference)
    assert rows.p_value == pytest.approx(means.p_value, abs=0.05)


def test_compare_pooled_sees_no_difference_in_equal_systems():
    rows = {str(n): (float(n % 2), 1.0) for n in range(20)}
    same = compare_pooled(rows, rows, lambda matrix: float(np.ptp(matrix[:, 0])))
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_medians_are_compared_by_drawing():
    first = {str(n): (10.0,) for n in range(40)}
    second = {name: (60.0,) for name in first}

    def median(rows):
        return float(np.median(rows))

    assert compare_pooled(first, second, median, swaps=False).p_value == pytest.approx(1 / 1001)
    assert compare_pooled(first, second, median).p_value > 0.05  # what swapping would say
    assert compare_pooled(first, first, median, swaps=False).p_value == 1.0


def test_summarise_pooled_of_nothing_is_not_a_number_and_undefined_draws_are_left_out():
    assert math.isnan(summarise_pooled("x", {}, _mean).value)

    def fragile(rows):
        return float("nan") if not rows[:, 0].any() else 1.0

    score = summarise_pooled("x", {"a": (1.0,), "b": (0.0,)}, fragile)
    assert (score.value, score.low, score.high) == (1.0, 1.0, 1.0)


def test_figure_of_does_not_depend_on_the_order_of_questions():
    rows = {"a": (0.1,), "b": (0.7,), "c": (0.2,)}
    assert figure_of(rows, _mean) == figure_of(dict(reversed(rows.items())), _mean)
