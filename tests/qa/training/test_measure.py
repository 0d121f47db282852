import numpy as np
import pytest

from qa.training.measure import auroc, exact, token_f1


@pytest.mark.parametrize(
    ("given", "gold", "f1"),
    [("the Normans", "Normans", 1.0), ("in March 2025", "March", 0.5), ("Paris", "London", 0.0), ("", "", 1.0)],
)
def test_token_f1_by_hand(given, gold, f1):
    assert token_f1(given, gold) == pytest.approx(f1)


def test_exact_forgives_case_articles_and_punctuation():
    assert exact("The “Normans”.", "normans") == 0.0  # SQuAD strips ASCII punctuation only
    assert exact("The Normans.", "normans") == 1.0


def test_auroc_equals_counting_pairs():
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[labels] for b in scores[~labels]]
    assert auroc(scores, labels) == pytest.approx(np.mean(pairs))
    assert np.isnan(auroc(scores, np.ones(60, bool)))
