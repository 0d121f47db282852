"""Reports in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.compare import RunComparison
from evals.report import RunReport, cell, difference_cell, facts_line, faults_line
from evals.run_support import SupportReport
from evals.sweep import Point


def print_reports(reports: Sequence[RunReport], console: Console) -> None:
    """Print a table for each suite."""
    for report in reports:
        other, by_measure = report.against, {each.measure: each for each in report.differences}
        heads = ["measure", "n", report.name] + ([other.name, "difference"] if other else [])
        table = Table(*map(escape, heads), title=escape(str(report.summary["suite"])))
        theirs = other.scores() if other else {}
        for name, score in report.scores().items():
            cells = [name, str(score["n"]), cell(score)]
            if other:
                cells.append(cell(theirs[name]) if name in theirs else "-")
                cells.append(difference_cell(by_measure[name]) if name in by_measure else "-")
            table.add_row(*map(escape, cells))
        console.print(table)
        console.print(_facts(report), style="dim", highlight=False, soft_wrap=True)


def print_comparisons(comparisons: Sequence[RunComparison], console: Console) -> None:
    """Print what two runs differ in."""
    for each in comparisons:
        table = Table("measure", "first", "second", "first - second", title=escape(each.suite))
        for difference in each.differences:
            digits = 0 if "(ms)" in difference.measure else 3
            values = (f"{value:.{digits}f}" for value in (difference.first, difference.second))
            table.add_row(difference.measure, *values, difference_cell(difference))
        console.print(table)
        console.print(f"first: {escape(each.first)}; second: {escape(each.second)}", highlight=False, soft_wrap=True)


def print_points(points: Sequence[Point], measure: str, console: Console) -> None:
    """Print the points of a sweep, those that nothing beats marked."""
    table = Table("", "settings", measure, "p50 ms", title="Pareto points are marked *")
    for point in points:
        interval = f"{point.quality:.3f} ({point.low:.3f}-{point.high:.3f})"
        table.add_row("*" if point.pareto else "", " ".join(point.knobs), interval, f"{point.latency_ms:.0f}")
    console.print(table)


def print_support(reports: Sequence[SupportReport], console: Console) -> None:
    """Print how support checks did."""
    table = Table("set", "check", "n", "supported", "AUROC", "balanced accuracy", title="Support checks")
    for report in reports:
        scores = [cell(score.to_dict()) for score in (report.auroc, report.balanced_accuracy)]
        table.add_row(report.set_name, report.system, str(report.n), str(report.n_supported), *scores)
    console.print(table)


def _facts(report: RunReport) -> str:
    return escape(". ".join(line for line in (facts_line(report.manifest), faults_line(report.summary)) if line))
