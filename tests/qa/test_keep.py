"""Answers kept as cases: what is expected of them, and that nothing kept before is lost."""

import json
from dataclasses import replace

import pytest

from corpus.errors import ArticleFormatError, SettingsError
from corpus.types import Span
from qa import keep
from qa.keep import KEPT, keep_case, read_cases, settle_case
from qa.types import Abstention, Answer, Citation, Statement, Support
from tests.fakes import make_article

ARTICLE = make_article("The storm broke two piers. The ferry stopped. The ferry stopped.")
QUOTE = "The storm broke two piers."
CITED = Citation(1, ARTICLE, "p", Span(0, 26), QUOTE, Span(16, 25))
ANSWER = Answer(
    "What broke?", (Statement(QUOTE, (1,), Support.VERBATIM),), (CITED,), (), 0.9, "fake", "s", short_answer="two piers"
)
DECLINED = Answer("Who?", (), (), (), 0.1, "fake", "s", abstention=Abstention("Nobody says."))
GOLD = {"doc": "a1", "version": ARTICLE.version, "start": 0, "end": 26, "text": QUOTE}


def test_a_right_answer_expects_its_citations_again(tmp_path):
    row = keep_case(tmp_path, ANSWER, "right", note="from use")
    assert (row["id"], row["question"], row["verdict"], row["answerable"]) == (
        "kept-0001",
        "What broke?",
        "right",
        True,
    )
    assert (row["answers"], row["gold_spans"], row["given"]) == (["two piers"], [GOLD], [GOLD])
    assert read_cases(tmp_path) == [row]


def test_a_right_abstention_expects_another(tmp_path):
    row = keep_case(tmp_path, DECLINED, "right")
    assert (row["answerable"], row["gold_spans"], row["answers"]) == (False, [], [])


def test_a_wrong_answer_waits_until_somebody_settles_it(tmp_path):
    keep_case(tmp_path, ANSWER, "wrong")
    [row] = read_cases(tmp_path)
    assert (row["answerable"], row["gold_spans"], row["given"]) == (None, [], [GOLD])
    settled = settle_case(tmp_path, "kept-0001", ARTICLE, ["storm broke"])
    assert (settled["answerable"], settled["gold_spans"][0]["start"]) == (True, 4)
    assert settle_case(tmp_path, "kept-0001")["answerable"] is False
    assert read_cases(tmp_path)[0]["verdict"] == "wrong"


@pytest.mark.parametrize("quote", ["The ferry stopped.", "nowhere", ""], ids=["twice", "never", "empty"])
def test_settling_wants_words_that_stand_there_once(tmp_path, quote):
    keep_case(tmp_path, ANSWER, "wrong")
    with pytest.raises(SettingsError, match="exactly once"):
        settle_case(tmp_path, "kept-0001", ARTICLE, [quote])
    with pytest.raises(SettingsError, match="no kept case"):
        settle_case(tmp_path, "kept-0002")


def test_keeping_a_question_again_replaces_it_and_leaves_the_others(tmp_path):
    keep_case(tmp_path, ANSWER, "wrong")
    keep_case(tmp_path, DECLINED, "right")
    keep_case(tmp_path, ANSWER, "right")
    assert [(row["id"], row["question"], row["verdict"]) for row in read_cases(tmp_path)] == [
        ("kept-0002", "Who?", "right"), ("kept-0003", "What broke?", "right"),
    ]  # fmt: skip


def test_the_file_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(keep, "MAX_CASES", 2)
    for n in range(2):
        keep_case(tmp_path, replace(ANSWER, question=f"What {n}?"), "right")
    with pytest.raises(SettingsError, match="holds 2 cases"):
        keep_case(tmp_path, ANSWER, "right")
    assert len(read_cases(tmp_path)) == 2


def test_a_broken_file_is_named_and_left_alone(tmp_path):
    (tmp_path / KEPT).write_text("{torn\n")
    with pytest.raises(ArticleFormatError, match="not JSON"):
        keep_case(tmp_path, ANSWER, "right")
    assert (tmp_path / KEPT).read_text() == "{torn\n"


def test_a_case_is_one_line_of_json_in_its_own_language(tmp_path):
    keep_case(tmp_path, replace(ANSWER, question="Was\nsagt Zoë?"), "right")
    [line] = (tmp_path / KEPT).read_text("utf-8").splitlines()
    assert json.loads(line)["question"] == "Was\nsagt Zoë?" and "Zoë" in line
