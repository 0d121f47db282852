"""Figures over all questions at once: declining, risk and coverage, calibration, disagreement, time.

Each takes a matrix with one row of numbers for each question, so that questions can be drawn and swapped whole.
"""

from __future__ import annotations

import numpy as np

from evals.measures.statistics import Matrix, Statistic

BINS = 10  # of confidence, equally wide; Guo et al. take 15 for sets ten times as large


def precision(rows: Matrix) -> float:
    """Return true positives / positives given, from rows (wanted, given); NaN when none was given or wanted.

    Of abstention: rightly declined / declined. Of disagreement: rightly pointed out / pointed out.
    """
    wanted, given = rows[:, 0] > 0, rows[:, 1] > 0
    return float((wanted & given).sum() / given.sum()) if given.any() and wanted.any() else float("nan")


def recall(rows: Matrix) -> float:
    """Return true positives / positives wanted, from rows (wanted, given); NaN when none was wanted."""
    wanted, given = rows[:, 0] > 0, rows[:, 1] > 0
    return float((wanted & given).sum() / wanted.sum()) if wanted.any() else float("nan")


def f1(rows: Matrix) -> float:
    """Return 2 TP / (wanted + given), the harmonic mean of precision and recall; NaN when none was wanted.

    With some wanted and none given it is 0.
    """
    wanted, given = rows[:, 0] > 0, rows[:, 1] > 0
    return float(2 * (wanted & given).sum() / (wanted.sum() + given.sum())) if wanted.any() else float("nan")


def aurc(rows: Matrix) -> float:
    """Return the area under the risk-coverage curve, from rows (confidence, right, answered); smaller is better.

    The mean, over every coverage 1/n .. n/n, of the share of wrong ones among that many most confident questions
    (Geifman and El-Yaniv 2017). Questions of equal confidence share their risk evenly, so their order has no part. A
    declined question counts as covered last, and wrong: what would have been answered is not known.
    """
    return float(risk_coverage(rows)[:, 1].mean()) if len(rows) else float("nan")


def risk_coverage(rows: Matrix) -> Matrix:
    """Return (coverage, risk) for every number of questions answered, from rows (confidence, right, answered)."""
    confidence = np.where(rows[:, 2] > 0, rows[:, 0], -np.inf)
    wrong = np.where(rows[:, 2] > 0, 1.0 - rows[:, 1], 1.0)
    values, group = np.unique(-confidence, return_inverse=True)
    size = np.bincount(group, minlength=len(values))
    shared = np.bincount(group, weights=wrong, minlength=len(values)) / size
    n = np.arange(1, len(rows) + 1)
    return np.column_stack([n / len(rows), np.cumsum(np.repeat(shared, size)) / n])


def ece(rows: Matrix) -> float:
    """Return the expected calibration error of what was answered, from rows (confidence, right); smaller is better.

    Over `BINS` equally wide bins of confidence: the sum of |share right - mean confidence| times the bin's share of
    questions (Naeini et al. 2015; Guo et al. 2017). A confidence on a border belongs to the upper bin, 1 to the last.
    """
    if not len(rows):
        return float("nan")
    bins = calibration(rows)
    return float((np.abs(bins[:, 1] - bins[:, 0]) * bins[:, 2]).sum() / len(rows))


def calibration(rows: Matrix) -> Matrix:
    """Return (mean confidence, share right, n) of every bin that is not empty, from rows (confidence, right)."""
    places = np.clip((rows[:, 0] * BINS).astype(int), 0, BINS - 1)
    inside = (rows[places == place] for place in range(BINS))
    return np.array([[*group.mean(axis=0)[:2], len(group)] for group in inside if len(group)]).reshape(-1, 3)


def p50(rows: Matrix) -> float:
    """Return the median of one column."""
    return float(np.percentile(rows[:, 0], 50))


def p95(rows: Matrix) -> float:
    """Return the 95th percentile of one column, interpolated; with few rows it is close to the largest."""
    return float(np.percentile(rows[:, 0], 95))


def mean(rows: Matrix) -> float:
    """Return the mean of one column."""
    return float(rows[:, 0].mean())


POOLED: dict[str, tuple[str, Statistic]] = {
    "Abstention precision": ("abstention", precision),
    "Abstention recall": ("abstention", recall),
    "Abstention F1": ("abstention", f1),
    "AURC": ("risk", aurc),
    "ECE": ("calibration", ece),
    "Disagreement precision": ("disagreement", precision),
    "Disagreement recall": ("disagreement", recall),
    "Disagreement F1": ("disagreement", f1),
    "Latency p50 (ms)": ("latency", p50),
    "Latency p95 (ms)": ("latency", p95),
    "Processor s": ("processor", mean),
    "Tokens": ("tokens", mean),
    "Cost ($ / 1,000)": ("cost", mean),
}
"""Measure -> which rows it is computed from, and how."""

LOWER_IS_BETTER = frozenset(
    {"AURC", "ECE", "Latency p50 (ms)", "Latency p95 (ms)", "Processor s", "Tokens", "Cost ($ / 1,000)"}
)
TIMES = frozenset({"Latency p50 (ms)", "Latency p95 (ms)", "Processor s"})
"""What differs between two runs of the same settings: never gated, and compared by drawing, not by swapping."""
