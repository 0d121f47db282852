"""The gate of CI: ask the bundled suites and refuse a significant loss against figures that are committed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from corpus.errors import ArticleFormatError
from evals.compare import Difference, Verdict, compare_figures
from evals.measure import Figures
from evals.rows import Row, figures_of

BASELINE_VERSION = 1
DIGITS = 4
WATCHED = (
    "Right",
    "Citation F1",
    "Citation precision",
    "Answer contained",
    "Span RR@10",
    "Evidence recall@1000 tokens",
    "Abstention F1",
)
"""A loss of one of these is refused when it is more than chance."""

EXACT = ("Span exactness", "Verbatim rate", "Replied")
"""Of these any loss is refused: a broken citation is no matter of chance."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate found; `losses` are the sentences that refuse, empty when it passes."""

    differences: tuple[Difference, ...]
    losses: tuple[str, ...]


def check(rows: Sequence[Row], baseline: Path) -> GateResult:
    """Compare the rows of the bundled suites with the baseline, question by question.

    A question of the baseline that was not asked counts as lost. One that is new has no part: the baseline must be
    made again for it to count.

    Raises:
        ArticleFormatError: If the baseline is no such file.
    """
    before = load_baseline(baseline)
    now = _rounded(figures_of(rows))
    gone = sorted({name for by_id in before.values.values() for name in by_id} - {row.id for row in rows})
    differences = tuple(compare_figures(_only(now, before), before, {*WATCHED, *EXACT}))
    losses = [f"Question {name} is in the baseline but was not asked." for name in gone]
    for each in differences:
        if each.measure in EXACT and each.first < each.second:
            losses.append(f"{each.measure} fell from {each.second:.3f} to {each.first:.3f}; it must not fall at all.")
        elif each.measure in WATCHED and each.verdict is Verdict.WORSE:
            p_value = each.comparison.p_value
            losses.append(f"{each.measure} fell from {each.second:.3f} to {each.first:.3f} (p = {p_value:.3f}).")
    return GateResult(differences, tuple(losses))


def gate_table(result: GateResult, n_questions: int) -> Table:
    """Return the table that is printed."""
    table = Table("measure", "now", "baseline", "verdict", title=f"Gate over {n_questions} questions")
    for each in result.differences:
        verdict = each.verdict.value.replace("first ", "")
        table.add_row(each.measure, f"{each.first:.3f}", f"{each.second:.3f}", verdict)
    return table


def write_baseline(rows: Sequence[Row], path: Path) -> None:
    """Write the figures of these rows as the new baseline: numbers by question id, no text."""
    figures = _rounded(figures_of(rows))
    values = {name: by_id for name, by_id in figures.values.items() if name in {*WATCHED, *EXACT}}
    pooled = {"abstention": figures.pooled["abstention"]}
    # One line for each measure, so that a change of the file can be read.
    measures = ",\n".join(f"  {json.dumps(name)}: {json.dumps(by_id)}" for name, by_id in values.items())
    path.write_text(
        f'{{\n "version": {BASELINE_VERSION},\n "made_by": "python -m evals gate --baseline FILE --update",\n'
        f' "values": {{\n{measures}\n }},\n "pooled": {json.dumps(pooled)}\n}}\n',
        encoding="utf-8",
    )


def load_baseline(path: Path) -> Figures:
    """Read a baseline.

    Raises:
        ArticleFormatError: If it is not there or is no such file.
    """
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] != BASELINE_VERSION:
            raise ValueError(f"version {stored['version']!r}")
        pooled = {kind: {k: tuple(v) for k, v in rows.items()} for kind, rows in stored["pooled"].items()}
        return Figures(stored["values"], pooled)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ArticleFormatError(
            f"{str(path)!r} is no baseline: {error}. Make it with: python -m evals gate --baseline FILE --update"
        ) from error


def _rounded(figures: Figures) -> Figures:
    """Round as the file does: a third must not seem to have fallen because it is stored with four digits."""
    values = {name: {k: round(v, DIGITS) for k, v in by_id.items()} for name, by_id in figures.values.items()}
    return Figures(values, figures.pooled)


def _only(now: Figures, before: Figures) -> Figures:
    """Return today's figures of the baseline's questions; one that has none by now counts 0."""
    kept = {
        name: {question: now.values.get(name, {}).get(question, 0.0) for question in by_id}
        for name, by_id in before.values.items()
        if name not in EXACT
    }
    exact = {name: now.values.get(name, {}) for name in EXACT if name in before.values}
    return Figures(kept | exact, now.pooled)
