"""Score labelled claims by support checks and measure how well they tell supported ones from others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.data import read_rows, sample
from evals.data_claims import load_claims
from evals.measures.statistics import compare_pooled, summarise_pooled
from evals.measures.support import auroc, balanced_accuracy, best_threshold
from evals.support_systems import SupportSystem, support_systems
from evals.types import Claim, Comparison, Score

Rows = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SupportReport:
    """How one support check did on one set.

    Args:
        n: Claims asked; `n_supported` of them are fully supported.
        against: The difference of its AUROC to that of the first system (that one minus this one); None for it.
    """

    set_name: str
    system: str
    n: int
    n_supported: int
    auroc: Score
    balanced_accuracy: Score
    against: Comparison | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the report for JSON."""
        return {
            "set": self.set_name,
            "system": self.system,
            "n": self.n,
            "supported": self.n_supported,
            "scores": [self.auroc.to_dict(), self.balanced_accuracy.to_dict()],
            "first_minus_this": self.against.to_dict() if self.against else None,
        }


def run_support(
    folder: Path,
    work: Path,
    *,
    systems: Mapping[str, SupportSystem] | None = None,
    limit: int | None = None,
    on_claim: Callable[[], None] = lambda: None,
) -> list[SupportReport]:
    """Score the claims of a set by every system.

    Args:
        folder: Holds `items.jsonl[.gz]`.
        work: Scores are kept there, by set, system and its version; a second run scores nothing again.
        systems: By name; the others are compared to the first. All there are when None.
        limit: Take a sample of so many claims, drawn with a fixed seed.
        on_claim: Called after each claim and system.
    """
    claims = sample(load_claims(folder), limit)
    reports: list[SupportReport] = []
    first: Rows = {}
    for name, system in (systems or support_systems()).items():
        scored = _score(claims, system, work / f"{folder.resolve().name}-{_slug(name, system)}.jsonl", on_claim)
        rows = {claim.id: (float(claim.supported), scored[claim.id]) for claim in claims}
        judged = judge_rows(rows, system.threshold)
        reports.append(
            SupportReport(
                folder.resolve().name,
                name,
                len(claims),
                sum(claim.supported for claim in claims),
                summarise_pooled("AUROC", rows, auroc),
                summarise_pooled("Balanced accuracy", judged, balanced_accuracy),
                compare_pooled(first, rows, auroc) if first else None,
            )
        )
        first = first or rows
    return reports


def judge_rows(rows: Rows, threshold: float | None) -> Rows:
    """Return (supported, judged supported) of each claim.

    Without a threshold, that of each half of the claims (by a hash of their ids) is the best of the other half, so
    that no claim has a part in judging itself.
    """
    halves: dict[bool, list[str]] = {True: [], False: []}
    for name in sorted(rows):
        halves[hashlib.sha256(name.encode()).digest()[0] % 2 == 0].append(name)
    judged: Rows = {}
    for half, names in halves.items():
        other = np.array([rows[name] for name in halves[not half]]).reshape(-1, 2)
        fitted = threshold if threshold is not None else best_threshold(other) if len(other) else 0.5
        judged |= {name: (rows[name][0], float(rows[name][1] >= fitted)) for name in names}
    return judged


def _score(
    claims: Sequence[Claim], system: SupportSystem, kept: Path, on_claim: Callable[[], None]
) -> dict[str, float]:
    scored = {row["id"]: float(row["score"]) for row in read_rows(kept)} if kept.exists() else {}
    kept.parent.mkdir(parents=True, exist_ok=True)
    waiting = [claim for claim in claims if claim.id not in scored]
    scorer = system.make() if waiting else None
    with kept.open("a", encoding="utf-8") as file:
        for claim in claims:
            if scorer is not None and claim.id not in scored:
                scored[claim.id] = scorer(claim.text, claim.passages)
                file.write(json.dumps({"id": claim.id, "score": scored[claim.id]}) + "\n")
                file.flush()
            on_claim()
    return scored


def _slug(name: str, system: SupportSystem) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in f"{name} {system.version}")
