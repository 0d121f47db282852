"""Reports as one page that needs nothing else: styles and plots inside, no script, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.compare import Difference, Verdict
from evals.measures.pooled import LOWER_IS_BETTER, calibration, risk_coverage
from evals.measures.statistics import Matrix
from evals.plots_svg import Bar, draw_bars, draw_differences, draw_histogram, draw_lines
from evals.report import RunReport, difference_cell, facts_line, faults_line
from evals.report_cases import render_cases
from evals.rows import figures_of
from qa.safe_text import escape

_STYLE = Path(__file__).parent / "report.css"
_SAFE = "default-src 'none'; style-src 'unsafe-inline'"  # even if something slipped through, it could not run or load
_BY_TYPE = ("Right", "Citation F1", "Answer contained", "nDCG@10")  # the first that was measured is drawn by type
_COMPARED = (
    "Right", "Citation precision", "Citation recall", "Citation F1", "Answer contained", "Token F1", "Text F1",
    "Complete and clean", "Abstention F1", "nDCG@10", "Span RR@10", "Evidence recall@10", "Evidence recall@1000 tokens",
    "All articles in 10 passages", "AURC", "ECE",
)  # fmt: skip


def render_page(reports: Sequence[RunReport], title: str = "Evaluation") -> str:
    """Return the page as HTML."""
    sections = "".join(_render_run(number, report) for number, report in enumerate(reports))
    links = "".join(
        f'<li><a href="#run-{number}">{escape(report.summary["suite"])}</a></li>'
        for number, report in enumerate(reports)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f'<body><header class="top"><h1>{escape(title)}</h1>'
        '<p class="hint">Means with bootstrap 95 % intervals. A question without a reply counts 0. A difference is '
        "named only when a paired randomisation test sees one (p &lt; 0.05, each measure by itself).</p>"
        f'<nav aria-label="Suites"><ul>{links}</ul></nav></header><main>{sections}'
        "<footer>Made by <code>python -m evals report</code>.</footer></main></body></html>\n"
    )


def _render_run(number: int, report: RunReport) -> str:
    faults = faults_line(report.summary)
    alert = f'<p class="faults">{escape(faults)}</p>' if faults else ""
    other = f" against {escape(report.against.name)}" if report.against else ""
    return (
        f'<section id="run-{number}" aria-labelledby="title-{number}"><h2 id="title-{number}">'
        f"{escape(report.summary['suite'])}: {escape(report.name)}{other}</h2>"
        f'<p class="facts">{escape(facts_line(report.manifest))}</p>{alert}'
        f"{_render_table(report)}{render_plots(report)}{render_cases(report)}</section>"
    )


def _render_table(report: RunReport) -> str:
    other = report.against
    heads = ["measure", "n", report.name] + ([other.name, "difference"] if other else [])
    theirs = other.scores() if other else {}
    by_measure = {each.measure: each for each in report.differences}
    body = ""
    for name, score in report.scores().items():
        cells = [str(score["n"]), render_score(score)]
        if other:
            cells.append(render_score(theirs[name]) if name in theirs else "-")
            cells.append(_render_difference(by_measure.get(name)))
        body += (
            f'<tr><th scope="row">{escape(name)}{_arrow(name)}</th>{"".join(f"<td>{each}</td>" for each in cells)}</tr>'
        )
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    note = "↓ less is better. Times are of questions asked alone."
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Scores"><table><caption>{note}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def render_score(score: dict[str, Any]) -> str:
    """Return a score with its interval as HTML."""
    digits = 0 if "(ms)" in score["name"] else 3
    low, high = (f"{score[edge]:.{digits}f}" for edge in ("low", "high"))
    return f'{score["value"]:.{digits}f} <span class="range">{low}–{high}</span>'


def _render_difference(difference: Difference | None) -> str:
    if difference is None:
        return "-"
    kind = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.SAME: "same"}[difference.verdict]
    return f'<span class="{kind}">{escape(difference_cell(difference))}</span>'


def render_plots(report: RunReport) -> str:
    """Return the plots of a run, both runs in each when it is set against another."""
    runs = [report] + ([report.against] if report.against else [])
    pooled = {run.name: figures_of(run.rows).pooled for run in runs}
    risk = [(name, _points(risk_coverage, rows["risk"])) for name, rows in pooled.items() if "risk" in rows]
    bins = [(name, _points(calibration, rows["calibration"])) for name, rows in pooled.items() if "calibration" in rows]
    times = [(name, [row[0] for row in rows["latency"].values()]) for name, rows in pooled.items() if "latency" in rows]
    figures = [
        ("Risk and coverage", "share wrong among the surest; declined ones come last", risk and draw_lines(
            risk, "coverage", "risk")),
        ("Calibration", "of what was answered, ten bins of confidence", bins and draw_lines(
            bins, "confidence", "share right", diagonal=True)),
        _by_type(runs),
        ("Latency", "of questions asked alone", times and draw_histogram(times, "milliseconds")),
        ("Compared", "differences with 95 % intervals; right of the line this run scores more",
         draw_differences(_difference_bars(report))),
    ]  # fmt: skip
    drawn = "".join(
        f"<figure><figcaption>{escape(title)} <small>{escape(note)}</small></figcaption>{plot}</figure>"
        for title, note, plot in figures
        if plot
    )
    return f'<div class="plots">{drawn}</div>'


def _points(curve: Callable[[Matrix], Matrix], rows: dict[str, tuple[float, ...]]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y, *_ in curve(np.array(list(rows.values())))]


def _by_type(runs: Sequence[RunReport]) -> tuple[str, str, str]:
    """Return one bar for each type and system of the first measure that the run has."""
    measure = next((name for name in _BY_TYPE if name in runs[0].scores()), None)
    if measure is None:
        return "", "", ""
    groups = []
    for group in runs[0].summary["groups"] or {"all": runs[0].summary["scores"]}:
        bars = [bar for run in runs if (bar := _bar(run, group, measure)) is not None]
        if bars:
            groups.append((group, bars))
    return f"{measure} by type", "with 95 % intervals", draw_bars(groups, [run.name for run in runs])


def _bar(run: RunReport, group: str, measure: str) -> Bar | None:
    scores = run.summary["groups"].get(group, run.summary["scores"] if group == "all" else [])
    score = next((each for each in scores if each["name"] == measure), None)
    if score is None:
        return None
    return Bar(f"{group}, {run.name}", score["value"], score["low"], score["high"], f"{score['n']} questions")


def _arrow(measure: str) -> str:
    return " ↓" if measure in LOWER_IS_BETTER else ""


def _difference_bars(report: RunReport) -> list[Bar]:
    chosen = {each.measure: each for each in report.differences if each.measure in _COMPARED}
    return [
        Bar(
            name + _arrow(name),
            each.comparison.difference,
            each.comparison.low,
            each.comparison.high,
            each.verdict.value,
        )
        for name in _COMPARED
        if (each := chosen.get(name)) is not None
    ]
