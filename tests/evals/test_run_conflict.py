import json

import pytest

from corpus.errors import SettingsError
from evals.measures.text import measure_completeness
from evals.run_conflict import conflict_table, one_answer, run_conflict
from evals.systems import make_bench
from evals.types import Example, Reply, Stated

EXAMPLE = Example(
    "q1", "When?", True, answers=("1856",), wanted=(("1856",),), wrong_answers=("1900",), within=("a", "b")
)
BOTH = Reply(
    statements=(Stated("It was founded in 1900.", (1,)), Stated("It was founded in 1856.", (2,))),
    disagreements=(("1900", "1856"),),
)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (BOTH, 1.0),
        (one_answer(BOTH), 0.0),
        (Reply(statements=(Stated("It was founded in 1856.", (1,)),)), 1.0),
        (Reply(statements=BOTH.statements), 0.0),
        (Reply(abstained=True), 0.0),
    ],
    ids=["both as positions", "the wrong one as fact", "the right one alone", "both as fact", "declined"],
)
def test_all_sides_shown_lets_no_wrong_answer_stand_as_fact(reply, expected):
    assert measure_completeness({"q1": reply}, [EXAMPLE])["All sides shown"] == {"q1": expected}


def _write(folder, name, rows):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_run_conflict_asks_over_the_altered_documents_too(tmp_path):
    folder = tmp_path / "conflict_small"
    folder.mkdir()
    texts = {
        "a": "The cathedral of Saint Ann was founded in 1856.",
        "b": "The cathedral of Saint Ann was founded in 1900.",
    }
    _write(
        folder, "corpus", [{"id": k, "title": "", "text": v, "meta": {"kind": "positive"}} for k, v in texts.items()]
    )
    row = {"id": "q1", "question": "When was the cathedral of Saint Ann founded?", "answers": ["1856"]}
    row |= {"wrong_answers": ["1900"], "gold_docs": ["a"], "docs_counterfactual": ["b"], "answerable": True}
    _write(folder, "queries", [row])
    reports = run_conflict(folder, make_bench(tmp_path / "work"))
    shown = next(report for report in reports if report.measure == "All sides shown")
    assert (shown.ours.value, shown.ours.n) == (1.0, 1)
    assert conflict_table([reports]).row_count == len(reports)


def test_run_conflict_refuses_a_set_without_documents_that_disagree(tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    _write(folder, "corpus", [{"id": "a", "title": "", "text": "Rain fell."}])
    _write(
        folder,
        "queries",
        [{"id": "q", "question": "What fell?", "answers": ["Rain"], "gold_docs": ["a"], "answerable": True}],
    )
    with pytest.raises(SettingsError, match="conflict set"):
        run_conflict(folder, make_bench(tmp_path / "work"))
