"""What is shown of articles that disagree: every valid value and no wrong one as fact, against giving one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from corpus.errors import SettingsError
from evals.data import sample
from evals.measures.statistics import compare, summarise
from evals.measures.text import measure_completeness
from evals.systems import Bench, open_system
from evals.target import load_target
from evals.types import Comparison, Example, Reply, Score
from qa.training.cases import is_even

FITTED_ON = {"conflict_ramdocs": "half not fitted on"}  # the other half taught which rivals are shown
MEASURES = ("All sides shown", "Answers covered")


@dataclass(frozen=True, slots=True)
class ConflictReport:
    """One measure on one set.

    Args:
        ours: As Byline answers.
        one: The same answers with their first position alone, stated as the fact.
        difference: Paired, ours minus one answer.
    """

    set_name: str
    measure: str
    ours: Score
    one: Score
    difference: Comparison


def run_conflict(
    folder: Path, bench: Bench, *, limit: int | None = None, on_question: Callable[[], None] = lambda: None
) -> list[ConflictReport]:
    """Ask every question of a set over its own documents.

    Raises:
        SettingsError: If the set names no wrong answers and no documents that disagree.
        QAError: If a question cannot be answered.
    """
    target = load_target(str(folder))
    examples = [example for example in sample(target.of.examples, limit) if example.wanted and example.within]
    if not examples:
        raise SettingsError(f"No question of {str(folder)!r} says what several documents answer. Name a conflict set.")
    replies: dict[str, Reply] = {}
    with open_system("byline", bench, target.of.name, target.articles) as system:
        for example in examples:
            replies[example.id] = system.reply(example)
            on_question()
    name = target.of.name
    parts = {name: examples}
    if name in FITTED_ON:
        parts[f"{name}, {FITTED_ON[name]}"] = [example for example in examples if not is_even(example.id)]
    return [_report(part, measure, asked, replies) for part, asked in parts.items() for measure in MEASURES if asked]


def one_answer(reply: Reply) -> Reply:
    """Return the reply with the first position of each disagreement alone, as a reader of one answer gives it."""
    if not reply.disagreements:
        return reply
    first = reply.disagreements[0][0]
    stated = [each for each in reply.statements if first in each.text][:1] or reply.statements[:1]
    return replace(reply, statements=tuple(stated), short_answer=first, disagreements=())


def conflict_table(reports: list[list[ConflictReport]]) -> Table:
    """Return the table that is printed."""
    table = Table("set", "measure", "n", "byline", "one answer", "difference", title="Articles that disagree")
    for each in (report for of_set in reports for report in of_set):
        table.add_row(
            each.set_name,
            each.measure,
            str(each.ours.n),
            _cell(each.ours),
            _cell(each.one),
            f"{each.difference.difference:+.3f} (p = {each.difference.p_value:.4f})",
        )
    return table


def _report(name: str, measure: str, examples: list[Example], replies: dict[str, Reply]) -> ConflictReport:
    replies = {example.id: replies[example.id] for example in examples}
    alone = {key: one_answer(reply) for key, reply in replies.items()}
    ours, one = (measure_completeness(each, examples)[measure] for each in (replies, alone))
    return ConflictReport(name, measure, summarise(measure, ours), summarise(measure, one), compare(ours, one))


def _cell(score: Score) -> str:
    return f"{score.value:.3f} ({score.low:.3f}-{score.high:.3f})"
