"""Comparisons and the gate: noise is no progress, a loss is refused, a broken citation is refused at once."""

import json
from dataclasses import replace

import pytest

from corpus.errors import ArticleFormatError, SettingsError
from corpus.types import Span
from evals.compare import Verdict, compare_folders, compare_rows
from evals.gate import check, write_baseline
from evals.measure import Figures, measure_replies
from evals.measures.citations import ArticleTexts
from evals.rows import make_row, with_figures
from evals.run import run_target
from evals.sweep import Point, combinations, mark_pareto
from evals.target import load_target
from evals.types import CitedSpan, Example, GoldSpan, Reply, Stated
from tests.evals.conftest import TableSystem, right_replies
from tests.fakes import make_article

TEXT = "The storm broke two piers. The ferry was cancelled."
ARTICLE = make_article(TEXT, id="a")
RIGHT = Reply(statements=(Stated(TEXT[:26], (1,)),), citations=(CitedSpan(1, "a", 0, 26, TEXT[:26]),), confidence=0.8)
WRONG = replace(RIGHT, citations=(CitedSpan(1, "a", 27, 51, TEXT[27:51]),), statements=(Stated(TEXT[27:51], (1,)),))
BROKEN = replace(RIGHT, citations=(CitedSpan(1, "a", 1, 26, TEXT[:26]),))
DECLINED = Reply(abstained=True, confidence=0.1)


def _rows(*replies):
    """One question for each reply; those after the twentieth are to be declined."""
    gold = (GoldSpan("a", Span(0, 26)),)
    examples = [
        Example(f"q{n:02}", "?", n < 20, ("x",) if n < 20 else (), gold_spans=gold if n < 20 else ())
        for n in range(len(replies))
    ]
    by_id = {example.id: reply for example, reply in zip(examples, replies, strict=True) if reply is not None}
    figures = measure_replies(examples, by_id, ArticleTexts({"a": TEXT}))
    return with_figures([make_row(example, by_id.get(example.id), {"a": ARTICLE}) for example in examples], figures)


def _verdicts(first, second):
    return {each.measure: each.verdict for each in compare_rows(first, second)}


GOOD = _rows(*[RIGHT] * 20, *[DECLINED] * 10)


def test_equal_runs_show_no_difference():
    assert set(_verdicts(GOOD, GOOD).values()) == {Verdict.SAME}


def test_one_question_is_no_progress_and_ten_are():
    one_less, ten_less = (_rows(*[WRONG] * n, *[RIGHT] * (20 - n), *[DECLINED] * 10) for n in (1, 10))
    assert _verdicts(GOOD, one_less)["Citation F1"] is Verdict.SAME
    assert _verdicts(GOOD, ten_less)["Citation F1"] is Verdict.BETTER
    assert _verdicts(ten_less, GOOD)["Citation F1"] is Verdict.WORSE


def test_where_less_is_better_less_is_better():
    slow = _rows(*[replace(RIGHT, latency_ms=100.0)] * 20, *[replace(DECLINED, latency_ms=100.0)] * 10)
    assert _verdicts(GOOD, slow)["Latency p50 (ms)"] is Verdict.BETTER


def test_runs_of_different_questions_are_not_compared():
    with pytest.raises(SettingsError, match="different questions"):
        compare_rows(GOOD, GOOD[1:])


def test_compare_folders_pairs_suites(folder, tmp_path):
    target = load_target(str(folder))
    for name, replies in (("one", right_replies()), ("two", right_replies() | {"q1": DECLINED})):
        run_target(target, TableSystem(replies), tmp_path / name / "small")
    [compared] = compare_folders(tmp_path / "one", tmp_path / "two")
    assert compared.suite == "small"
    right = next(each for each in compared.differences if each.measure == "Right")
    assert (right.first, right.second, right.verdict) == (1.0, 0.75, Verdict.SAME)
    assert right.to_dict()["difference"] == 0.25


@pytest.fixture
def baseline(tmp_path):
    write_baseline(GOOD, tmp_path / "baseline.json")
    return tmp_path / "baseline.json"


def test_the_gate_passes_what_is_as_good(baseline):
    assert check(GOOD, baseline).losses == ()
    assert check(_rows(*[WRONG], *[RIGHT] * 19, *[DECLINED] * 10), baseline).losses == ()


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        (_rows(*[WRONG] * 10, *[RIGHT] * 10, *[DECLINED] * 10), "Right fell"),
        (_rows(*[BROKEN], *[RIGHT] * 19, *[DECLINED] * 10), "Span exactness fell"),
        (_rows(*[replace(RIGHT, statements=(Stated("x", (1,)),))], *[RIGHT] * 19, *[DECLINED] * 10), "Verbatim rate"),
        (_rows(*[None], *[RIGHT] * 19, *[DECLINED] * 10), "Replied fell"),
        (_rows(*[RIGHT] * 20, *[RIGHT] * 10), "Abstention F1 fell"),
        (GOOD[1:], "q00 is in the baseline but was not asked"),
    ],
    ids=["wrong evidence", "broken citation", "faked words", "dropped", "never declines", "question gone"],
)
def test_the_gate_refuses(baseline, rows, refused):
    assert any(refused in loss for loss in check(rows, baseline).losses)


def test_the_gate_takes_a_gain_and_a_new_question(baseline, tmp_path):
    write_baseline(_rows(*[WRONG] * 10, *[RIGHT] * 10, *[DECLINED] * 9), tmp_path / "low.json")
    assert check(GOOD, tmp_path / "low.json").losses == ()


def test_a_baseline_rounds_and_no_third_seems_to_fall(tmp_path):
    thirds = [replace(row, values={**row.values, "Right": 2 / 3}) for row in GOOD]
    write_baseline(thirds, tmp_path / "thirds.json")
    result = check(thirds, tmp_path / "thirds.json")
    assert result.losses == () and {each.comparison.difference for each in result.differences} == {0.0}


def test_a_baseline_holds_numbers_alone_and_must_be_one(baseline, tmp_path):
    assert "storm" not in baseline.read_text()
    (tmp_path / "other.json").write_text(json.dumps({"version": 0}))
    for path in (tmp_path / "other.json", tmp_path / "nowhere.json"):
        with pytest.raises(ArticleFormatError, match="no baseline"):
            check(GOOD, path)


def test_figures_that_only_one_run_has_are_left_out():
    from evals.compare import compare_figures

    one, two = Figures({"x": {"q": 1.0}, "y": {"q": 1.0}}), Figures({"x": {"q": 1.0}, "y": {"r": 1.0}})
    assert [each.measure for each in compare_figures(one, two)] == ["x"]


def test_combinations_of_knobs():
    assert combinations(["k=5,10", "chunk_tokens=100"]) == [("k=5", "chunk_tokens=100"), ("k=10", "chunk_tokens=100")]
    for wrong in ("k", "k=", "k=5,,10"):
        with pytest.raises(SettingsError):
            combinations([wrong])


def test_mark_pareto_marks_what_nothing_beats():
    points = [
        Point((name,), quality, 0, 1, ms)
        for name, quality, ms in [("a", 0.5, 10), ("b", 0.6, 20), ("c", 0.6, 30), ("d", 0.4, 10), ("e", 0.9, 90)]
    ]
    assert {point.knobs[0]: point.pareto for point in mark_pareto(points)} == {
        "a": True, "b": True, "c": False, "d": False, "e": True,
    }  # fmt: skip
    assert [point.latency_ms for point in mark_pareto(points)] == [10, 10, 20, 30, 90]
    assert all(point.pareto for point in mark_pareto([points[0], points[0]]))
