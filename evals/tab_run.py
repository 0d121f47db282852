"""One stored run as the Evals tab shows it: figures, differences with their p, plots, and the questions that failed."""

from __future__ import annotations

from collections.abc import Sequence

from evals.compare import Difference, Verdict
from evals.measures.pooled import LOWER_IS_BETTER
from evals.report import RunReport, facts_line, faults_line, worst_rows
from evals.report_cases import render_case
from evals.report_html import render_plots, render_score
from evals.rows import Row
from qa.safe_text import escape

MAX_FAILED = 50  # more are not gone through by hand; the report as a file says which
FIRST = (  # what a person asks first; the other thirty are folded away
    "Right", "Citation precision", "Citation recall", "Answer contained", "Abstention F1", "nDCG@10",
    "Evidence recall@10", "ECE", "Latency p50 (ms)",
)  # fmt: skip
_KINDS = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.SAME: "same"}


def render_run(report: RunReport) -> str:
    """Return a run, and what it differs in from the one that it is set against."""
    other = report.against
    title = f"{report.summary['suite']}: {report.name}{f' against {other.name}' if other else ''}"
    faults = faults_line(report.summary)
    alert = f'<p class="faults">{escape(faults)}</p>' if faults else ""
    return (
        f'<h3>{escape(title)}</h3><p class="facts">{escape(facts_line(report.manifest))}</p>{alert}'
        f"{_render_figures(report)}{render_plots(report)}{_render_failed(report)}"
    )


def failed_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the questions that went wrong, the worst first.

    They were not dealt with rightly, or, in a run that only finds, their evidence did not come on top.
    """

    def failed(row: Row) -> bool:
        lost = row.reply is None or row.reply.error is not None
        return lost or row.values.get("Right", row.values.get("nDCG@10", 1.0)) < 1.0

    return [row for row in worst_rows(rows, len(rows)) if failed(row)]


def _render_figures(report: RunReport) -> str:
    names = list(report.scores())
    first = [name for name in FIRST if name in names] or names
    note = "Means with bootstrap 95 % intervals. ↓ less is better. Times are of questions asked alone."
    if report.against:
        note += " p is of a paired randomisation test of each measure by itself; below 0.05 a difference is named."
    rest = [name for name in names if name not in first]
    more = (
        f"<details><summary>{len(rest)} more measures</summary>{_render_table(report, rest, 'More figures')}</details>"
        if rest
        else ""
    )
    return f'<p class="hint">{note}</p>{_render_table(report, first, "Figures")}{more}'


def _render_table(report: RunReport, names: Sequence[str], label: str) -> str:
    other, scores = report.against, report.scores()
    theirs = other.scores() if other else {}
    differences = {each.measure: each for each in report.differences}
    heads = ["Measure", "n", report.name] + ([other.name, "Difference", "p"] if other else [])
    body = ""
    for name in names:
        cells = [str(scores[name]["n"]), render_score(scores[name])]
        if other:
            cells += [render_score(theirs[name]) if name in theirs else "–", *_difference(differences.get(name))]
        arrow = " ↓" if name in LOWER_IS_BETTER else ""
        body += f'<tr><th scope="row">{escape(name)}{arrow}</th>{"".join(f"<td>{each}</td>" for each in cells)}</tr>'
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _difference(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["–", "–"]
    seen = difference.comparison
    digits = 0 if "(ms)" in difference.measure else 3
    value, low, high = (f"{number:+.{digits}f}" for number in (seen.difference, seen.low, seen.high))
    kind = _KINDS[difference.verdict]
    word = "no difference seen" if kind == "same" else kind
    p = "&lt; 0.001" if seen.p_value < 0.001 else f"{seen.p_value:.3f}"
    return [f'<span class="{kind}">{value}, {word}</span> <span class="range">{low} to {high}</span>', p]


def _render_failed(report: RunReport) -> str:
    rows = failed_rows(report.rows)
    if not rows:
        return "<h3>Questions that failed</h3><p>None.</p>"
    theirs: dict[str, Row] = {row.id: row for row in report.against.rows} if report.against else {}
    shown = rows[:MAX_FAILED]
    cases = "".join(render_case(row, report, theirs.get(row.id), _render_ask(row)) for row in shown)
    more = f", the {MAX_FAILED} worst shown" if len(rows) > MAX_FAILED else ""
    return (
        f'<h3>Questions that failed</h3><p class="hint">{len(rows):,} of {len(report.rows):,}{more}, the worst first. '
        "Open one to see the judged evidence beside what was cited, or ask it in the chat, of this library’s articles "
        f'and after what the chat holds already.</p><div class="cases">{cases}</div>'
    )


def _render_ask(row: Row) -> str:
    question = escape(row.question)
    return f'<p><button type="button" class="ask-in-chat" data-question="{question}">Ask in the chat</button></p>'
