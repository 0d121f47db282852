"""The Evals tab: which runs lie in a library's folder, what is shown of them, and that no request names a path."""

import json
import shutil
from dataclasses import replace

import pytest

from corpus.errors import ArticleFormatError, SettingsError
from evals.report import load_report, set_against
from evals.run import run_target
from evals.stored import find_folder, find_stored, run_folder, runs_folder, work_folder
from evals.tab import HIDDEN, NOTHING, command, make_tab, render_tab
from evals.tab_run import failed_rows
from evals.target import load_target
from qa.keep import keep_case, read_cases
from qa.types import Abstention, Answer
from tests.evals.conftest import TableSystem, right_replies

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def library(tmp_path, monkeypatch):
    library = tmp_path / "library"
    monkeypatch.setenv("BYLINE_LIBRARY", str(library))
    return library


@pytest.fixture
def runs(folder, library):
    """Two runs of the small set: one without a fault, one that declines what it should answer."""
    target = load_target(str(folder))
    run_target(target, TableSystem(right_replies()), run_folder("good", library) / "small")
    worse = right_replies()
    worse["q1"] = replace(worse["q4"], confidence=0.2)
    run_target(target, TableSystem(worse, fingerprint="table:2"), run_folder("worse", library) / "small")
    return runs_folder(library)


def test_find_stored_lists_the_newest_first_and_names_what_cannot_be_shown(runs):
    (runs / "torn" / "small").mkdir(parents=True)
    (runs / "torn" / "small" / "manifest.json").write_text('{"suite": ')
    shutil.copytree(runs / "good" / "small", runs / "half" / "small")
    manifest = json.loads((runs / "good" / "small" / "manifest.json").read_text())
    (runs / "half" / "small" / "manifest.json").write_text(json.dumps(manifest | {"finished": None}))
    shutil.copytree(runs / "good" / "small", runs / "work" / "small")  # libraries lie there, and no runs
    stored = find_stored(runs)
    assert [run.id for run in stored][:2] == ["worse/small", "good/small"]
    problems = {run.id: run.problem for run in stored if run.problem}
    assert set(problems) == {"torn/small", "half/small"}
    assert "damaged" in problems["torn/small"] and "broken off" in problems["half/small"]


def test_manifest_that_lacks_a_fact_is_named(runs):
    path = runs / "good" / "small" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "n": "many"}))
    (problem,) = [run.problem for run in find_stored(runs) if run.problem]
    assert problem.startswith("Its manifest.json is damaged (n: ")


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "work", "x" * 200, "a b"])
def test_run_folder_refuses_what_cannot_name_a_run(library, name):
    with pytest.raises(SettingsError, match="name"):
        run_folder(name)
    assert not library.exists()


