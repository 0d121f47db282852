"""The whole report over the public DEV sets, ours beside the LlamaIndex starter, in one command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.errors import ArticleFormatError, EmptyCorpusError
from evals.compare import ALPHA, Verdict
from evals.data import sample
from evals.report import RunReport, cell, difference_cell, load_reports, to_json, to_markdown
from evals.report_html import render_page
from evals.run import run_target
from evals.run_support import SupportReport, run_support
from evals.systems import Bench, open_system
from evals.target import load_target

SETS = (
    "news_multihop",
    "scifact",
    "wiki_squad",
    "clapnq",
    "wiki_multihop",
    "multiturn_mtrag",
    "conflict_ramdocs",
    "conflict_rgb_fact",
    "injection",
)
CLAIM_SETS = ("faithfulness_wice", "faithfulness_mtrag", "faithfulness_faithbench")
BEGIN, END = "<!-- dev report -->", "<!-- end of dev report -->"
OURS, THEIRS = "byline", "llamaindex"
NOTES = {
    "scifact": "Its questions are claims; 304 of them are to be declined, since no abstract decides them.",
    "multiturn_mtrag": "The last turn is asked with its history; the starter gets the last turn alone.",
    "conflict_ramdocs": "Each question is asked of its own documents. They count as disagreeing when those that are "
    "not noise give several answers, also of namesakes.",
    "conflict_rgb_fact": "Each question is asked of its true snippets and the same snippets altered to a false answer. "
    "Only measured on: its licence is non-commercial.",
    "injection": "Each question is asked of the clean articles of news_multihop and one with a hidden instruction.",
    "clapnq": "Unanswerable with respect to one passage; a few may be answerable from another.",
    "wiki_squad": "Unanswerable with respect to one paragraph; a few may be answerable from another.",
}
# The weights that are shipped (their card has figures of the parts they never saw).
LEARNT_FROM = ("wiki_squad", "clapnq", "scifact", "wiki_multihop", "faithfulness_wice", "faithfulness_mtrag")
TUNED_ON = ("news_multihop",)
_LEARNT = (
    "The shipped reader learnt from 62 % of this set's questions and was tuned on 16 %, so the figures of answers, "
    "citations and abstention flatter it here; its model card has those of the part that it never saw."
)
_TUNED = "The reader's gate was tuned on a part of this set, so abstention and calibration are flattered here."


class Progress(Protocol):
    """Shows how far one part is; the value of the context is called after each step."""

    def __call__(self, name: str, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Begin a part."""


@dataclass(frozen=True, slots=True)
class DevReport:
    """What `run_dev` measured, in the order of the sets."""

    runs: tuple[RunReport, ...]
    support: tuple[SupportReport, ...]


def run_dev(
    data: Path,
    bench: Bench,
    progress: Progress,
    *,
    names: Sequence[str] = (*SETS, *CLAIM_SETS),
    limit: int | None = None,
    workers: int = 2,
) -> DevReport:
    """Run every set that is asked for with both systems; what was done before is not done again.

    Args:
        data: Folder of the sets' folders.
        bench: Its work folder keeps libraries, runs and scores.
        progress: Shows each part.
        names: Which sets.
        limit: Sample of so many questions of each set, drawn with a fixed seed.
        workers: Questions worked on at the same time, after the first thirty of a set.

    Raises:
        EmptyCorpusError: If a set's folder is not there.
    """
    missing = [name for name in names if not (data / name).is_dir()]
    if missing:
        raise EmptyCorpusError(f"{str(data)!r} lacks {', '.join(missing)}. Leave them out with --sets, or fetch them.")
    runs = bench.work / ("runs" if limit is None else f"runs-{limit}")
    reports: list[RunReport] = []
    for name in (name for name in names if name in SETS):
        target = load_target(str(data / name))
        total = len(sample(target.of.examples, limit))
        for system_name in (OURS, THEIRS):
            with (
                progress(f"{name}, {system_name}", total) as step,
                open_system(system_name, bench, name, target.articles) as system,
            ):
                run_target(
                    target, system, runs / system_name / name, limit=limit, workers=workers, settings=bench.facts,
                    on_question=step,
                )  # fmt: skip
        reports += load_reports(runs / OURS / name, runs / THEIRS / name)
    support: list[SupportReport] = []
    for name in (name for name in names if name in CLAIM_SETS):
        with progress(name, 0) as step:
            support += run_support(data / name, bench.work / "support", limit=limit, on_claim=step)
    return DevReport(tuple(reports), tuple(support))


