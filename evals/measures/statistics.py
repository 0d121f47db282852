"""Means and pooled figures over questions: bootstrap intervals, paired comparisons. Seeded: a re-run agrees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evals.types import Comparison, Score

Matrix = NDArray[np.float64]
Statistic = Callable[[Matrix], float]
"""A figure over all questions at once, from one row of numbers for each; NaN when it is not defined."""

RESAMPLES = 2000  # the interval's ends then wander by about a twentieth of its width
PERMUTATIONS = 10_000  # resolves p-values down to 0.0001
POOLED_DRAWS = 1000  # pooled figures are computed draw by draw; p-values down to 0.001
SEED = 20261122  # any; fixed, so that a re-run gives identical intervals
_CHUNK = 500  # swaps or draws computed at a time: 6,000 questions then take 24 MB


def summarise(name: str, values: Mapping[str, float]) -> Score:
    """Return the mean over questions with its percentile bootstrap 95 % interval.

    Questions are drawn with replacement (Efron 1979; for retrieval, Sakai 2006). Without questions every number is
    NaN, because a mean of nothing is not 0. The interval depends on the values alone, not on their order.
    """
    sample = np.sort(np.fromiter(values.values(), float, len(values)))
    if not len(sample):
        return Score(name, float("nan"), float("nan"), float("nan"), 0)
    low, high = _interval(sample)
    return Score(name, float(sample.mean()), low, high, len(sample))


def summarise_pooled(name: str, rows: Mapping[str, Sequence[float]], statistic: Statistic) -> Score:
    """Return a figure over all questions at once, with the percentile interval over drawn sets of questions.

    Draws on which the figure is not defined are left out of the interval.
    """
    matrix = _matrix(rows)
    if not len(matrix):
        return Score(name, float("nan"), float("nan"), float("nan"), 0)
    n, random = len(matrix), np.random.default_rng(SEED)
    if (matrix == matrix[0]).all():  # every draw is the same
        value = statistic(matrix)
        return Score(name, value, value, value, n)
    drawn = np.array([statistic(matrix[random.integers(0, n, n)]) for _ in range(POOLED_DRAWS)])
    value = statistic(matrix)  # of the sorted rows: sums of floats depend on their order
    defined = drawn[~np.isnan(drawn)]
    low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (value, value)
    return Score(name, value, float(low), float(high), n)


def compare(first: Mapping[str, float], second: Mapping[str, float]) -> Comparison:
    """Return the mean difference over the questions of both, with interval and p-value.

    The p-value is of the two-sided paired randomisation test (Fisher 1935; Smucker, Allan and Carterette 2007): the
    share of random swaps of the two systems' values, question by question, whose mean difference is at least as far
    from 0. The observed one is counted among the swaps, so it is never 0, and it is 1 when all values are equal.

    Raises:
        ValueError: If the two do not hold the same questions.
    """
    _check_same(first, second)
    differences = np.array([first[name] - second[name] for name in sorted(first)])
    observed = abs(differences.sum()) - 1e-9  # sums of floats in another order
    moved = differences[differences != 0]
    random = np.random.default_rng(SEED)
    as_far = 1
    for _ in range(PERMUTATIONS // _CHUNK):
        signs = random.integers(0, 2, (_CHUNK, len(moved)), dtype=np.int8) * 2 - 1
        as_far += int((np.abs(signs @ moved) >= observed).sum())
    low, high = _interval(np.sort(differences))
    return Comparison(float(differences.mean()), low, high, as_far / (PERMUTATIONS + 1), len(differences))


def compare_pooled(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    statistic: Statistic,
    *,
    swaps: bool = True,
) -> Comparison:
    """Return the difference of a pooled figure, with paired bootstrap interval and paired randomisation p-value.

    As `compare`, with whole rows drawn and swapped. Without `swaps` the p-value is twice the share of drawn sets of
    questions on which the difference has the other sign or is 0 (Efron and Tibshirani 1993): the right test for
    percentiles, since the median of two systems swapped at random is that of either and never in between.

    Raises:
        ValueError: If the two do not hold the same questions.
    """
    _check_same(first, second)
    names = sorted(first)
    one, two = (np.array([list(rows[name]) for name in names], float) for rows in (first, second))
    if np.array_equal(one, two):
        return Comparison(0.0, 0.0, 0.0, 1.0, len(names))
    observed = statistic(one) - statistic(two)
    random = np.random.default_rng(SEED)
    n, as_far, drawn = len(names), 1, []
    for _ in range(POOLED_DRAWS):
        if swaps:
            swap = random.integers(0, 2, n).astype(bool)[:, None]
            swapped = statistic(np.where(swap, two, one)) - statistic(np.where(swap, one, two))
            as_far += not abs(swapped) < abs(observed) - 1e-12  # one that is not defined counts as far
        chosen = random.integers(0, n, n)
        drawn.append(statistic(one[chosen]) - statistic(two[chosen]))
        if not swaps:
            as_far += 2 * (drawn[-1] * observed <= 0)
    defined = [each for each in drawn if not np.isnan(each)] or [observed]
    low, high = np.percentile(defined, [2.5, 97.5])
    p_value = min(1.0, as_far / (POOLED_DRAWS + 1))
    return Comparison(float(observed), float(low), float(high), p_value, n)


def figure_of(rows: Mapping[str, Sequence[float]], statistic: Statistic) -> float:
    """Return a figure over all questions at once."""
    return statistic(_matrix(rows))


def _check_same(first: Mapping[str, object], second: Mapping[str, object]) -> None:
    if first.keys() != second.keys():
        raise ValueError(f"The systems answered different questions: {sorted(first.keys() ^ second.keys())[:3]}...")
    if not first:
        raise ValueError("There is no question to compare on.")


def _matrix(rows: Mapping[str, Sequence[float]]) -> Matrix:
    # Sorted, so that neither the order of questions nor their names has a part in the interval.
    return np.array(sorted(list(row) for row in rows.values()), float)


def _interval(sample: Matrix) -> tuple[float, float]:
    draws = _draws(len(sample))
    chunks = (draws[start : start + _CHUNK].astype(np.float64) for start in range(0, RESAMPLES, _CHUNK))
    means = np.concatenate([chunk @ sample for chunk in chunks]) / len(sample)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@lru_cache(maxsize=8)  # measures of one set share a few numbers of questions
def _draws(n: int) -> NDArray[np.uint8]:
    """Return how often each of n questions is drawn, shape (RESAMPLES, n); nobody is drawn 256 times."""
    random = np.random.default_rng(SEED)
    return np.array([np.bincount(random.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)], np.uint8)
