"""Rows drawn so that the question alone does not tell whether it is answered.

Writers ask what an article leaves open in other forms than what it says ("What is the name of", a condition more), and
a network learns the form instead of reading. Rows whose wording gives them away are shown less often, those that speak
against it more often (the reweighting of Clark, Yatskar and Zettlemoyer, "Don't Take the Easy Way Out", 2019, with
copies in place of weights). Contrast pairs do the same by the way they are written.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from qa.training.rows import Row

FOLDS = 4
MOST_COPIES = 3.0  # of a row whose wording speaks against what is true of it


def balance(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Draw about as many rows, by what their question alone says of them.

    Args:
        rows: Those that ask nothing (`answerable` is None) are kept as they are.
        rng: Decides on the fractions of a copy.
    """
    asked = [row for row in rows if row.answerable is not None]
    open_ = np.array([row.answerable is False for row in asked])
    chance = chances_open([row.text for row in asked], open_)
    true = np.where(open_, chance, 1 - chance)
    share = np.where(open_, open_.mean(), 1 - open_.mean())
    copies = np.minimum(share / np.clip(true, 0.02, 1.0), MOST_COPIES)
    copies /= copies.mean()
    drawn = [row for row, n in zip(asked, copies, strict=True) for _ in range(int(n + rng.random()))]
    return [*drawn, *(row for row in rows if row.answerable is None)]


def chances_open(questions: Sequence[str], open_: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for each question the chance that nothing answers it, by its words alone.

    Args:
        questions: One for each row; the rows of one question are never learned from to judge it.
        open_: Whether nothing answers it there, shape (questions,).
    """
    texts = [question.lower() for question in questions]
    words = HashingVectorizer(ngram_range=(1, 3), n_features=2**18, token_pattern=r"\w+|\?", alternate_sign=False)
    model = make_pipeline(words, LogisticRegression(C=4.0, max_iter=200))
    opened = [f"begins {' begins '.join(text.split()[:3])} {text}" for text in texts]
    found = cross_val_predict(model, opened, open_, groups=texts, cv=GroupKFold(FOLDS), method="predict_proba")
    return np.asarray(found[:, 1], np.float64)
