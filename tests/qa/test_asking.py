"""Asking in a chat and in time, over a library with dates."""

from datetime import date

import pytest

from corpus.errors import SettingsError
from index.types import Filters
from qa.byline import Byline
from qa.settings import Settings
from tests.fakes import FakeEmbedder, FakeReader, make_article

MARCH = make_article("Talks on the port began in Kigali.", "march", published=date(2025, 3, 10), id_given=True)
JUNE = make_article("Talks on the port ended in Kigali.", "june", published=date(2025, 6, 20), id_given=True)
UNDATED = make_article("Talks on the port were held in Kigali.", "undated", id_given=True)


@pytest.fixture
def byline(tmp_path):
    with Byline(tmp_path, Settings(library=tmp_path), embedder=FakeEmbedder(), reader=FakeReader()) as opened:
        opened.add_articles([MARCH, JUNE, UNDATED])
        yield opened


def cited(answer):
    return {citation.article.id for citation in answer.citations}


def test_ask_reads_the_standalone_question_and_says_so(byline):
    answer = byline.ask("Where were they held?", history=["Who led the talks on the port?"])
    assert answer.question == "Where were they held?"
    assert answer.standalone_question == "Where were the talks on the port held?"
    assert byline._answerer().reader.questions[-1] == answer.standalone_question
    assert byline.ask("Where is the port?", history=["Who?"]).standalone_question is None


def test_ask_takes_earlier_answers_as_history(byline):
    first = byline.ask("Who led the talks on the port?")
    assert "the talks on the port" in byline.ask("When did they end?", history=[first]).standalone_question


def test_ask_asks_back_and_shows_the_nearest_passages(byline):
    answer = byline.ask("How old is he?")
    assert answer.abstained and "“he”" in answer.abstention.reason and answer.hits
    assert not answer.statements and answer.standalone_question is None


def test_ask_as_of_reads_what_was_published_by_then_and_tells_of_undated_articles(byline):
    answer = byline.ask("What of the port talks?", as_of=date(2025, 4, 1))
    assert cited(answer) == {"march"}
    assert answer.standalone_question == (
        "What of the port talks (as of 1 April 2025; 1 article without a date was left out)?"
    )


def test_ask_reads_the_newest_first_when_the_latest_is_asked_for(byline):
    answer = byline.ask("What is the latest on the port talks in Kigali?")
    assert cited(answer) == {"june"} and "20 June 2025" in answer.standalone_question


def test_ask_reads_within_the_days_of_the_question(byline):
    answer = byline.ask("What was said of the port last week?", as_of=date(2025, 6, 25))
    assert cited(answer) == {"june"}
    assert byline._answerer().reader.questions[-1] == "What was said of the port?"
    assert "from 16 June 2025 to 22 June 2025, counted from 25 June 2025" in answer.standalone_question


def test_ask_says_when_no_article_is_of_the_days_asked_for(byline):
    answer = byline.ask("What was reported of the port in January 2024?")
    assert cited(answer) and "no article is dated from 1 January 2024" in answer.standalone_question


def test_ask_refuses_days_that_leave_nothing(byline):
    with pytest.raises(SettingsError, match="2025-06-01"):
        byline.ask("What?", filters=Filters(since=date(2025, 6, 1)), as_of=date(2025, 5, 1))


def test_stream_gives_hits_first_and_one_answer(byline):
    for question in ("What of the port?", "What is the latest on the port?", "How old is he?"):
        kinds = [event.kind for event in byline.stream(question)]
        assert kinds[0] == "hits" and kinds[-1] == "answer" and kinds.count("answer") == 1
