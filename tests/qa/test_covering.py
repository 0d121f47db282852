from hypothesis import given
from hypothesis import strategies as st

from qa.covering import BONUS, cover_terms
from qa.question import Term


def _terms(**weights):
    return [Term(stem, stem, weight, False) for stem, weight in weights.items()]


def _order(scores):
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def test_a_hit_with_what_the_best_one_lacks_goes_before_one_that_says_the_same():
    held = [{"port", "strike"}, {"port", "strike"}, {"talk"}]
    terms = _terms(port=0.5, strike=0.5, talk=0.9)
    assert _order(cover_terms([0.9, 0.51, 0.5], held, terms)) == [0, 2, 1]
    assert _order(cover_terms([0.9, 0.7, 0.5], held, terms)) == [0, 1, 2]  # a much better hit stays better


def test_the_best_hit_stays_the_best_even_when_it_holds_no_term():
    assert _order(cover_terms([0.5, 0.49], [set(), {"port"}], _terms(port=1.0))) == [0, 1]


def test_without_terms_or_hits_nothing_changes():
    assert cover_terms([0.4, 0.6], [set(), set()], []) == [0.4, 0.6]
    assert cover_terms([], [], _terms(port=1.0)) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.sets(st.sampled_from("abcd"))), min_size=1, max_size=8))
def test_scores_stay_within_bounds_and_move_by_no_more_than_the_bonus(hits):
    scores, held = [score for score, _ in hits], [stems for _, stems in hits]
    covered = cover_terms(scores, held, _terms(a=0.2, b=0.4, c=0.9))
    assert all(0 <= value <= 1 for value in covered)
    for before, after in zip(scores, covered, strict=True):
        assert -1e-9 <= after * (1 + BONUS) - before <= BONUS + 1e-9
    best = max(range(len(scores)), key=lambda i: (scores[i], -i))
    assert covered[best] == max(covered)
