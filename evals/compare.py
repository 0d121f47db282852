"""Two runs of the same questions, measure by measure, with a verdict that does not read noise as progress."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from corpus.errors import SettingsError
from evals.measure import Figures
from evals.measures.pooled import LOWER_IS_BETTER, POOLED, TIMES
from evals.measures.statistics import compare, compare_pooled, figure_of, summarise
from evals.rows import Row, figures_of
from evals.run import find_runs, load_run
from evals.types import Comparison

ALPHA = 0.05  # two-sided, for each measure by itself: of twenty measures one may differ by chance
T = TypeVar("T")


class Verdict(StrEnum):
    """What a comparison says of the first system."""

    BETTER = "first better"
    WORSE = "first worse"
    SAME = "no difference seen"


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of two systems.

    Args:
        first: Its value over the questions compared; likewise `second`.
    """

    measure: str
    first: float
    second: float
    comparison: Comparison

    @property
    def verdict(self) -> Verdict:
        """Say who is better, if that is more than chance."""
        gain = self.comparison.difference * (-1 if self.measure in LOWER_IS_BETTER else 1)
        if self.comparison.p_value >= ALPHA or gain == 0:
            return Verdict.SAME
        return Verdict.BETTER if gain > 0 else Verdict.WORSE

    def to_dict(self) -> dict[str, object]:
        """Return the difference for JSON."""
        numbers = {"first": round(self.first, 4), "second": round(self.second, 4)}
        return {"measure": self.measure, **numbers, **self.comparison.to_dict(), "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs of one suite."""

    suite: str
    first: str
    second: str
    differences: tuple[Difference, ...]


def compare_folders(first: Path, second: Path) -> list[RunComparison]:
    """Compare the runs of every suite that both folders hold.

    Raises:
        ArticleFormatError: If one holds no finished run.
        SettingsError: If they share no suite, or asked different questions.
    """
    ones, twos = find_runs(first), find_runs(second)
    shared = [suite for suite in ones if suite in twos]
    if not shared:
        raise SettingsError(f"The runs share no suite: {', '.join(ones)} against {', '.join(twos)}.")
    compared = []
    for suite in shared:
        (one, rows), (two, others) = load_run(ones[suite]), load_run(twos[suite])
        names = [f"{each['system']} {each['fingerprint'][:40]}" for each in (one, two)]
        compared.append(RunComparison(suite, names[0], names[1], tuple(compare_rows(rows, others))))
    return compared


def compare_rows(first: Sequence[Row], second: Sequence[Row]) -> list[Difference]:
    """Compare two runs question by question.

    A measure over answered questions alone is compared on those that both answered.

    Raises:
        SettingsError: If they asked different questions.
    """
    ids = {row.id for row in first} ^ {row.id for row in second}
    if ids:
        raise SettingsError(f"The runs asked different questions, such as {sorted(ids)[0]!r}. Run both on the same.")
    return compare_figures(figures_of(first), figures_of(second))


def compare_figures(first: Figures, second: Figures, only: Collection[str] | None = None) -> list[Difference]:
    """Compare every measure that both have, or of these only the named ones."""
    found = []
    for name in (name for name in first.values if name in second.values and (only is None or name in only)):
        one, two = _shared(first.values[name], second.values[name])
        if one:
            found.append(Difference(name, summarise(name, one).value, summarise(name, two).value, compare(one, two)))
    for name, (kind, statistic) in POOLED.items():
        if only is not None and name not in only:
            continue
        ones, twos = _shared(first.pooled.get(kind, {}), second.pooled.get(kind, {}))
        values = [figure_of(rows, statistic) for rows in (ones, twos) if rows]
        if values and not any(map(math.isnan, values)):
            found.append(
                Difference(name, values[0], values[1], compare_pooled(ones, twos, statistic, swaps=name not in TIMES))
            )
    return found


def _shared(first: Mapping[str, T], second: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    ids = [name for name in first if name in second]
    return {name: first[name] for name in ids}, {name: second[name] for name in ids}
