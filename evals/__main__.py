"""`python -m evals`: `retrieval` measures how well passages are found, `suite` what is answered and cited."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from corpus.errors import QAError
from evals.systems import SYSTEMS
from evals.types import Score


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit 0, 1 on an error that is told in a sentence, 2 on wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except QAError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    retrieval = commands.add_parser("retrieval", help="measure retrieval over a set with judged articles and evidence")
    retrieval.add_argument("set", type=Path, help="folder with corpus.jsonl[.gz] and queries.jsonl[.gz]")
    retrieval.add_argument("--library", type=Path, required=True, help="folder to keep; a second run embeds nothing")
    retrieval.add_argument("--system", choices=SYSTEMS, action="append", help="may be repeated; all when not given")
    retrieval.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    retrieval.set_defaults(run=_retrieval)
    fusion = commands.add_parser("fusion", help="measure every weight of meaning against words, on both halves of sets")
    fusion.add_argument("sets", type=Path, nargs="+", metavar="SET", help="folders as for `retrieval`")
    fusion.add_argument("--libraries", type=Path, required=True, help="folder with one library for each set, by name")
    fusion.set_defaults(run=_fusion)
    suite = commands.add_parser("suite", help="ask a suite and judge what the answers cite")
    suite.add_argument("suite", help="name in evals/suites, or a path")
    suite.add_argument("--articles", type=Path, help="what to ask about; the bundled articles when not given")
    suite.set_defaults(run=_suite)
    return parser


def _retrieval(options: argparse.Namespace) -> int:
    from evals.data import load_set
    from evals.run_retrieval import fill_library, run_systems
    from index.embed_onnx import embedded_encoder
    from index.open import open_index

    of = load_set(options.set)
    systems = options.system or list(SYSTEMS)
    console = Console(stderr=True)
    with open_index(options.library, embedded_encoder()) as index, Progress(console=console) as progress:
        storing = progress.add_task(f"{of.name}: storing", total=None)
        fill_library(index, of)
        progress.remove_task(storing)
        asked = sum(bool(example.gold_articles) for example in of.examples)
        tasks = {system: progress.add_task(system, total=asked) for system in systems}
        kept = options.library.with_name(f"{options.library.name}.llamaindex")
        reports = run_systems(index, of, systems, kept, on_question=lambda name: progress.advance(tasks[name]))
        embedder, n_passages = index.embedder.fingerprint, index.library.n_passages()
    for group in reports[0].scores:
        Console().print(_table(f"{of.name}, {group}", {report.system: report.scores[group] for report in reports}))
    if options.json:
        facts = {"set": of.name, "embedder": embedder, "passages": n_passages}
        rows = [report.to_dict() for report in reports]
        options.json.write_text(json.dumps(facts | {"systems": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


def _table(title: str, scores: Mapping[str, Sequence[Score]]) -> Table:
    """Return a row for each measure and a column for each system, with the intervals."""
    names = [score.name for score in next(iter(scores.values())) if score.n]
    table = Table("measure", "n", *scores, title=title)
    for name in names:
        cells = [next(score for score in own if score.name == name) for own in scores.values()]
        table.add_row(name, str(cells[0].n), *(f"{c.value:.3f} [{c.low:.3f}, {c.high:.3f}]" for c in cells))
    return table


def _fusion(options: argparse.Namespace) -> int:
    from evals.data import load_set
    from evals.run_retrieval import fill_library
    from evals.sweep_fusion import WEIGHTS, best_weight, sweep_weights
    from index.embed_onnx import embedded_encoder
    from index.open import open_index

    rows = []
    encoder = embedded_encoder()
    for of in map(load_set, options.sets):
        with (
            open_index(options.libraries / of.name, encoder) as index,
            Progress(console=Console(stderr=True)) as progress,
        ):
            fill_library(index, of)
            task = progress.add_task(of.name, total=sum(bool(example.gold_articles) for example in of.examples))
            rows += sweep_weights(index, of, on_question=partial(progress.advance, task))
    columns = sorted({(row.set_name, row.half) for row in rows})
    table = Table("weight", *(f"{name}, {half}" for name, half in columns), title="nDCG@10 / evidence recall@10")
    for weight in WEIGHTS:
        cells = {(r.set_name, r.half): f"{r.ndcg:.4f} / {r.evidence:.4f}" for r in rows if r.dense_weight == weight}
        table.add_row(f"{weight:.2f}", *(cells[column] for column in columns))
    Console().print(table)
    print(
        f"best on the even halves: {best_weight(rows, 'even'):.2f}, on the odd halves: {best_weight(rows, 'odd'):.2f}"
    )
    return 0


def _suite(options: argparse.Namespace) -> int:
    from evals.run_suite import find_suite, run_suite, table

    print(table(run_suite(find_suite(options.suite), options.articles)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
