"""The Evals tab of the page: the runs that are kept, one shown alone or against another, and how to make them."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from corpus.errors import QAError
from evals.report import RunReport, load_report, set_against
from evals.stored import StoredRun, find_stored, runs_folder
from evals.tab_run import render_run
from qa.extra_tab import ExtraTab
from qa.keep import read_cases
from qa.safe_text import clipped, escape
from qa.settings import Settings

_LOG = logging.getLogger(__name__)
HERE = Path(__file__).parent
FIELDS = ("run", "against")
KEPT_SUITE = "kept"
HIDDEN = (
    "Evaluation runs hold questions and answers, and others can reach this page without signing in, so none is shown. "
    "Set BYLINE_TOKEN, or BYLINE_USER and BYLINE_PASSWORD_HASH, and start the page again."
)
NOTHING = "No evaluation has been run for this library yet. Make one in a terminal, and open this tab again:"
ELSEWHERE = "In a terminal of the machine that serves this page, with BYLINE_LIBRARY naming its library."
CLOSED = "End this page before: the cases are asked of this library, and one process at a time has it."
LABEL_CHARS = 90
_REMEMBERED = 8  # drawn runs and pairs: a long pair takes seconds, and is looked at again and again

_Place = tuple[Path, str, tuple[int, ...]]  # folder, name, and what changes when its files do


def make_tab(library: Path, *, shown: bool, with_places: bool) -> ExtraTab:
    """Return the tab for the page of a library.

    Args:
        library: Its folder.
        shown: Whether those who reach the page may see the questions and answers of runs.
        with_places: Whether they are on this machine, and so may see where things lie on it.
    """

    def render(chosen: Mapping[str, str]) -> str:
        if not shown:
            return f'<section class="evals"><h2>Evaluation runs</h2><p>{HIDDEN}</p></section>'
        return render_tab(library, chosen, with_places=with_places)

    return ExtraTab("Evals", "evals", HERE / "tab.css", HERE / "tab.js", FIELDS, render)


def render_tab(library: Path, chosen: Mapping[str, str], *, with_places: bool) -> str:
    """Return the tab as HTML.

    Args:
        library: Folder of the library.
        chosen: `run` and `against`: ids of stored runs. One that is not among those listed counts as none, so nothing
            that a visitor sends ever becomes a path.
        with_places: Whether commands name the library's folder.
    """
    stored = find_stored(runs_folder(library))
    sound = [run for run in stored if not run.problem]
    run = _of_id(sound, chosen.get("run", "")) or (sound[0] if sound else None)
    others = [other for other in sound if run and other is not run and _asked_the_same(run, other)]
    against = _of_id(others, chosen.get("against", ""))
    body = _render_choice(sound, run, others, against) if run else _render_nothing(library, with_places)
    shown = _shown(run, against) if run else ""
    more = _render_making(library, stored, with_places) if run else ""
    return (
        f'<section class="evals"><h2>Evaluation runs</h2>{body}{_render_problems(stored)}{shown}'
        f"{_render_kept(library, stored, with_places)}{more}</section>"
    )


def command(library: Path, suite: str, *more: str, name: str = "byline", with_places: bool) -> str:
    """Return what to type for a run that this page shows; the library is named where it is not the usual one."""
    parts = ["byline", "eval", "run", suite, *more]
    if with_places and library != Settings().library:
        parts += ["--library", str(library)] if suite == KEPT_SUITE else []
        parts += ["--out", str(runs_folder(library) / name)]
    elif name != "byline":
        parts += ["--name", name]
    return shlex.join(parts)


def _of_id(runs: Sequence[StoredRun], wanted: str) -> StoredRun | None:
    return next((run for run in runs if run.id == wanted), None)


def _asked_the_same(one: StoredRun, other: StoredRun) -> bool:
    return all(one.manifest[name] == other.manifest[name] for name in ("suite", "questions"))


def _shown(run: StoredRun, against: StoredRun | None) -> str:
    try:
        return _drawn(_place(run), _place(against) if against else None)
    except QAError as error:
        sentence = str(error)
        for each in (run, against):
            sentence = sentence.replace(str(each.folder), each.id) if each else sentence
    except (LookupError, TypeError, ValueError) as error:  # figures that no run writes, such as by a hand in the file
        _LOG.error("The run %s cannot be shown.", run.id, exc_info=error)
        sentence = f"The figures of {run.id!r}{f' or {against.id!r}' if against else ''} are damaged. Make it anew."
    return f'<p class="notice" role="alert">{escape(sentence)}</p>'


def _place(run: StoredRun) -> _Place:
    return run.folder, run.name, run.stamp


@lru_cache(maxsize=_REMEMBERED)
def _drawn(run: _Place, against: _Place | None) -> str:
    report = _load(run)
    return render_run(set_against(report, _load(against)) if against else report)


@lru_cache(maxsize=2)  # the pair that is looked at; a long run takes tens of megabytes
def _load(place: _Place) -> RunReport:
    folder, name, _ = place
    report = load_report(folder)
    # Two runs of one system are told apart by what they were kept as.
    return replace(report, manifest=report.manifest | {"system": name})


def _render_choice(
    runs: Sequence[StoredRun], run: StoredRun, others: Sequence[StoredRun], against: StoredRun | None
) -> str:
    nothing = "no other run" if others else "no other run asked the same questions"
    fields = _select("run", "Run", [(each.id, _label(each)) for each in runs], run.id)
    choices = [("", nothing), *((each.id, _label(each)) for each in others)]
    fields += _select("against", "Set against", choices, against.id if against else "")
    return f'<div class="filters"><div class="fields">{fields}</div></div>'


def _select(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(words)}</option>'
        for value, words in choices
    )
    return f'<label><span>{label}</span><select name="{name}">{options}</select></label>'


def _label(run: StoredRun) -> str:
    facts = run.manifest
    when = str(facts["finished"])[:16].replace("T", " ")
    return clipped(
        f"{run.suite}: {run.name}, {when}, {facts['n']:,} question{'' if facts['n'] == 1 else 's'}", LABEL_CHARS
    )


def _render_nothing(library: Path, with_places: bool) -> str:
    return f"<p>{NOTHING}</p>{_render_command(command(library, 'bundled', with_places=with_places), with_places)}"


def _render_problems(stored: Sequence[StoredRun]) -> str:
    items = "".join(f"<li><b>{escape(run.id)}</b> {escape(run.problem)}</li>" for run in stored if run.problem)
    return f'<ul class="problems" aria-label="Runs that cannot be shown">{items}</ul>' if items else ""


def _render_kept(library: Path, stored: Sequence[StoredRun], with_places: bool) -> str:
    try:
        cases = read_cases(library)
        pending = sum(case.get("answerable") is None for case in cases)
    except (QAError, OSError, UnicodeDecodeError, AttributeError) as error:
        _LOG.error("The kept cases cannot be read.", exc_info=error)
        return (
            '<h3>Kept cases</h3><p class="notice">The cases kept in this library cannot be read: mend kept.jsonl.</p>'
        )
    if not cases:
        words = "None yet. <em>Right</em> and <em>Wrong</em> under an answer keep it as a case to test by."
        return f"<h3>Kept cases</h3><p>{words}</p>"
    count = f"{len(cases):,} answers of this library are kept." if len(cases) > 1 else "1 answer is kept."
    left = f" {pending:,} will not be asked, for nobody has said yet what would have been right." if pending else ""
    typed = command(library, KEPT_SUITE, name=_free_name(stored, KEPT_SUITE), with_places=with_places)
    return f"<h3>Kept cases</h3><p>{count}{left} {CLOSED}</p>{_render_command(typed, with_places)}"


def _free_name(stored: Sequence[StoredRun], suite: str, wanted: str = "byline") -> str:
    """Return a name under which no run of the suite lies; one that lies there may have asked other questions."""
    taken = {run.id for run in stored}
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, len(stored) + 3))]
    return next(name for name in names if f"{name}/{suite}" not in taken)


def _render_making(library: Path, stored: Sequence[StoredRun], with_places: bool) -> str:
    names = [_free_name(stored, "bundled", wanted) for wanted in ("byline", "k20")]
    usual = command(library, "bundled", name=names[0], with_places=with_places)
    other = command(library, "bundled", "--set", "k=20", name=names[1], with_places=with_places)
    return (
        "<h3>More runs</h3><p>The bundled questions again, and with another setting to set against them; "
        f"<code>byline eval --help</code> names the rest.</p>{_render_command(usual, with_places=True)}"
        f"{_render_command(other, with_places)}"
    )


def _render_command(typed: str, with_places: bool) -> str:
    place = "" if with_places else f'<p class="hint">{ELSEWHERE}</p>'
    return f"<pre><code>{escape(typed)}</code></pre>{place}"
