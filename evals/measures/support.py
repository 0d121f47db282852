"""How well a support check tells supported claims from others; from rows (supported, score)."""

from __future__ import annotations

import numpy as np

from evals.measures.statistics import Matrix


def auroc(rows: Matrix) -> float:
    """Return the chance that a supported claim scores above one that is not; ties count half (Hanley, McNeil 1982).

    The Mann-Whitney statistic over mean ranks; NaN unless there are claims of both kinds.
    """
    positive = rows[:, 0] > 0
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    if not n_pos or not n_neg:
        return float("nan")
    _, group, size = np.unique(rows[:, 1], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[group]  # from 1; equal scores share the mean of theirs
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def balanced_accuracy(rows: Matrix) -> float:
    """Return the mean of the shares judged right among supported and other claims, from rows (supported, judged).

    0.5 is what a constant judge gets, whatever the classes' sizes (Brodersen et al. 2010); NaN unless there are
    claims of both kinds.
    """
    positive, judged = rows[:, 0] > 0, rows[:, 1] > 0
    if positive.all() or not positive.any():
        return float("nan")
    return float((judged[positive].mean() + (~judged[~positive]).mean()) / 2)


def best_threshold(rows: Matrix) -> float:
    """Return the score at and above which to judge "supported", for the best balanced accuracy on these rows.

    Tried halfway between neighbouring scores and below all; the lowest of equals.
    """
    scores = np.unique(rows[:, 1])
    tried = np.concatenate([[scores[0] - 1.0], (scores[1:] + scores[:-1]) / 2])
    accuracy = [balanced_accuracy(np.column_stack([rows[:, 0], rows[:, 1] >= value])) for value in tried]
    return float(tried[int(np.nanargmax(accuracy))]) if not np.isnan(accuracy).all() else float(scores[0])