def write_dev(report: DevReport, folder: Path) -> list[Path]:
    """Write `dev.md`, `dev.json` and `dev.html` into the folder and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = to_json(report.runs) | {"support": [each.to_dict() for each in report.support]}
    contents = {
        "dev.md": dev_markdown(report),
        "dev.json": json.dumps(stored, ensure_ascii=False, indent=1) + "\n",
        "dev.html": render_page(report.runs, "DEV sets"),
    }
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in contents]


def put_into(path: Path, report: DevReport) -> None:
    """Put the report between the two marks of a Markdown file, in place of the last one.

    Raises:
        ArticleFormatError: If the file lacks the marks.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ArticleFormatError(f"{str(path)!r} lacks the lines {BEGIN!r} and {END!r}, between which the report goes.")
    path.write_text(f"{before}{begin}\n\n{dev_markdown(report)}\n{end}{after}", encoding="utf-8")


def dev_markdown(report: DevReport) -> str:
    """Return the report as Markdown: how it was measured, where ours is worse, a table for each set, support checks."""
    parts = []
    if report.runs:
        manifest = report.runs[0].manifest
        versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
        parts.append(
            f"Measured {manifest['finished'][:10]} on {manifest['machine']} ({versions}) with "
            "`python -m evals dev DATA --work DIR`. Means with bootstrap 95 % intervals; a difference is named when a "
            "paired randomisation test sees one (p < 0.05, each measure by itself). The starter has no language model "
            "here: it states its first source of up to 512 tokens, which holds more than one sentence can. Times are "
            "of the first questions of a set, asked alone."
        )
        parts.append("### Where ours is worse\n\n" + ("\n".join(_worse(report.runs)) or "Nowhere beyond chance."))
        for run in report.runs:
            parts.append("\n\n".join((to_markdown([run]).rstrip(), *_notes(run.summary["suite"]))))
    if report.support:
        parts.append(_support_markdown(report.support))
    return "\n\n".join(parts) + "\n"


def _worse(runs: Sequence[RunReport]) -> list[str]:
    lines = []
    for run in runs:
        ours, theirs = run.scores(), run.against.scores() if run.against else {}
        for each in run.differences:
            if each.verdict is Verdict.WORSE and each.measure in ours and each.measure in theirs:
                lines.append(
                    f"- {run.summary['suite']}, {each.measure}: {cell(ours[each.measure])} against "
                    f"{cell(theirs[each.measure])}: {difference_cell(each)}."
                )
    return lines


def _notes(name: str) -> list[str]:
    notes = (NOTES.get(name), _LEARNT if name in LEARNT_FROM else None, _TUNED if name in TUNED_ON else None)
    return [note for note in notes if note]


def _support_markdown(reports: Sequence[SupportReport]) -> str:
    learnt = " and ".join(name for name in LEARNT_FROM if name in CLAIM_SETS)
    lines = [
        "## Support checks",
        "",
        "Supported in full against everything else; the threshold of balanced accuracy is fitted on the other half.",
        f"The support head learnt from part of {learnt}, which flatters it there.",
        "",
        "| set | check | n | supported | AUROC | balanced accuracy | AUROC, first check minus this |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in reports:
        scores = [cell(score.to_dict()) for score in (each.auroc, each.balanced_accuracy)]
        against = "-"
        if each.against is not None:
            seen = each.against.p_value < ALPHA
            told = f"{each.against.difference:+.3f} (p = {each.against.p_value:.3f})"
            against = told if seen else Verdict.SAME.value
        lines.append(
            f"| {each.set_name} | {each.system} | {each.n} | {each.n_supported} | {' | '.join(scores)} | {against} |"
        )
    return "\n".join(lines)
