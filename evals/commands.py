"""What each command of `python -m evals` does with its options; data on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from corpus.errors import SettingsError
from evals.data import sample
from evals.stored import find_folder, run_folder, work_folder

if TYPE_CHECKING:
    from evals.measure import Prices

GATED = ("first_answers", "bundled")
_WIDE = 200  # columns when stdout is no terminal: a table that is read by a program must not be cut


def run(options: argparse.Namespace) -> int:
    """Run suites of a system, print their tables, and keep them under `--out`."""
    from evals.report import load_reports
    from evals.report_rich import print_reports
    from evals.run import run_target
    from evals.systems import make_bench, open_system
    from evals.target import load_target

    named = options.name or options.system.replace(":", "-").replace("/", "-")
    prices = _prices(options.prices)
    for name in options.suites:
        target = load_target(name, articles=options.articles, library=options.library)
        out = options.out or run_folder(named, target.library)
        work = options.work or work_folder()
        bench = make_bench(work, options.set, library=target.library, llm=options.llm)
        total = len(sample(target.of.examples, options.limit))
        with (
            _progress(target.of.name, total) as step,
            open_system(options.system, bench, target.of.name, target.articles) as system,
        ):
            run_target(
                target, system, out / target.of.name, limit=options.limit, workers=options.workers,
                settings=bench.facts, prices=prices, on_question=step,
            )  # fmt: skip
        print_reports(load_reports(out / target.of.name), _stdout())
        _stderr().print(f"kept in {out / target.of.name}", highlight=False, soft_wrap=True)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Print what two runs differ in."""
    from evals.compare import compare_folders
    from evals.report_rich import print_comparisons

    compared = compare_folders(find_folder(options.first), find_folder(options.second))
    if options.json:
        rows = [
            {"suite": each.suite, "first": each.first, "second": each.second}
            | {"differences": [difference.to_dict() for difference in each.differences]}
            for each in compared
        ]
        _print_json(rows)
    else:
        print_comparisons(compared, _stdout())
    return 0


def gate(options: argparse.Namespace) -> int:
    """Check the bundled suites against a baseline, or write it anew."""
    from evals.gate import check, gate_table, write_baseline
    from evals.run import load_run, run_target
    from evals.systems import make_bench, open_system
    from evals.target import load_target

    rows = []
    with tempfile.TemporaryDirectory(prefix="byline-gate-") as folder:
        for name in GATED:
            target, bench = load_target(name), make_bench(Path(folder) / "work")
            with (
                _progress(name, len(target.of.examples)) as step,
                open_system("byline", bench, "bundled-articles", target.articles) as system,
            ):
                run_target(target, system, Path(folder) / name, settings=bench.facts, on_question=step)
            rows += load_run(Path(folder) / name)[1]
    if options.update:
        write_baseline(rows, options.baseline)
        _stderr().print(f"wrote {options.baseline} from {len(rows)} questions", highlight=False)
        return 0
    result = check(rows, options.baseline)
    _stdout().print(gate_table(result, len(rows)))
    for loss in result.losses:
        _stderr().print(f"refused: {loss}", highlight=False, markup=False)
    return 1 if result.losses else 0


def sweep(options: argparse.Namespace) -> int:
    """Run a suite under every combination of settings."""
    from evals.report_rich import print_points
    from evals.sweep import sweep as run_sweep
    from evals.target import load_target

    target = load_target(options.suite, articles=options.articles)
    out = (options.out or run_folder(options.name or "sweep", target.library)) / target.of.name
    points = run_sweep(
        target, options.set, out, options.work or work_folder(), measure=options.measure, limit=options.limit,
        on_point=lambda knobs: _stderr().print(" ".join(knobs), highlight=False),
    )  # fmt: skip
    print_points(points, options.measure, _stdout())
    return 0


