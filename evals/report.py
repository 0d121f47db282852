"""Finished runs -> what reports show, as JSON and as Markdown; pages and terminals draw from the same values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.compare import Difference, Verdict, compare_rows
from evals.rows import Row
from evals.run import find_runs, load_run, summarise_rows

N_WORST = 20


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of one suite, and the run it is set against.

    Args:
        manifest: As stored.
        summary: Made anew from the rows.
        against: The other run's report, which has none of its own.
        differences: This run minus the other, by measure.
    """

    manifest: dict[str, Any]
    summary: dict[str, Any]
    rows: tuple[Row, ...]
    against: RunReport | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        """Return the system's name; of an engine of one's own, the function's."""
        return str(self.manifest["system"])

    def scores(self) -> dict[str, dict[str, Any]]:
        """Return each score by its name."""
        return {score["name"]: score for score in self.summary["scores"]}


def load_reports(folder: Path, against: Path | None = None) -> list[RunReport]:
    """Return a report for every suite in the folder; set against the other folder's run of it, where there is one.

    Raises:
        ArticleFormatError: If a folder holds no finished run.
        SettingsError: If two runs of a suite asked different questions.
    """
    others = find_runs(against) if against else {}
    reports = []
    for suite, path in find_runs(folder).items():
        report = load_report(path)
        if suite in others:
            report = set_against(report, load_report(others[suite]))
        reports.append(report)
    return reports


def load_report(path: Path) -> RunReport:
    """Return the report of the run in one folder.

    Raises:
        ArticleFormatError: If the folder holds no finished run.
    """
    manifest, rows = load_run(path)
    summary = summarise_rows(rows, suite=manifest["suite"], system=manifest["system"])
    return RunReport(manifest, summary, tuple(rows))


def set_against(report: RunReport, other: RunReport) -> RunReport:
    """Return the report with its differences from another run's.

    Raises:
        SettingsError: If the two asked different questions.
    """
    differences = tuple(compare_rows(report.rows, other.rows))
    return RunReport(report.manifest, report.summary, report.rows, other, differences)


def worst_rows(rows: Sequence[Row], n: int = N_WORST) -> list[Row]:
    """Return the questions that went worst, those the system was surest of first among equals.

    Sorted by the first of `Right`, `nDCG@10` that was measured, then by citation F1 and evidence found.
    """

    def rank(row: Row) -> tuple[float, ...]:
        values = row.values
        confidence = (row.reply.confidence or 0.0) if row.reply else 1.0
        return (
            values.get("Right", values.get("nDCG@10", 1.0)),
            values.get("Citation F1", 0.0),
            values.get("Evidence recall@10", 0.0),
            -confidence,
        )

    return sorted(rows, key=lambda row: (*rank(row), row.id))[:n]


def to_json(reports: Sequence[RunReport]) -> dict[str, object]:
    """Return everything but the rows."""
    return {
        "runs": [
            {
                "manifest": report.manifest,
                "summary": report.summary,
                "against": report.against.manifest if report.against else None,
                "against_summary": report.against.summary if report.against else None,
                "differences": [difference.to_dict() for difference in report.differences],
            }
            for report in reports
        ]
    }


def to_markdown(reports: Sequence[RunReport]) -> str:
    """Return a section with a table for each suite."""
    return "\n\n".join(_section(report) for report in reports) + "\n"


def facts_line(manifest: dict[str, Any]) -> str:
    """Return what a reader must know to place the figures, in one line."""
    n, total = manifest["n"], manifest["of"]
    asked = f"{n:,} questions" if n == total else f"a sample of {n:,} of {total:,} questions (seed {manifest['seed']})"
    settings = ", ".join(f"{name} {value}" for name, value in manifest["settings"].items() if value is not None)
    return (
        f"{manifest['finished'][:10]}, {asked}, {manifest['articles']:,} articles; {settings}; "
        f"fingerprint {manifest['fingerprint']}; {manifest['machine']}"
    )


def faults_line(summary: dict[str, Any]) -> str:
    """Return which questions have no reply; empty when all have."""
    parts = []
    if summary["missing"]:
        parts.append(f"missing, counted 0: {', '.join(summary['missing'])}")
    if summary["failed"]:
        parts.append("failed, counted 0: " + "; ".join(f"{name} ({why})" for name, why in summary["failed"].items()))
    if summary["degraded"]:
        parts.append(f"{summary['degraded']} answered with something switched off")
    return ". ".join(parts)


def cell(score: dict[str, Any]) -> str:
    """Return a score with its interval: milliseconds whole, shares with three digits."""
    digits = 0 if "(ms)" in score["name"] else 3
    return f"{score['value']:.{digits}f} ({score['low']:.{digits}f}-{score['high']:.{digits}f})"


def difference_cell(difference: Difference) -> str:
    """Return a difference with its verdict, as a table shows it."""
    if difference.verdict is Verdict.SAME:
        return Verdict.SAME.value
    digits = 0 if "(ms)" in difference.measure else 3
    words = "better" if difference.verdict is Verdict.BETTER else "worse"
    return f"{difference.comparison.difference:+.{digits}f}, {words} (p {_p(difference.comparison.p_value)})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _section(report: RunReport) -> str:
    other, by_measure = report.against, {each.measure: each for each in report.differences}
    heads = ["measure", "n", report.name] + ([other.name, "difference"] if other else [])
    lines = [f"## {report.summary['suite']}", "", f"{facts_line(report.manifest)}."]
    faults = faults_line(report.summary)
    lines += ["", faults + "."] if faults else []
    lines += ["", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    theirs = other.scores() if other else {}
    for name, score in report.scores().items():
        cells = [name, str(score["n"]), cell(score)]
        if other:
            cells.append(cell(theirs[name]) if name in theirs else "-")
            cells.append(difference_cell(by_measure[name]) if name in by_measure else "-")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