def test_find_folder_takes_a_path_or_the_name_of_a_run(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_folder(runs / "good") == runs / "good" and find_folder(runs.__class__("worse")) == runs / "worse"
    assert work_folder() == runs / "work"


def test_the_tab_shows_the_newest_run_and_what_failed_in_it(runs, library):
    html = render_tab(library, {}, with_places=True)
    assert "<h3>small: worse</h3>" in html and "1 of 4, the worst first" in html
    assert 'data-question="Why was the ferry to the island cancelled?"' in html
    assert "<svg" in html and 'value="worse/small" selected' in html
    good = render_tab(library, {"run": "good/small"}, with_places=True)
    assert "<h3>Questions that failed</h3><p>None.</p>" in good and "ask-in-chat" not in good


def test_the_tab_sets_two_runs_against_each_other_with_the_p_of_the_paired_test(runs, library):
    html = render_tab(library, {"run": "good/small", "against": "worse/small"}, with_places=True)
    report = set_against(load_report(runs / "good" / "small"), load_report(runs / "worse" / "small"))
    (right,) = [each for each in report.differences if each.measure == "Right"]
    assert "<h3>small: good against worse</h3>" in html and '<th scope="col">p</th>' in html
    assert f'+0.250, no difference seen</span> <span class="range">{right.comparison.low:+.3f} to' in html
    assert f"<td>{right.comparison.p_value:.3f}</td>" in html


@pytest.mark.parametrize("wanted", ["../../etc", "/etc", "nosuch", "good", "good/small/../small", EVIL])
def test_nothing_that_is_asked_for_becomes_a_path(runs, library, wanted):
    usual = render_tab(library, {}, with_places=True)
    assert render_tab(library, {"run": wanted, "against": wanted}, with_places=True) == usual


def test_runs_of_other_questions_are_not_offered_to_compare(runs, library, folder):
    target = load_target(str(folder))
    run_target(target, TableSystem(right_replies()), run_folder("sample", library) / "small", limit=2)
    html = render_tab(library, {"run": "sample/small"}, with_places=True)
    assert "no other run asked the same questions" in html


@pytest.mark.parametrize(
    "damage",
    [b'{"id": "q1"}\n{}\n', b"\xff\xfe\n\n", b'{"id": 1, "values": {"Right": "x"}}\n\n'],
    ids=["rows that lack all", "no text", "figures that are none"],
)
def test_rows_that_are_damaged_are_named_without_their_place(runs, library, damage):
    (runs / "good" / "small" / "rows.jsonl").write_bytes(damage)
    html = render_tab(library, {"run": "good/small"}, with_places=False)
    assert 'role="alert"' in html and "good/small" in html and str(library) not in html
    with pytest.raises(ArticleFormatError):
        load_report(runs / "good" / "small")


def test_figures_of_the_wrong_shape_are_named(runs, library):
    path = runs / "good" / "small" / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["pooled"]["risk"] = [0.5]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    html = render_tab(library, {"run": "good/small"}, with_places=True)
    assert "The figures of &#x27;good/small&#x27; are damaged. Make it anew." in html


def test_a_run_that_changed_is_drawn_anew(runs, library, folder):
    before = render_tab(library, {"run": "worse/small"}, with_places=True)
    shutil.rmtree(runs / "worse")
    run_target(load_target(str(folder)), TableSystem(right_replies()), runs / "worse" / "small")
    assert "1 of 4" in before and "1 of 4" not in render_tab(library, {"run": "worse/small"}, with_places=True)


def test_a_library_without_runs_says_how_to_make_one(library, tmp_path):
    html = render_tab(library, {}, with_places=True)
    assert NOTHING in html and "<code>byline eval run bundled</code>" in html
    elsewhere = tmp_path / "other place"
    line = f"byline eval run bundled --out '{elsewhere}/eval-runs/byline'"
    assert command(elsewhere, "bundled", with_places=True) == line
    assert str(elsewhere) not in render_tab(elsewhere, {}, with_places=False)


def test_kept_cases_are_counted_with_the_command_that_asks_them(library):
    library.mkdir()
    answer = Answer("Where?", (), (), (), 0.1, "fake", "0" * 12, abstention=Abstention("They do not say."))
    assert "None yet." in render_tab(library, {}, with_places=True)
    keep_case(library, answer, "right")
    assert "1 answer is kept." in render_tab(library, {}, with_places=True)
    keep_case(library, replace(answer, question="Who?"), "wrong")
    html = render_tab(library, {}, with_places=True)
    assert "2 answers of this library are kept. 1 will not be asked" in html
    assert "<code>byline eval run kept</code>" in html and len(read_cases(library)) == 2
    (library / "kept.jsonl").write_text("{")
    assert "cannot be read: mend kept.jsonl" in render_tab(library, {}, with_places=True)


def test_others_who_did_not_sign_in_are_shown_nothing(runs, library):
    html = make_tab(library, shown=False, with_places=False).render({"run": "good/small"})
    assert HIDDEN in html and "ferry" not in html and "good" not in html


def test_what_stands_in_a_run_is_escaped(runs, library):
    path = runs / "worse" / "small" / "rows.jsonl"
    path.write_text(path.read_text().replace("Why was the ferry to the island cancelled?", EVIL))
    html = render_tab(library, {"run": "worse/small"}, with_places=True)
    assert "<img" not in html and "&lt;img src=x" in html


def test_failed_rows_of_a_run_that_only_finds_are_those_not_on_top(runs):
    rows = load_report(runs / "worse" / "small").rows
    assert [row.id for row in failed_rows(rows)] == ["q1"]
    found = [replace(row, values={"nDCG@10": value}) for row, value in zip(rows, (1.0, 0.5, 0.9, 1.0), strict=True)]
    assert [row.id for row in failed_rows(found)] == ["q2", "q3"]
