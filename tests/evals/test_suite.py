from pathlib import Path

import pytest

from corpus.errors import ArticleFormatError
from corpus.types import Span
from evals.suite import Case, Evidence, judge, load_suite, stem_of
from qa.types import Abstention, Answer, Citation, Statement, Support
from tests.fakes import make_article

ARTICLE = make_article("Talks are at an early stage. He called it a “gimmick”. Rwanda seeks £50 million.")


def _case(answerable=True, **changes):
    evidence = (Evidence("stem-1", ('"gimmick"',), ()),) if answerable else ()
    facts = {"answers": ("gimmick",), "needs_all": False, "history": (), "evidence": evidence} | changes
    return Case(id="c", question="What did he call it?", type="quote", answerable=answerable, **facts)


def _answer(start, end, short=None):
    citation = Citation(1, ARTICLE, "p", Span(start, end), ARTICLE.text[start:end])
    statement = Statement(citation.quote, (1,), Support.VERBATIM)
    return Answer("What did he call it?", (statement,), (citation,), (), 0.9, "fake", "s", short_answer=short)


ABSTAINED = Answer("?", (), (), (), 0.1, "fake", "s", abstention=Abstention("The articles do not say."))
STEMS = {"a1": "stem-1"}


def test_judge_takes_the_right_sentence_whatever_its_quotes():
    verdict = judge(_case(), _answer(29, 54, "gimmick"), STEMS)
    assert verdict.right and verdict.short_answer_right


@pytest.mark.parametrize(
    ("case", "answer", "stems"),
    [
        (_case(), _answer(0, 28), STEMS),
        (_case(), _answer(29, 54), {"a1": "another"}),
        (_case(), ABSTAINED, STEMS),
        (_case(answerable=False), _answer(29, 54), STEMS),
        (_case(needs_all=True, evidence=(*_case().evidence, Evidence("stem-1", ("50",), ()))), _answer(29, 54), STEMS),
    ],
    ids=["wrong sentence", "wrong article", "declined", "should decline", "one of two"],
)
def test_judge_refuses(case, answer, stems):
    assert not judge(case, answer, stems).right


def test_judge_takes_an_abstention_where_nothing_answers():
    assert judge(_case(answerable=False), ABSTAINED, STEMS).right


def test_evidence_wants_one_of_any_of():
    evidence = Evidence("s", ("talks",), ("early", "late"))
    assert evidence.is_in("Talks are EARLY.") and not evidence.is_in("Talks go on.")


def test_load_suite_names_the_bad_line(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"id": "x"}\n')
    with pytest.raises(ArticleFormatError, match="Line 1"):
        load_suite(path)


def test_stem_of_reads_front_matter_or_the_file_name(tmp_path):
    path = tmp_path / "mine.md"
    path.write_text("---\nid: a\nstem: 004_x\n---\nText\nstem: not-this\n")
    assert stem_of(str(path)) == "004_x"
    assert stem_of(str(Path("folder") / "000_y.txt")) == "000_y"
