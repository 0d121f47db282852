"""Run retrieval systems over a set and measure them: `python -m evals retrieval SET --library DIR`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import ArticleFormatError
from corpus.load import load_sources
from evals.data import EvalSet, check_stored
from evals.measures import (
    compare,
    measure_articles,
    measure_evidence,
    measure_evidence_within,
    summarise,
)
from evals.systems import make_ranker
from evals.types import Comparison, Example, Run, Score
from index.ingest import add_articles
from index.open import OpenIndex

K = 10
BUDGET_TOKENS = 1_000  # what five of our passages fill, or one chunk of the LlamaIndex starter
Values = Mapping[str, Mapping[str, float]]  # measure -> question id -> value


@dataclass(frozen=True, slots=True)
class SystemReport:
    """What one system scored.

    Args:
        scores: By group (`all`, then each part of the set), in the order measured.
        against: By measure, the difference to the first system of the run (that one minus this one); empty for it.
    """

    system: str
    scores: Mapping[str, tuple[Score, ...]]
    against: Mapping[str, Comparison]

    def to_dict(self) -> dict[str, object]:
        """Return the report for JSON."""
        return {
            "system": self.system,
            "scores": {group: [score.to_dict() for score in scores] for group, scores in self.scores.items()},
            "first_minus_this": {
                name: {"difference": round(c.difference, 4), "low": round(c.low, 4), "high": round(c.high, 4)}
                | {"p_value": round(c.p_value, 4), "n": c.n}
                for name, c in self.against.items()
            },
        }


def fill_library(index: OpenIndex, of: EvalSet) -> None:
    """Add the set's articles; those stored already cost nothing.

    Raises:
        ArticleFormatError: If an article cannot be read or evidence lies outside of one.
    """
    report = add_articles(index, load_sources([of.corpus]))
    if report.failed:
        failure = report.failed[0]
        raise ArticleFormatError(f"{len(report.failed)} articles of {of.name!r} cannot be read: {failure.reason}")
    check_stored(of.examples, {article.id: article for article in index.library.all_articles()})


def run_systems(
    index: OpenIndex,
    of: EvalSet,
    systems: Sequence[str],
    kept: Path,
    *,
    on_question: Callable[[str], None] | None = None,
) -> list[SystemReport]:
    """Ask every judged question of every system.

    Args:
        index: Holds the articles of the set.
        of: Questions without gold articles are not asked: nothing that is found for them could be right.
        systems: Of `evals.systems.SYSTEMS`; the others are compared to the first.
        kept: For `make_ranker`.
        on_question: Called with the system's name after each question.
    """
    examples = [example for example in of.examples if example.gold_articles]
    reports: list[SystemReport] = []
    first: Values = {}
    for system in systems:
        run = {}
        ranker = make_ranker(system, index, kept)
        for example in examples:
            run[example.id] = tuple(ranker(example.question))
            if on_question:
                on_question(system)
        values = measure(run, examples)
        against = {name: compare(first[name], values[name]) for name in first}
        reports.append(SystemReport(system, summarise_groups(values, examples), against))
        first = first or values
    return reports


def measure(run: Run, examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Return every measure per question; article measures first.

    `Articles in 10 passages` is the recall of the articles that the first ten passages come from: what somebody sees
    who asks for ten hits, where `Recall@10` ranks ten articles however many passages that takes.
    """
    values = measure_articles(run, examples, K)
    first_passages = {name: hits[:K] for name, hits in run.items()}
    seen = measure_articles(first_passages, examples, K)[f"Recall@{K}"]
    values[f"Articles in {K} passages"] = seen
    values |= measure_evidence(run, examples, K)
    return values | measure_evidence_within(run, examples, BUDGET_TOKENS)


def summarise_groups(values: Values, examples: Sequence[Example]) -> dict[str, tuple[Score, ...]]:
    """Summarise over all questions and, where a set has parts or types, over each of them."""
    groups: dict[str, set[str]] = {"all": {example.id for example in examples}}
    for kind in ("part", "type"):
        names = sorted({getattr(example, kind) for example in examples} - {""})
        if len(names) > 1:
            groups |= {name: {e.id for e in examples if getattr(e, kind) == name} for name in names}
    return {
        group: tuple(
            summarise(name, {question: value for question, value in by_question.items() if question in ids})
            for name, by_question in values.items()
        )
        for group, ids in groups.items()
    }
