from dataclasses import replace

from corpus.types import Span
from qa.joined import join_readings
from qa.types import Citation, Disagreement, Position, Reading, Statement, Support
from tests.fakes import make_article

ARTICLE = make_article("It began in May. Ann Lee began it. It ended in June.", "a1")


def _reading(*spans, confidence=0.9, scores=(0.5,), short=None, disagreements=()):
    citations = tuple(
        Citation(n, ARTICLE, "a1:0", span, span.slice(ARTICLE.text)) for n, span in enumerate(spans, start=1)
    )
    statements = tuple(Statement(c.quote, (c.n,), Support.VERBATIM) for c in citations)
    return Reading(statements, citations, confidence, scores, short, disagreements=disagreements)


FIRST, SECOND, THIRD = Span(0, 16), Span(17, 34), Span(35, 52)


def test_join_readings_keeps_the_citations_of_each_part():
    one = _reading(FIRST, short="May", scores=(0.5, 0.1))
    two = _reading(SECOND, confidence=0.4, short="Ann Lee", scores=(0.2, 0.3))
    joined = join_readings("When did it begin and who began it?", [one, two])
    assert [citation.n for citation in joined.citations] == [1, 2]
    assert [statement.citations for statement in joined.statements] == [(1,), (2,)]
    assert (joined.short_answer, joined.confidence, joined.hit_scores) == ("May; Ann Lee", 0.4, (0.5, 0.3))


def test_join_readings_states_a_shared_sentence_once():
    joined = join_readings("When and who?", [_reading(FIRST, SECOND), _reading(SECOND)])
    assert [statement.text for statement in joined.statements] == ["It began in May.", "Ann Lee began it."]


def test_join_readings_renumbers_what_is_disagreed_about():
    apart = Disagreement("when?", (Position("May", (1,)), Position("June", (2,))))
    joined = join_readings(
        "Who and when?", [_reading(SECOND, short="Ann Lee"), _reading(FIRST, THIRD, disagreements=(apart,))]
    )
    (found,) = joined.disagreements
    assert [side.citations for side in found.positions] == [(2,), (3,)]
    assert joined.short_answer == "Ann Lee"


def test_join_readings_gives_no_short_answer_when_a_part_has_none():
    joined = join_readings(
        "Who and when?", [_reading(FIRST, short="May"), replace(_reading(SECOND), short_answer=None)]
    )
    assert joined.short_answer is None
