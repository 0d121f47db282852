"""How the fitted reader answers questions that nothing was fitted on: shares, calibration, the risk-coverage curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.read_extractive import choose_statements
from qa.reader_weights import ReaderWeights
from qa.said_by import prefer_speaker
from qa.training.cases import JUDGES_ALL, Case, Matrix
from qa.training.measure import auroc
from qa.training.plot_svg import Bin
from qa.weighed import Weighed


@dataclass(frozen=True, slots=True)
class Scored:
    """A case under some sentence weights: what the gate sees, and whether the best sentence is right."""

    case: Case
    weighed: Weighed
    gate_row: Matrix
    is_right: bool

    @property
    def kind(self) -> str:
        """Return the set, and whether the question can be answered."""
        return f"{self.case.set_name}, {'answerable' if self.case.asked.answerable else 'unanswerable'}"


def score(case: Case, sentence: Matrix) -> Scored:
    """Score a case's candidates."""
    scores = case.weighed.rows @ sentence
    if case.weighed.said is not None:
        scores = scores + prefer_speaker(case.weighed.said)
    weighed = replace(case.weighed, scores=scores)
    is_right = bool(case.right[weighed.best])
    if case.set_name not in JUDGES_ALL:
        is_right = case.articles[weighed.candidates[weighed.best].hit] in {article for article, _, _ in case.gold}
    return Scored(case, weighed, weighed.gate_row(), is_right)


def citation_f1(one: Scored, weights: ReaderWeights) -> float:
    """Return the F1 of the sentences stated against the judged spans of a question."""
    chosen = choose_statements(one.weighed, weights)
    true = sum(one.case.right[place] for place in chosen)
    precision, recall = true / len(chosen), _recalled(one, chosen)
    return float(2 * precision * recall / (precision + recall)) if true and recall else 0.0


def _recalled(one: Scored, chosen: Sequence[int]) -> float:
    """Share of the judged spans that a chosen sentence overlaps."""
    candidates = (one.weighed.candidates[place] for place in chosen)
    spans = [(one.case.articles[c.hit], c.span.start, c.span.end) for c in candidates]
    found = [any(a == b and s < f and g < e for b, g, f in spans) for a, s, e in one.case.gold]
    return sum(found) / len(found) if found else 0.0


def measure(scored: Sequence[Scored], weights: ReaderWeights) -> dict[str, float]:
    """Measure on questions nothing was fitted on; what has no question to be measured on is left out."""
    chances = chances_of(scored, weights)
    is_right = np.array([one.is_right for one in scored])
    answerable = np.array([one.case.asked.answerable for one in scored])
    reachable = np.array([bool(one.case.right.any()) for one in scored])
    given = chances >= weights.thresholds["balanced"]
    f1 = [citation_f1(one, weights) if ok else 0.0 for one, ok in zip(scored, given, strict=True) if one.case.gold]
    ranked = [_found_in_ten(one.case, weights) for one in scored if one.case.gold]
    figures = {
        "questions": float(len(scored)),
        "right sentence, when it was retrieved": _mean(is_right[reachable]),
        "answered, of answerable": _mean(given[answerable]),
        "answered right, of answerable": _mean((given & is_right)[answerable]),
        "declined, of unanswerable": _mean(~given[~answerable]),
        "right, of answered": _mean(is_right[given]),
        "citation F1, of answerable": _mean(np.array(f1)),
        "evidence in ten hits as retrieved": _mean(np.array([before for before, _ in ranked])),
        "evidence in ten hits once read": _mean(np.array([after for _, after in ranked])),
        "AUROC of confidence for being right": _rounded(auroc(chances, is_right)),
        "expected calibration error": _ece(calibration(scored, weights))
        if answerable.any() and not answerable.all()
        else None,
    }
    return {name: value for name, value in figures.items() if value is not None}


def curve(scored: Sequence[Scored], weights: ReaderWeights) -> dict[str, float]:
    """Return the share right of the questions answered, at coverages of a tenth to all, the surest first."""
    chances = chances_of(scored, weights)
    is_right = np.array([one.is_right for one in scored])[np.argsort(-chances, kind="stable")]
    sizes = [max(1, round(len(is_right) * tenth / 10)) for tenth in range(1, 11)]
    return {f"{tenth / 10:.1f}": round(float(is_right[:n].mean()), 4) for tenth, n in enumerate(sizes, 1)}


def calibration(scored: Sequence[Scored], weights: ReaderWeights) -> list[Bin]:
    """Return mean confidence, share right and size of each tenth of confidence that holds a question."""
    chances = chances_of(scored, weights)
    is_right = np.array([one.is_right for one in scored])
    tenths = np.minimum((chances * 10).astype(int), 9)
    chosen = [tenths == tenth for tenth in range(10) if (tenths == tenth).any()]
    return [(float(chances[one].mean()), float(is_right[one].mean()), int(one.sum())) for one in chosen]


def _found_in_ten(case: Case, weights: ReaderWeights) -> tuple[float, float]:
    """Share of a question's judged spans that the first ten hits overlap, before and after ranking by the reader."""
    after = np.argsort(-np.array(case.weighed.hit_scores(case.hits, weights)), kind="stable")[:10]
    before, read = (
        frozenset[int]().union(*(case.holds[i] for i in chosen)) for chosen in (range(min(10, len(case.holds))), after)
    )
    return len(before) / len(case.gold), len(read) / len(case.gold)


def _ece(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error (Naeini et al., 2015) over tenths of confidence."""
    total = sum(n for *_, n in bins)
    return round(sum(n * abs(confidence - right) for confidence, right, n in bins) / total, 4)


def chances_of(scored: Sequence[Scored], weights: ReaderWeights) -> Matrix:
    """Return the confidence of each."""
    return np.array([one.weighed.confidence(weights) for one in scored])


def _mean(values: NDArray[Any]) -> float | None:
    return _rounded(float(values.mean())) if len(values) else None


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
