"""`python -m evals` (= `byline eval`): ask suites and sets, compare runs, refuse regressions, write reports."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus.errors import QAError

_EXAMPLES = """examples:
  python -m evals run bundled first_answers                  the bundled suites
  python -m evals run SET_FOLDER --limit 200 --set k=20      a sample of a set, with another setting
  python -m evals run bundled --system my_module:my_engine   anybody's own system
  python -m evals run bundled --set k=20 --name k20          kept as k20, beside byline
  python -m evals run kept                                   the cases kept in the library
  python -m evals compare byline k20
  python -m evals report byline --html report.html

Runs are kept in the library's folder (BYLINE_LIBRARY, else your data folder), in eval-runs/NAME; the page shows them.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit 0, 1 on an error that is told in a sentence or a refused gate, 2 on wrong usage."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    options = parser().parse_args(arguments)
    try:
        from evals import commands

        return int(getattr(commands, options.command)(options))
    except QAError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename!r}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    found = argparse.ArgumentParser(
        prog="python -m evals",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = found.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_run(commands.add_parser("run", help="ask suites or sets of a system and measure what comes"))
    _add_compare(commands.add_parser("compare", help="set two runs against each other, question by question"))
    _add_gate(commands.add_parser("gate", help="ask the bundled suites; exit 1 on a significant loss"))
    _add_sweep(commands.add_parser("sweep", help="run a suite under many settings; quality against time"))
    _add_report(commands.add_parser("report", help="show a run; write Markdown, JSON or one HTML page"))
    _add_support(commands.add_parser("support", help="measure support checks on labelled claims"))
    _add_conflict(commands.add_parser("conflict", help="measure what is shown of articles that disagree"))
    _add_dev(commands.add_parser("dev", help="the whole report over the public DEV sets, beside LlamaIndex"))
    _add_keep(commands.add_parser("keep", help="keep a question as a case to test by"))
    _add_judge(commands.add_parser("judge", help="let a language model judge a run, apart from its figures"))
    _add_fusion(commands.add_parser("fusion", help="measure every weight of meaning against words, on halves of sets"))
    _add_follow_ups(
        commands.add_parser("follow_ups", help="retrieval with follow-ups put into words, against the last turn")
    )
    return found


def _add_follow_ups(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="FOLDER", help="with conversations.jsonl and rewrites.jsonl")
    command.add_argument(
        "--half", choices=("inner", "outer", "all"), default="outer", help="rules were chosen on inner"
    )
    command.add_argument("--work", type=Path, metavar="DIR", help="where the library is kept; else eval-runs/work")
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "suites", nargs="+", metavar="SUITE", help="bundled suite, kept, .jsonl, .csv, SQuAD .json, folder"
    )
    systems = "byline, bm25, dense, rrf, hybrid, maxsim, llamaindex, module:function"
    command.add_argument("--system", default="byline", help=systems)
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be repeated")
    command.add_argument("--workers", type=int, default=1, metavar="N", help="questions at a time after the first 30")
    command.add_argument("--articles", type=Path, help="what questions without articles are about; else the bundled")
    command.add_argument("--library", type=Path, metavar="DIR", help="or the library that holds it")
    command.add_argument("--llm", metavar="MODULE:FUNCTION", help="LlamaIndex LLM for --system llamaindex")
    command.add_argument("--prices", metavar="IN,OUT", help="dollars for a million tokens read and written")
    _add_folders(command)


def _add_folders(command: argparse.ArgumentParser) -> None:
    command.add_argument("--limit", type=int, metavar="N", help="a sample of N questions, drawn with a fixed seed")
    kept = command.add_mutually_exclusive_group()
    kept.add_argument("--name", help="what the run is kept as, beside the others; else the system's name")
    kept.add_argument("--out", type=Path, metavar="DIR", help="or a folder elsewhere, which the page does not show")
    command.add_argument("--work", type=Path, metavar="DIR", help="where libraries are kept; else eval-runs/work")


def _add_compare(command: argparse.ArgumentParser) -> None:
    command.add_argument("first", type=Path, help="name of a run, or a folder that `run` wrote")
    command.add_argument("second", type=Path)
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_gate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--baseline", type=Path, required=True, metavar="FILE", help="figures to hold")
    command.add_argument("--update", action="store_true", help="write the baseline anew instead of checking")


def _add_sweep(command: argparse.ArgumentParser) -> None:
    command.add_argument("suite", metavar="SUITE")
    command.add_argument(
        "--set", action="append", required=True, metavar="NAME=V,V,...", help="k, chunk_tokens, dense_weight, ..."
    )
    command.add_argument("--measure", default="Right", help="what is the quality, e.g. 'nDCG@10'")
    command.add_argument("--articles", type=Path)
    _add_folders(command)


def _add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, help="name of a run, or a folder that `run` wrote")
    command.add_argument("--against", type=Path, metavar="RUN", help="another run of the same suites")
    for name in ("html", "markdown", "json"):
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write {name} there")


def _add_support(command: argparse.ArgumentParser) -> None:
    command.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="with items.jsonl[.gz]")
    command.add_argument("--limit", type=int, metavar="N")
    command.add_argument("--work", type=Path, metavar="DIR", help="where scores are kept; else eval-runs/work")


def _add_conflict(command: argparse.ArgumentParser) -> None:
    command.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="set whose documents disagree")
    command.add_argument("--limit", type=int, metavar="N")
    command.add_argument("--work", type=Path, metavar="DIR", help="where libraries are kept; else eval-runs/work")


def _add_dev(command: argparse.ArgumentParser) -> None:
    command.add_argument("data", type=Path, metavar="DATA", help="folder of the sets' folders")
    command.add_argument("--work", type=Path, required=True, metavar="DIR", help="libraries, runs and the report")
    command.add_argument("--results", type=Path, metavar="FILE", help="Markdown file to put the report into, by marks")
    command.add_argument("--sets", metavar="NAME,NAME,...", help="only these")
    command.add_argument("--limit", type=int, metavar="N", help="a sample of N questions of each set, fixed seed")
    command.add_argument("--workers", type=int, default=2, metavar="N", help="questions at a time after the first 30")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be repeated")
    command.add_argument("--llm", metavar="MODULE:FUNCTION", help="LlamaIndex LLM for the starter")


def _add_keep(command: argparse.ArgumentParser) -> None:
    command.add_argument("question", nargs="?", help="asked of the library and kept with the answer's citations")
    command.add_argument("--library", type=Path, metavar="DIR", help="else BYLINE_LIBRARY, else your data folder")
    command.add_argument("--verdict", choices=("right", "wrong"), default="right", help="on the answer; right unless")
    command.add_argument("--note", default="", help="why")
    command.add_argument("--list", action="store_true", help="print the kept cases as JSON lines")
    command.add_argument("--settle", metavar="ID", help="say what a kept case should have cited")
    command.add_argument("--article", metavar="ID", help="with --settle: the article that answers")
    command.add_argument("--quote", action="append", default=[], metavar="TEXT", help="with --article: its words")
    command.add_argument("--decline", action="store_true", help="with --settle: it should have declined")


def _add_judge(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, help="name of a run, or a folder that `run` wrote")
    command.add_argument("--llm", required=True, metavar="MODULE:FUNCTION", help="gives a LlamaIndex LLM")


def _add_fusion(command: argparse.ArgumentParser) -> None:
    command.add_argument("sets", type=Path, nargs="+", metavar="SET", help="folders of sets with judged evidence")
    command.add_argument("--libraries", type=Path, required=True, help="folder with one library for each set, by name")


if __name__ == "__main__":
    sys.exit(main())
