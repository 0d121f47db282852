"""From which chance on a statement counts as supported: chosen on the tune part, measured on the test part."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.passage_reading import PairScorer
from qa.reader_weights import sigmoid
from qa.reading_input import make_input
from qa.training.measure import auroc
from qa.training.rows import Part, Row, load_chunked
from qa.training.statements import claims_clapnq, claims_scifact, claims_wice
from qa.words import split_words

KEPT_SHARE = 0.95  # of the supported statements that `weak_from` must not call unsupported


def fit_support(data: Path, network: PairScorer) -> tuple[float, float, dict[str, float]]:
    """Return `supported_from`, `weak_from` and the figures of the test part.

    `supported_from` has the best balanced accuracy (mean of the shares right among supported and other statements),
    `weak_from` keeps 95 % of the supported ones.
    """
    tune, test = (judged_statements(data, part) for part in (Part.TUNE, Part.TEST))
    chances, labels = chances_of_rows(tune, network), np.array([bool(row.supported) for row in tune])
    steps = np.linspace(0.02, 0.98, 97)
    supported_from = float(max(steps, key=lambda step: _balanced(chances, labels, step)))
    weak_from = min(supported_from, float(np.quantile(chances[labels], 1 - KEPT_SHARE)))
    figures = {"statements": float(len(test))}
    chances, labels = chances_of_rows(test, network), np.array([bool(row.supported) for row in test])
    figures["AUROC"] = round(auroc(chances, labels), 4)
    figures["AUROC of word overlap"] = round(auroc(np.array([_overlap(row) for row in test]), labels), 4)
    figures["balanced accuracy"] = round(_balanced(chances, labels, supported_from), 4)
    return round(supported_from, 4), round(weak_from, 4), figures


def judged_statements(data: Path, part: Part) -> list[Row]:
    """Return the judged statements of one part, of all three sets that have them."""
    clapnq = claims_clapnq(load_chunked(data / "clapnq"), random.Random(f"claims:{part}"), part)
    scifact = claims_scifact(data / "scifact", load_chunked(data / "scifact"), part)
    return [*scifact, *claims_wice(data / "faithfulness_wice", part), *clapnq]


def chances_of_rows(rows: Sequence[Row], network: PairScorer) -> NDArray[np.float64]:
    """Return the chance that each row's passage supports its text."""
    logits = network.score([make_input(row.text, row.header, row.passage) for row in rows])
    return np.array([sigmoid(one.supported) for one in logits])


def _balanced(chances: NDArray[np.float64], labels: NDArray[np.bool_], step: float) -> float:
    return float(((chances[labels] >= step).mean() + (chances[~labels] < step).mean()) / 2)


def _overlap(row: Row) -> float:
    wanted = {word.stem for word in split_words(row.text) if not word.is_stop}
    held = {word.stem for word in split_words(row.passage)}
    return len(wanted & held) / len(wanted) if wanted else 0.0
