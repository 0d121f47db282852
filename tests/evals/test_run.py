"""A run: resumable, the same again, faults listed and counted 0, the right figure lower for each kind of fault."""

import json
import threading
import time
from dataclasses import replace

import pytest

from corpus.errors import ArticleFormatError, ReadingError, SettingsError
from evals.rows import read_rows_of_run
from evals.run import ALONE, find_runs, load_run, run_target
from evals.target import load_target
from evals.types import Example, Stated
from tests.evals.conftest import TableSystem, right_replies


@pytest.fixture
def target(folder):
    return load_target(str(folder))


def _scores(summary):
    return {score["name"]: score["value"] for score in summary["scores"]}


def _run(target, out, replies=None, **facts):
    return run_target(target, TableSystem(replies or right_replies(), **facts), out)


def test_right_replies_score_1_everywhere(target, tmp_path):
    summary = _run(target, tmp_path / "out")
    scores = _scores(summary)
    ones = {name: value for name, value in scores.items() if "Text F1" not in name and value != 1.0}
    assert set(ones) == {
        "AURC",
        "ECE",
        "Latency p50 (ms)",
        "Latency p95 (ms)",
        "Processor s",
        "Tokens",
        "Cost ($ / 1,000)",
    }
    assert (summary["n"], summary["missing"], summary["failed"]) == (4, [], {})
    assert set(summary["groups"]) == {"why", "who", "what", "null"}


def test_a_run_keeps_manifest_rows_and_summary(target, tmp_path):
    summary = _run(target, tmp_path / "out")
    manifest, rows = load_run(tmp_path / "out")
    assert (manifest["suite"], manifest["system"], manifest["fingerprint"], manifest["n"]) == (
        "small",
        "table",
        "table:1",
        4,
    )
    assert manifest["corpus"] and manifest["questions"] and manifest["versions"]["python"]
    assert [row.id for row in rows] == ["q1", "q2", "q3", "q4"]
    assert (rows[0].gold[0].text, rows[0].gold[0].before.split()[-1]) == ("The storm broke two piers.", "Monday.")
    assert rows[0].cited[0] == rows[0].gold[0]
    assert rows[0].reply == replace(right_replies()["q1"], hits=())
    assert [row.reply for row in read_rows_of_run(tmp_path / "out" / "rows.jsonl")] == list(right_replies().values())
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary


CITED = ["Span exactness", "Citation precision", "Citation recall", "Citation F1", "Right", "Verbatim rate"]


def _cite(reply, **facts):
    return replace(reply, citations=(replace(reply.citations[0], **facts),))


def _shift(reply):
    return _cite(reply, start=reply.citations[0].start - 5, end=reply.citations[0].end - 5)


def _fake(reply):
    return replace(reply, short_answer="ten sharks", statements=(Stated("Ten sharks did it.", (1,)),))


def _dangle(reply):
    return replace(reply, statements=(replace(reply.statements[0], citations=(1, 9)),))


def _decline(reply):
    return replace(reply, statements=(), citations=(), abstained=True)


