"""The path from question to answer, with a scripted retriever and reader."""

from dataclasses import replace
from datetime import date

import pytest

from corpus.errors import BrokenCitationError, SettingsError
from index.types import Filters
from qa.pipeline import Pipeline
from qa.types import Reading, Statement, Support
from tests.fakes import FakeReader, FakeRetriever, make_article, make_hits

HITS = make_hits(make_article("Kigali confirmed it.", "a1"), make_article("London denied it.", "a2"))


def make_pipeline(reader=None, hits=HITS, **facts) -> Pipeline:
    settings = {"fingerprint": "f00d", "k": 10, "max_question_chars": 40} | facts
    return Pipeline(FakeRetriever(hits), reader or FakeReader(), **settings)


class LyingReader(FakeReader):
    """Calls a sentence verbatim that its citation does not hold."""

    def read(self, question, hits) -> Reading:
        honest = super().read(question, hits)
        return Reading((Statement("Something else.", (1,), Support.VERBATIM),), honest.citations, 0.9)


def test_ask_cites_what_the_reader_read():
    answer = make_pipeline().ask("Who confirmed it?")
    citation = answer.citations[0]
    assert answer.text == "Kigali confirmed it."
    assert citation.span.slice(citation.article.text) == citation.quote == "Kigali confirmed it."
    assert (answer.reader, answer.settings, answer.confidence) == ("fake", "f00d", 0.9)


@pytest.mark.parametrize("told", [None, "The vector index is late: the words alone decided."])
def test_ask_tells_when_one_index_alone_found_the_passages(told):
    hits = [replace(hit, degraded=told) for hit in HITS]
    assert make_pipeline(hits=hits).ask("Who confirmed it?").degraded == told


def test_ask_puts_the_readers_score_into_each_hit():
    answer = make_pipeline().ask("Who confirmed it?")
    assert [hit.signals.reader for hit in answer.hits] == [1.0, 0.5]
    assert [(hit.rank, hit.score, hit.signals.bm25) for hit in answer.hits] == [(1, 1.0, 2.0), (2, 0.5, 1.0)]


class PickyReader(FakeReader):
    """Cites the first hit, and thinks the more of a hit the later it came."""

    def read(self, question, hits) -> Reading:
        return replace(super().read(question, hits), hit_scores=tuple(hit.rank / 10 for hit in hits))


def test_ask_ranks_what_was_read_by_the_reader_and_keeps_what_is_cited():
    hits = make_hits(*(make_article(f"Sentence {n}.", f"a{n}") for n in range(5)))
    answer = make_pipeline(PickyReader(), hits=hits).ask("Who?", k=3)
    assert [hit.article.id for hit in answer.hits] == ["a4", "a3", "a0"]
    assert [(hit.rank, hit.score) for hit in answer.hits] == [(1, 0.5), (2, 0.4), (3, 0.1)]


def test_ask_refuses_a_statement_that_is_not_its_quote():
    with pytest.raises(BrokenCitationError, match="verbatim"):
        make_pipeline(LyingReader()).ask("Who confirmed it?")


def test_ask_refuses_scores_that_do_not_belong_to_the_hits():
    class MiscountingReader(FakeReader):
        def read(self, question, hits) -> Reading:
            return super().read(question, hits[:1])

    with pytest.raises(ValueError, match="scored 1 of 2"):
        make_pipeline(MiscountingReader()).ask("Who confirmed it?")


def test_ask_keeps_the_readers_abstention_and_the_hits_as_receipts():
    answer = make_pipeline(FakeReader(silent=True)).ask("Who confirmed it?")
    assert answer.abstained and not answer.statements
    assert "silent" in answer.abstention.reason
    assert len(answer.hits) == 2


def test_ask_abstains_without_troubling_the_reader_when_nothing_is_found():
    reader = FakeReader()
    answer = make_pipeline(reader, hits=[]).ask("Who confirmed it?")
    assert answer.abstained and answer.confidence == 0.0 and reader.questions == []
    assert "No passage" in answer.abstention.reason


def test_ask_names_the_filters_that_left_nothing_to_search():
    filters = Filters(("CNN", "AP"), date(2025, 5, 1), date(2025, 5, 31), ("a7",))
    reason = make_pipeline(hits=[]).ask("Who?", filters=filters).abstention.reason
    for word in ("CNN or AP", "2025-05-01 or later", "2025-05-31 or earlier", "a7"):
        assert word in reason


@pytest.mark.parametrize(
    ("question", "message"),
    [("", "empty"), (" \n\t ", "empty"), ("\u200b", "empty"), ("x" * 41, "41 characters; at most 40")]
    + [("?!", "no word"), ("\U0001f600", "no word")],
    ids=["nothing", "blanks", "invisible", "too long", "marks", "emoji"],
)
@pytest.mark.parametrize("call", ["ask", "stream"])
def test_a_question_that_cannot_be_asked_is_refused_at_the_call(call, question, message):
    with pytest.raises(SettingsError, match=message):
        getattr(make_pipeline(), call)(question)


@pytest.mark.parametrize("call", ["ask", "stream"])
def test_fewer_than_one_hit_is_refused(call):
    with pytest.raises(SettingsError, match="at least 1"):
        getattr(make_pipeline(), call)("Who?", k=0)


def test_ask_mends_a_question_with_undecodable_bytes():
    answer = make_pipeline().ask("Who \udcff?")
    assert answer.question == "Who \ufffd?"


def test_k_and_filters_reach_the_retriever_with_the_settings_k_as_default():
    pipeline, filters = make_pipeline(k=7, n_read=5), Filters(outlets=("CNN",))
    pipeline.ask("Who?")
    list(pipeline.stream("Who?", k=1, filters=filters))
    assert pipeline.retriever.calls == [("Who?", 7, Filters()), ("Who?", 5, filters)]


def test_stream_yields_hits_then_statements_with_their_citations_then_the_answer():
    events = list(make_pipeline().stream("Who confirmed it?"))
    assert [event.kind for event in events] == ["hits", "statement", "answer"]
    assert events[0].hits == tuple(HITS)
    assert events[1].citations[0].quote == events[1].statement.text
    assert events[2].answer.statements == (events[1].statement,)


def test_stream_of_an_abstention_has_no_statement():
    events = list(make_pipeline(FakeReader(silent=True)).stream("Who?"))
    assert [event.kind for event in events] == ["hits", "answer"]


def test_stream_shows_no_statement_of_an_answer_that_breaks_its_citations():
    shown = []
    with pytest.raises(BrokenCitationError):
        for event in make_pipeline(LyingReader()).stream("Who?"):
            shown.append(event.kind)
    assert shown == ["hits"]


def test_timings_add_up():
    timings = make_pipeline().ask("Who?").timings_ms
    assert timings.total == pytest.approx(timings.retrieve + timings.read, abs=0.11)


def test_search_ranks_what_was_found_by_the_reader_and_answers_nothing():
    hits = make_hits(*(make_article(f"Sentence {n}.", f"a{n}") for n in range(5)))
    found = make_pipeline(PickyReader(), hits=hits).search("Who?", k=2)
    assert [(hit.article.id, hit.rank) for hit in found] == [("a4", 1), ("a3", 2)]
    assert make_pipeline(PickyReader(), hits=[]).search("Who?") == []
