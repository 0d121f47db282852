"""Balancing: afterwards the wording of a question tells less about whether it is answered, and nothing else changes."""

import random
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn comes with the [train] extra")

from qa.training.balance_sklearn import balance, chances_open
from qa.training.measure import auroc
from qa.training.rows import Row

TOWNS = [
    f"{first}{last}"
    for first in ("Nor", "Sud", "Ost", "Wes", "Hal", "Lin")
    for last in ("heim", "by", "vik", "dal", "nes")
]
PASSAGE = "The mayor opened the bridge in June."
CLAIM = Row("The bridge was opened.", "", PASSAGE, supported=True)


def make_rows():
    """Nine in ten "what is the name of" questions find no answer, nine in ten "who" questions do."""
    rng = random.Random(4)
    rows = []
    for town in TOWNS:
        for thing in ("bridge", "mill", "school", "pier", "station", "market", "museum", "bank"):
            form, open_chance = rng.choice(
                [("what is the name of the chief of the {} of {}?", 0.9), ("who runs the {} of {}?", 0.1)]
            )
            is_open = rng.random() < open_chance
            spans = () if is_open else ((4, 9),)
            rows.append(Row(form.format(thing, town), "", PASSAGE, spans, not is_open))
    return rows


def known_by_words(rows):
    open_ = np.array([row.answerable is False for row in rows])
    return auroc(chances_open([row.text for row in rows], open_), open_)


def test_the_wording_no_longer_tells():
    rows = make_rows()
    drawn = balance(rows, random.Random(1))
    assert known_by_words(rows) > 0.8
    assert known_by_words(drawn) < known_by_words(rows) - 0.15
    assert 0.8 * len(rows) < len(drawn) < 1.2 * len(rows)
    assert set(drawn) <= set(rows)


def test_what_speaks_against_its_form_comes_more_often():
    rows = make_rows()
    copies = Counter(balance(rows, random.Random(1)))
    named = [row for row in rows if row.text.startswith("what is")]
    mean = {truth: np.mean([copies[row] for row in named if row.answerable is truth]) for truth in (True, False)}
    assert mean[True] > 1.5 * mean[False] > 0


def test_statements_pass_unchanged():
    drawn = balance([*make_rows(), CLAIM, CLAIM], random.Random(1))
    assert drawn.count(CLAIM) == 2