FAULTS = {
    "broken citation": (lambda reply: _cite(reply, quote="The storm broke."), CITED),
    "shifted citation": (_shift, CITED),
    "dangling citation": (_dangle, ["Span exactness", "Citation precision", "Citation F1"]),
    "faked answer": (_fake, ["Exact match", "Token F1", "Answer contained", "Verbatim rate"]),
    "nothing found": (lambda reply: replace(reply, hits=()), ["nDCG@10", "Span RR@10", "Evidence recall@500 tokens"]),
    "declined": (_decline, ["Right", "Abstention precision", "Abstention F1", "Citation recall"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_lowers_the_right_figures_and_only_these(target, tmp_path, fault):
    spoil, lower = FAULTS[fault]
    before = _scores(_run(target, tmp_path / "right"))
    replies = right_replies()
    after = _scores(_run(target, tmp_path / "spoilt", replies | {"q1": spoil(replies["q1"])}))
    fallen = {name for name, value in after.items() if value < before[name]}
    assert set(lower) <= fallen
    untouched = {"nDCG@10", "Replied", "Abstention recall"} - set(lower)
    assert not untouched & fallen


def test_a_dropped_question_counts_0_and_is_listed(target, tmp_path):
    full = _scores(_run(target, tmp_path / "full"))
    summary = _run(target, tmp_path / "failed", broken={"q2": ReadingError("It broke.")})
    assert summary["failed"] == {"q2": "It broke."}
    scores = _scores(summary)
    for name in ("Replied", "Right", "nDCG@10", "Citation recall", "Exact match", "Evidence recall@10"):
        assert scores[name] < full[name], name
    assert (scores["nDCG@10"], scores["Replied"]) == (pytest.approx(2 / 3, abs=1e-4), 0.75)


def test_a_row_that_is_lost_is_missing_and_counts_0(target):
    from evals.measure import measure_replies
    from evals.measures.citations import ArticleTexts
    from evals.rows import make_row, with_figures
    from evals.run import summarise_rows

    articles = {article.id: article for article in target.articles}
    replies = {name: reply for name, reply in right_replies().items() if name != "q3"}
    figures = measure_replies(
        target.of.examples, replies, ArticleTexts({name: article.text for name, article in articles.items()})
    )
    rows = with_figures([make_row(e, replies.get(e.id), articles) for e in target.of.examples], figures)
    summary = summarise_rows(rows, suite="small", system="table")
    assert summary["missing"] == ["q3"]
    assert _scores(summary)["Right"] == 0.75


def test_a_rerun_gives_identical_figures_and_asks_nothing(target, tmp_path):
    system = TableSystem(right_replies())
    first = run_target(target, system, tmp_path / "out")
    rows = (tmp_path / "out" / "rows.jsonl").read_text()
    assert run_target(target, system, tmp_path / "out") == first
    assert len(system.asked) == 4
    assert (tmp_path / "out" / "rows.jsonl").read_text() == rows
    assert run_target(target, TableSystem(right_replies()), tmp_path / "again") == first


def test_a_run_goes_on_where_it_was_broken_off(target, tmp_path):
    whole = _run(target, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _run(target, tmp_path / "out", broken={"q3": KeyboardInterrupt()})
    with pytest.raises(ArticleFormatError, match="broken off"):
        load_run(tmp_path / "out")
    with (tmp_path / "out" / "rows.jsonl").open("a") as file:
        file.write('{"id": "q3", "quest')  # as a crash leaves it
    system, steps = TableSystem(right_replies()), []
    assert run_target(target, system, tmp_path / "out", on_question=lambda: steps.append(1)) == whole
    assert (system.asked, len(steps)) == (["q3", "q4"], 4)


def test_a_failed_question_is_asked_again(target, tmp_path):
    _run(target, tmp_path / "out", broken={"q2": ReadingError("It broke.")})
    system = TableSystem(right_replies())
    assert run_target(target, system, tmp_path / "out")["failed"] == {}
    assert system.asked == ["q2"]


def test_another_run_is_not_written_over(target, tmp_path):
    _run(target, tmp_path / "out")
    with pytest.raises(SettingsError, match="fingerprint differ"):
        _run(target, tmp_path / "out", fingerprint="table:2")
    with pytest.raises(SettingsError, match="questions, limit differ"):
        run_target(target, TableSystem(right_replies()), tmp_path / "out", limit=2)


def test_a_torn_line_in_the_middle_is_refused(target, tmp_path):
    _run(target, tmp_path / "out")
    rows = tmp_path / "out" / "rows.jsonl"
    rows.write_text("{torn\n" + rows.read_text())
    with pytest.raises(ArticleFormatError, match="Line 1"):
        load_run(tmp_path / "out")


def test_workers_share_the_questions_after_the_first_and_change_no_figure(tmp_path, target):
    many = tuple(Example(f"m{n}", "?", False) for n in range(ALONE + 20))
    reply = right_replies()["q4"]
    busy, at_once, lock = [0], [], threading.Lock()

    class Slow(TableSystem):
        def reply(self, example):
            with lock:
                busy[0] += 1
                at_once.append(busy[0])
            time.sleep(0.002)
            with lock:
                busy[0] -= 1
            return super().reply(example)

    of = replace(target, of=replace(target.of, examples=many))
    replies = {example.id: reply for example in many}
    one = run_target(of, Slow(replies), tmp_path / "one")
    assert max(at_once) == 1
    two = run_target(of, Slow(replies), tmp_path / "two", workers=2)
    assert max(at_once[-20:]) == 2 and max(at_once[:-20]) == 1
    _, rows = load_run(tmp_path / "two")
    assert [row.reply.alone for row in rows] == [True] * ALONE + [False] * 20
    timed = {"Latency p50 (ms)", "Latency p95 (ms)", "Processor s"}
    figures = [[s for s in summary["scores"] if s["name"] not in timed] for summary in (one, two)]
    assert figures[0] == figures[1]


def test_find_runs_wants_a_run(tmp_path, target):
    _run(target, tmp_path / "runs" / "small")
    assert find_runs(tmp_path / "runs") == find_runs(tmp_path / "runs" / "small")
    with pytest.raises(ArticleFormatError, match="no run"):
        find_runs(tmp_path)
