"""Hits of a question that asks of several things, ranked so that each adds what the better ones do not hold."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from qa.question import Term

# Chosen on half of the questions of news_multihop, curve in evals/RESULTS.md.
BONUS = 0.1  # of a hit that holds all terms, beside a chance of 0 to 1
REST = 0.6  # of a term's weight that is left for each further hit that holds it


def cover_terms(scores: Sequence[float], held: Sequence[AbstractSet[str]], terms: Sequence[Term]) -> list[float]:
    """Return the hits' scores, raised by the terms of the question that better hits do not hold.

    The best hit stays the best. Each next one is that whose score, with its share of the terms' weights, is highest;
    terms count less for each better hit that holds them (a maximal coverage as of Lin and Bilmes, "A Class of
    Submodular Functions for Document Summarization", 2011).

    Args:
        scores: Of each hit, 0 to 1.
        held: Stems of each hit.
        terms: Of the question.

    Returns:
        In the order given, 0 to 1.
    """
    total = sum(term.weight for term in terms)
    if not scores or not total:
        return list(scores)
    wanted = {term.stem: term.weight / total for term in terms}
    covered = list(scores)
    left = set(range(len(scores)))
    best = min(left, key=lambda i: (-scores[i], i))
    value = scores[best] + BONUS
    while True:
        covered[best] = value / (1 + BONUS)
        left.discard(best)
        if not left:
            return covered
        for stem in wanted.keys() & held[best]:
            wanted[stem] *= REST
        values = {i: scores[i] + BONUS * sum(wanted[stem] for stem in wanted.keys() & held[i]) for i in left}
        best = min(left, key=lambda i: (-values[i], i))
        value = values[best]