def report(options: argparse.Namespace) -> int:
    """Show finished runs, and write them as files."""
    from evals.report import load_reports, to_json, to_markdown
    from evals.report_html import render_page
    from evals.report_rich import print_reports

    reports = load_reports(find_folder(options.run), options.against and find_folder(options.against))
    print_reports(reports, _stdout())
    if options.html:
        options.html.write_text(render_page(reports), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(to_markdown(reports), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(to_json(reports), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def support(options: argparse.Namespace) -> int:
    """Measure support checks on sets of labelled claims."""
    from evals.report_rich import print_support
    from evals.run_support import run_support

    reports = []
    for folder in options.folders:
        with _progress(folder.name, 0) as step:
            reports += run_support(
                folder, (options.work or work_folder()) / "support", limit=options.limit, on_claim=step
            )
    print_support(reports, _stdout())
    return 0


def conflict(options: argparse.Namespace) -> int:
    """Measure what is shown where articles disagree, against giving one answer."""
    from evals.run_conflict import conflict_table, run_conflict
    from evals.systems import make_bench

    reports, bench = [], make_bench(options.work or work_folder())
    for folder in options.folders:
        with _progress(folder.name, 0) as step:
            reports.append(run_conflict(folder, bench, limit=options.limit, on_question=step))
    _stdout().print(conflict_table(reports))
    return 0


def dev(options: argparse.Namespace) -> int:
    """Run the public DEV sets and write the report into the work folder."""
    from evals.dev import CLAIM_SETS, SETS, put_into, run_dev, write_dev
    from evals.report_rich import print_reports, print_support
    from evals.systems import make_bench

    known = (*SETS, *CLAIM_SETS)
    names = tuple(options.sets.split(",")) if options.sets else known
    if not set(names) <= set(known):
        raise SettingsError(f"--sets names {sorted(set(names) - set(known))}; known are {', '.join(known)}.")
    bench = make_bench(options.work, options.set, llm=options.llm)
    made = run_dev(options.data, bench, _progress, names=names, limit=options.limit, workers=options.workers)
    print_reports(made.runs, _stdout())
    if made.support:
        print_support(made.support, _stdout())
    if options.results:
        put_into(options.results, made)
    for path in write_dev(made, options.work):
        _stderr().print(f"wrote {path}", highlight=False)
    return 0


def keep(options: argparse.Namespace) -> int:
    """Ask a question and keep it as a case, settle a case, or list them."""
    import qa
    from qa.keep import keep_case, read_cases, settle_case
    from qa.render import render_terminal

    wanted = [options.list, options.settle is not None, options.question is not None]
    if sum(wanted) != 1:
        raise SettingsError("Give one of: a question, --settle ID, --list.")
    if options.settle and bool(options.quote and options.article) == options.decline:
        raise SettingsError("With --settle, give either --article and --quote, or --decline.")
    with qa.open(options.library) as library:
        if options.list:
            for case in read_cases(library.folder):
                _print_json(case)
        elif options.settle:
            article = library.article(options.article) if options.article else None
            _print_json(settle_case(library.folder, options.settle, article, options.quote))
        else:
            answer = library.ask(options.question)
            _stderr().print(render_terminal(answer), highlight=False, markup=False)
            _print_json(keep_case(library.folder, answer, options.verdict, note=options.note))
    return 0


def judge(options: argparse.Namespace) -> int:
    """Let a language model judge what a run answered."""
    from evals.judge_llamaindex import OUTPUT, judge_run, load_llm
    from evals.run import find_runs, load_run

    llm = load_llm(options.llm)
    if llm is None:
        raise SettingsError("--llm names no model.")
    for suite, folder in find_runs(find_folder(options.run)).items():
        rows = load_run(folder)[1]
        with _progress(suite, len(rows)) as step:
            judged = judge_run(folder, rows, llm, step)
        _print_json({"suite": suite, "judge": judged["judge"], "scores": judged["scores"]})
        _stderr().print(f"wrote {folder / OUTPUT}", highlight=False)
    return 0


def fusion(options: argparse.Namespace) -> int:
    """Measure every weight of meaning against words."""
    from evals.data import load_set
    from evals.sweep_fusion import best_weight, sweep_weights, weight_table

    rows = []
    for of in map(load_set, options.sets):
        asked = sum(bool(example.gold_articles) for example in of.examples)
        with _progress(of.name, asked) as step:
            rows += sweep_weights(of, options.libraries / of.name, on_question=step)
    _stdout().print(weight_table(rows))
    best = ", ".join(f"on the {half} halves: {best_weight(rows, half):.2f}" for half in ("even", "odd"))
    _stdout().print(f"best {best}", highlight=False)
    return 0


def follow_ups(options: argparse.Namespace) -> int:
    """Measure how follow-ups are put into words."""
    from evals.follow_ups import follow_up_tables, measure_follow_ups
    from evals.systems import make_bench

    with _progress("follow-ups", 0) as step:
        found = measure_follow_ups(
            options.folder, make_bench(options.work or work_folder()), half=options.half, on_question=step
        )
    if options.json:
        _print_json(found.to_dict())
        return 0
    for table in follow_up_tables(found):
        _stdout().print(table)
    return 0


@contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = _stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(name, total=total or None)
        yield lambda: shown.advance(task)


def _prices(given: str | None) -> Prices | None:
    from evals.measure import Prices

    if given is None:
        return None
    try:
        prompt, completion = (float(price) for price in given.split(","))
    except ValueError as error:
        raise SettingsError(f"--prices {given!r} is not two numbers such as 0.5,1.5.") from error
    return Prices(prompt, completion)


def _print_json(value: object) -> None:
    _stdout().print(json.dumps(value, ensure_ascii=False), highlight=False, markup=False, soft_wrap=True)


def _stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def _stderr() -> Console:
    return Console(stderr=True)
