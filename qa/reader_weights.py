"""The reader's fitted weights: what each piece of evidence counts, and when to abstain."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ReaderUnavailableError
from qa.evidence import FEATURES

Matrix = NDArray[np.float64]

# What the gate sees besides the best sentence's own evidence.
GATE_FEATURES = (
    *FEATURES,
    "score",
    "lead",
    "n_terms",
    "weight",
    "asks_kind",
    "missing_anywhere",
    "yes_no",
    "yes_no_supported",
    "answering",
    "answerable_best",
)
# What a hit is ranked by once it was read; `found` is what retrieval ranked it by, spread over articles.
RANK_FEATURES = ("found", "cosine", "answerable", "span", "supported", "cover_passage")
# What speaks for a sentence of another article whose value differs from the best one's; see `qa.rivals`.
RIVAL_FEATURES = (
    "span",
    "answerable",
    "cover",
    "cover_context",
    "cover_passage",
    "fits",
    "gap",
    "date",
    "figure",
    "wanted",
    "phrase",
    "lost_passage",
    "lost_sentence",
    "shared",
)
# What a question answered that the articles do not answer costs, in answerable questions declined.
STRICTNESS_COST = {"lenient": 0.5, "balanced": 1.0, "strict": 2.0}
YEAR_MISSING_CHANCE = 0.1  # over DEV, a passage without the year that the question names was right in 5 of 50 cases
_YEAR_MISSING = GATE_FEATURES.index("year_missing")


LOGIT_BOUND = 30.0  # beyond it a float64 probability no longer moves


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """Fitted by `python -m qa.training fit DATA WORK`; see qa/models/extractive.md for data and figures.

    Args:
        sentence: Shape (len(FEATURES),): what each feature adds to a sentence's score.
        gate: Shape (len(GATE_FEATURES),): what each adds to the log-odds that the best sentence answers.
        gate_bias: Constant of the log-odds.
        rank: Shape (len(RANK_FEATURES),): what each adds to a hit's rank.
        thresholds: By strictness, the confidence below which the reader abstains.
        margin: How far below the best score a further sentence may lie and still be stated.
        list_margin: The same for questions that ask for several things.
        rival: Shape (len(RIVAL_FEATURES),): what each adds to the log-odds that another article answers otherwise.
        rival_bias: Constant of these log-odds.
        rival_from: Log-odds from which it is shown.
        supported_from: Chance from which a passage supports a statement.
        weak_from: Chance below which it does not at all.
        fingerprint: Hash of the file they were read from.
    """

    sentence: Matrix
    gate: Matrix
    gate_bias: float
    rank: Matrix
    thresholds: Mapping[str, float]
    margin: float
    list_margin: float
    rival: Matrix = field(default_factory=lambda: np.zeros(len(RIVAL_FEATURES)))
    rival_bias: float = 0.0
    rival_from: float = math.inf
    supported_from: float = 0.5
    weak_from: float = 0.5
    fingerprint: str = ""

    def chance(self, gate_row: Matrix) -> float:
        """Return the calibrated chance that the best sentence answers, from what the gate sees."""
        chance = sigmoid(float(gate_row @ self.gate + self.gate_bias))
        return min(chance, YEAR_MISSING_CHANCE) if gate_row[_YEAR_MISSING] else chance


def load_weights(path: Path | None = None) -> ReaderWeights:
    """Read fitted weights; the shipped ones when no path is given.

    Raises:
        ReaderUnavailableError: If the file is missing or was fitted for other features.
    """
    source = path or resources.files("qa") / "models" / "extractive.json"
    try:
        raw = source.read_bytes()
        stored = json.loads(raw)
    except (OSError, ValueError) as error:
        raise ReaderUnavailableError(f"The reader's weights {str(source)!r} cannot be read: {error}.") from error
    names = [stored.get(f"{of}features") for of in ("", "gate_", "rank_", "rival_")]
    if names != [list(of) for of in (FEATURES, GATE_FEATURES, RANK_FEATURES, RIVAL_FEATURES)]:
        raise ReaderUnavailableError(
            f"The reader's weights {str(source)!r} were fitted for other features. Fit them again: "
            "python -m qa.training fit DATA WORK"
        )
    return ReaderWeights(
        np.array(stored["sentence"]),
        np.array(stored["gate"]),
        stored["gate_bias"],
        np.array(stored["rank"]),
        stored["thresholds"],
        stored["margin"],
        stored["list_margin"],
        np.array(stored["rival"]),
        stored["rival_bias"],
        stored["rival_from"],
        stored["supported_from"],
        stored["weak_from"],
        hashlib.sha256(raw).hexdigest()[:12],
    )


def sigmoid(logit: float) -> float:
    """Return the probability of a logit; never overflows."""
    return 1.0 / (1.0 + math.exp(-max(-LOGIT_BOUND, min(LOGIT_BOUND, logit))))
