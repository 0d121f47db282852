"""Batches: one line in, one line out, in order, whatever a line holds."""

import json
import threading
from datetime import date

import pytest

from corpus.errors import BrokenCitationError, EmptyCorpusError, SettingsError
from index.types import Filters
from qa.batch import parse_question, run_batch


def as_line(**row) -> bytes:
    return json.dumps(row).encode() + b"\n"


def echo(row) -> dict[str, object]:
    return {"answer": row.question.upper()}


def test_run_batch_answers_in_order_and_gives_each_id_back_unchanged():
    lines = [as_line(id=7, question="a"), as_line(id="x", query="b"), b"\n", as_line(question="c")]
    results = list(run_batch(lines, echo))
    assert [result.row for result in results] == [
        {"id": 7, "answer": "A"},
        {"id": "x", "answer": "B"},
        {"id": None, "answer": "C"},
    ]
    assert not any(result.failed for result in results)


def test_run_batch_keeps_the_order_when_later_questions_are_ready_first():
    second_done = threading.Event()

    def answer(row):
        if row.question == "first":
            assert second_done.wait(timeout=10), "The second question waited for the first."
        else:
            second_done.set()
        return echo(row)

    lines = [as_line(id=1, question="first"), *(as_line(id=number, question="next") for number in range(2, 30))]
    assert [result.row["id"] for result in run_batch(lines, answer, workers=2)] == list(range(1, 30))


def test_run_batch_with_one_worker_reads_no_line_ahead():
    def lines():
        yield as_line(id=1, question="a")
        raise AssertionError("The second line was read before the first was answered.")

    assert next(run_batch(lines(), echo)).row == {"id": 1, "answer": "A"}


@pytest.mark.parametrize(
    ("line", "id", "words"),
    [
        (b"not json\n", None, "not JSON"),
        (b"\xff\xfe\n", None, "not JSON"),
        (b"[1]\n", None, "not a JSON object"),
        (as_line(id="q", text="?"), "q", "'question'"),
        (as_line(id="q", question=5), "q", "'question'"),
        (as_line(id="q", question="?", since="May"), "q", "'since'"),
        (as_line(id="q", question="?", since="2025-05-02", until="2025-05-01"), "q", "empty"),
        (as_line(id="q", question="?", outlet=5), "q", "'outlet'"),
        (as_line(id="q", question="?", filters={"outlett": "CNN"}), "q", "'filters'"),
        (as_line(id="q", question="?", history=[{"role": "system", "text": "?"}]), "q", "history"),
        (as_line(id="q", question="?", as_of="June"), "q", "'as_of'"),
        (as_line(id={}, question="?"), None, "id"),
    ],
    ids=[
        "no json",
        "no utf-8",
        "a list",
        "no question",
        "number",
        "day",
        "range",
        "outlet",
        "typo",
        "history",
        "as of",
        "id",
    ],
)
def test_run_batch_reports_a_bad_line_and_goes_on(line, id, words):
    first, second = run_batch([line, as_line(id="next", question="b")], echo)
    assert first.failed and first.row["id"] == id and words in first.row["error"]
    assert "Line 1" in first.row["error"]
    assert second.row == {"id": "next", "answer": "B"}


def test_run_batch_reports_a_question_that_fails_and_goes_on():
    def answer(row):
        if row.question == "bad":
            raise BrokenCitationError("It broke.")
        return echo(row)

    first, second = run_batch([as_line(id=1, question="bad"), as_line(id=2, question="b")], answer)
    assert first.row == {"id": 1, "error": "Line 1: It broke."} and first.failed
    assert second.row["answer"] == "B"


def test_run_batch_stops_when_the_library_is_empty():
    def answer(row):
        raise EmptyCorpusError("Nothing there.")

    with pytest.raises(EmptyCorpusError):
        list(run_batch([as_line(id=1, question="a")], answer))


@pytest.mark.parametrize("nest", [lambda facts: facts, lambda facts: {"filters": facts}], ids=["flat", "nested"])
def test_parse_question_reads_filters_beside_the_question_or_nested(nest):
    facts = {"since": "2025-05-01", "until": "2025-05-31", "outlet": "CNN", "article_ids": ["a", "b"]}
    row = parse_question(as_line(id=1, question="?", **nest(facts)))
    assert row.filters == Filters(("CNN",), date(2025, 5, 1), date(2025, 5, 31), ("a", "b"))


def test_parse_question_takes_several_outlets_and_ignores_other_fields():
    row = parse_question(as_line(id=1, question="?", outlet=["CNN", "AP"], answers=["x"], history=[], since=None))
    assert row.filters == Filters(("CNN", "AP"))


def test_parse_question_reads_history_and_day():
    row = parse_question(
        as_line(id=1, question="?", history=["Who?", {"role": "assistant", "text": "She."}], as_of="2025-05-01")
    )
    assert [(turn.role, turn.text) for turn in row.history] == [("user", "Who?"), ("assistant", "She.")]
    assert row.as_of == date(2025, 5, 1)


def test_parse_question_refuses_a_bad_line():
    with pytest.raises(SettingsError):
        parse_question(b"{}")
