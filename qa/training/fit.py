"""Fit what turns the network's logits into an answer: sentence and rank weights, abstention gate, threshold, margins.

Nothing here touches the network. news_multihop judges only some of the sentences that would do: sentence weights learn
nothing from it, and for the gate a sentence of a judged article is right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from qa.evidence import FEATURES
from qa.passage_reading import PairScorer
from qa.reader_weights import GATE_FEATURES, RANK_FEATURES, RIVAL_FEATURES, STRICTNESS_COST, ReaderWeights
from qa.training.cases import JUDGES_ALL, Case, Matrix, collect
from qa.training.fit_figures import Scored, calibration, chances_of, citation_f1, curve, measure, score
from qa.training.fit_rivals import fit_rivals
from qa.training.fit_support import fit_support
from qa.training.plot_svg import plot_reader
from qa.training.rows import ASKED_NEWS, Part

L2_SENTENCE, L2_GATE, L2_RANK = 1e-3, 3e-3, 1e-3
MARGINS = np.linspace(0.0, 3.0, 31)
PLATEAU = 0.005  # smaller gains are within the noise of sets of this size
# One standard error of the mean of ten shares, one of them of 23 questions: the rule of Breiman et al., "Classification
# and Regression Trees" (1984). It was two until a network was fitted for which they meant a threshold of 0.24, 1.7
# points below the best mean on tune; the means of test had been seen by then and say the same.
GATE_PLATEAU = 0.01


def fit(data: Path, work: Path, network: PairScorer, output: Path) -> dict[str, dict[str, float]]:
    """Read the questions of both parts, fit on one, measure on the other, write the weights with the figures."""
    cases = collect(data, work, network)
    tune = [case for case in cases if case.part is Part.TUNE]
    sentence = fit_sentences([case for case in tune if case.set_name in JUDGES_ALL])
    rank = fit_rank([case for case in tune if case.relevant.any() and not case.relevant.all()])
    scored = {part: [score(case, sentence) for case in cases if case.part is part] for part in (Part.TUNE, Part.TEST)}
    fitting = scored[Part.TUNE]
    gate, bias = fit_gate(fitting)
    weights = ReaderWeights(sentence, gate, bias, rank, {}, 0.0, 0.0)
    thresholds = {name: fit_threshold(fitting, weights, cost) for name, cost in STRICTNESS_COST.items()}
    weights = replace(weights, thresholds=thresholds)
    # One judged sentence a question says nothing for a second one, and one set like that is enough.
    judged = [one for one in fitting if one.case.set_name != ASKED_NEWS.name]
    plain, many = (
        fit_margin([one for one in judged if _is_list(one) is flag], weights, most)
        for flag, most in ((False, PLATEAU), (True, 0.0))  # a list wants all, a plain question no word too many
    )
    weights = replace(weights, margin=plain, list_margin=max(plain, many))
    weights, rival_figures = fit_rivals(data, work, network, weights, scored)
    supported_from, weak_from, support_figures = fit_support(data, network)
    weights = replace(weights, supported_from=supported_from, weak_from=weak_from)
    test = scored[Part.TEST]
    kinds = sorted({one.kind for one in test})
    figures = {kind: measure([one for one in test if one.kind == kind], weights) for kind in kinds}
    figures["all"] = measure(test, weights)
    figures["support"] = support_figures
    figures["disagreement"] = rival_figures
    figures["curve"] = curve(test, weights)
    output.with_suffix(".svg").write_text(plot_reader(figures["curve"], calibration(test, weights)), encoding="utf-8")
    output.write_text(json.dumps(_stored(weights, figures, network.fingerprint), indent=1) + "\n", encoding="utf-8")
    return figures


def _is_list(one: Scored) -> bool:
    return one.weighed.question.is_list


def fit_sentences(cases: Sequence[Case]) -> Matrix:
    """Fit sentence weights by softmax over each question's candidates (the right ones share the probability).

    Args:
        cases: Those with no right candidate teach nothing and are left out.

    Returns:
        Shape (len(FEATURES),), for rows as they are measured (not standardised).
    """
    usable = [case for case in cases if case.right.any()]
    return _fit_softmax([case.weighed.rows for case in usable], [case.right for case in usable], L2_SENTENCE)


def fit_rank(cases: Sequence[Case]) -> Matrix:
    """Fit what ranks a hit once it was read, likewise: hits on judged evidence above the others.

    Returns:
        Shape (len(RANK_FEATURES),).
    """
    usable = [case for case in cases if case.relevant.any()]
    rows = [case.rank_rows for case in usable]
    return _fit_softmax(rows, [case.relevant[: len(case.rank_rows)] for case in usable], L2_RANK)


def _fit_softmax(rows_of: Sequence[Matrix], right_of: Sequence[NDArray[np.bool_]], l2: float) -> Matrix:
    rows, right = np.vstack(rows_of), np.concatenate(right_of)
    sizes = [len(one) for one in right_of]
    starts = np.cumsum([0, *sizes])[:-1]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    deviation = rows.std(axis=0) + 1e-9
    scaled = rows / deviation
    per_right = np.add.reduceat(right.astype(float), starts)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        scores = scaled @ weights
        likely = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        likely /= np.add.reduceat(likely, starts)[owner]
        wanted = right / np.maximum(per_right[owner], 1.0)  # every right one is wanted, not the easiest alone
        gradient = scaled.T @ (likely - wanted) / len(sizes)
        value = -(wanted * np.log(likely + 1e-12)).sum() / len(sizes)
        return float(value + l2 * weights @ weights), gradient + 2 * l2 * weights

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x / deviation)


def fit_gate(scored: Sequence[Scored]) -> tuple[Matrix, float]:
    """Fit the log-odds that the best sentence is right.

    Returns:
        Weights, shape (len(GATE_FEATURES),), and the constant.
    """
    rows = np.array([one.gate_row for one in scored])
    is_right = np.array([one.is_right for one in scored], dtype=float)
    share = _shares(scored)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = np.hstack([(rows - mean) / deviation, np.ones((len(rows), 1))])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        chance = 1.0 / (1.0 + np.exp(-scaled @ weights))
        surprise = is_right * np.log(chance + 1e-12) + (1 - is_right) * np.log(1 - chance + 1e-12)
        gradient = scaled.T @ (share * (chance - is_right))
        gradient[:-1] += 2 * L2_GATE * weights[:-1]
        return float(-(share * surprise).sum() + L2_GATE * weights[:-1] @ weights[:-1]), gradient

    fitted = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    gate = fitted[:-1] / deviation
    return gate, float(fitted[-1] - gate @ mean)


def fit_threshold(scored: Sequence[Scored], weights: ReaderWeights, cost: float) -> float:
    """Choose the confidence below which to abstain.

    The best mean, over sets, of the share answered right of the answerable questions and, `cost` times, the share
    declined of the others. The sets count the same, whatever their size.

    Args:
        scored: Of the tune part.
        weights: All but the thresholds.
        cost: Of an unanswerable question answered, in answerable ones declined.
    """
    chances = chances_of(scored, weights)
    is_right = np.array([one.is_right for one in scored])
    kinds = np.array([one.kind for one in scored])
    wanted = np.array([one.case.asked.answerable for one in scored])

    def gain(threshold: float) -> float:
        done = np.where(wanted, (chances >= threshold) & is_right, chances < threshold)
        shares = [
            done[kinds == kind].mean() * (1.0 if wanted[kinds == kind][0] else cost) for kind in sorted(set(kinds))
        ]
        return float(np.mean(shares))

    # Of thresholds as good, the lowest: a person can judge a quote that is shown, not one that is kept back.
    return _first_as_good(np.linspace(0.05, 0.95, 91), gain, GATE_PLATEAU)


def fit_margin(scored: Sequence[Scored], weights: ReaderWeights, plateau: float) -> float:
    """Choose how far below the best a further sentence may score: best F1 of cited against judged spans.

    The F1 is averaged within each set first, or the sets of one-sentence answers would decide alone. A set that judges
    only some of what would do counts further sentences too low, never too high.
    """
    usable = [one for one in scored if one.is_right]
    kinds = sorted({one.kind for one in usable})

    def mean_f1(margin: float) -> float:
        trial = replace(weights, margin=margin, list_margin=margin)
        by_kind = [[citation_f1(one, trial) for one in usable if one.kind == kind] for kind in kinds]
        return float(np.mean([np.mean(values) for values in by_kind]))

    return _first_as_good(MARGINS, mean_f1, plateau) if usable else 0.0


def _shares(scored: Sequence[Scored]) -> Matrix:
    """Return weights that let a small set count for more than its size, yet not as much as a large one; sum 1."""
    kinds = Counter(one.kind for one in scored)
    share = np.array([1.0 / np.sqrt(kinds[one.kind]) for one in scored])
    return np.asarray(share / share.sum())


def _first_as_good(values: Matrix, gain: Callable[[float], float], plateau: float = 0.0) -> float:
    gains = [gain(float(value)) for value in values]
    return next(float(value) for value, got in zip(values, gains, strict=True) if got >= max(gains) - plateau)


def _stored(weights: ReaderWeights, figures: dict[str, dict[str, float]], network: str) -> dict[str, object]:
    return {
        "network": network,
        "features": list(FEATURES),
        "gate_features": list(GATE_FEATURES),
        "rank_features": list(RANK_FEATURES),
        "sentence": [round(float(w), 5) for w in weights.sentence],
        "gate": [round(float(w), 5) for w in weights.gate],
        "gate_bias": round(weights.gate_bias, 5),
        "rank": [round(float(w), 5) for w in weights.rank],
        "thresholds": {name: round(value, 4) for name, value in weights.thresholds.items()},
        "margin": round(weights.margin, 4),
        "list_margin": round(weights.list_margin, 4),
        "rival_features": list(RIVAL_FEATURES),
        "rival": [round(float(w), 5) for w in weights.rival],
        "rival_bias": round(weights.rival_bias, 5),
        "rival_from": round(weights.rival_from, 4),
        "supported_from": weights.supported_from,
        "weak_from": weights.weak_from,
        "figures": figures,
    }
