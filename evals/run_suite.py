"""Ask a suite's questions over a folder of articles and judge the answers: `python -m evals suite NAME`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import qa
from corpus.load import bundled_articles
from evals.suite import Case, Verdict, judge, load_suite, stem_of

SUITES = Path(__file__).parent / "suites"


def run_suite(cases: Sequence[Case], articles: Path | None = None) -> list[Verdict]:
    """Ask every case of a fresh library, each on its own.

    Args:
        cases: Follow-ups are asked without their history.
        articles: What the library holds; the bundled articles when None.

    Returns:
        One verdict per case, in order.
    """
    with tempfile.TemporaryDirectory(prefix="byline-suite-") as folder, qa.open(Path(folder) / "library") as library:
        library.add(articles or bundled_articles())
        stems = {info.id: stem_of(info.origins[0]) for info in library.articles()}
        return [judge(case, library.ask(case.question), stems) for case in cases]


def find_suite(name: str) -> list[Case]:
    """Read a suite by its name in evals/suites or by its path."""
    path = SUITES / f"{name}.jsonl"
    return load_suite(path if path.exists() else Path(name))


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the figures and the cases that went wrong, as Markdown."""
    rows = ["| questions | n | right | of those answered, right |", "|---|---|---|---|"]
    for name, flag in (("to answer", True), ("to decline", False)):
        asked = [v for v in verdicts if v.case.answerable is flag]
        answered = [v for v in asked if v.answered]
        precision = f"{sum(v.right for v in answered)} / {len(answered)}" if flag else "-"
        rows.append(f"| {name} | {len(asked)} | {sum(v.right for v in asked)} | {precision} |")
    wrong = [v for v in verdicts if not v.right]
    return "\n".join([*rows, "", *(f"- {v.case.id} ({v.case.type}): {v.case.question} {_how(v)}" for v in wrong)])


def _how(verdict: Verdict) -> str:
    if not verdict.case.answerable:
        return "-> answered, should be declined"
    return "-> another sentence cited" if verdict.answered else "-> declined"
