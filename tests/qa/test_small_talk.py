import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import evals
from corpus.errors import SettingsError
from qa.byline import Byline
from qa.conversation import resolve
from qa.evidence_pack import write_pack
from qa.render import DECLINED, render_answer, render_terminal
from qa.render_copy import render_copy
from qa.settings import Settings
from qa.small_talk import is_small_talk, reply_to_small_talk
from qa.views.chat import Turn
from qa.views.turn_actions import render_actions
from tests.fakes import FakeEmbedder, FakeReader, make_article

SUITES = sorted((Path(evals.__file__).parent / "suites").rglob("*.jsonl"))
REPLY = "Byline answers only from the one article in this library: ask about something reported there."


@pytest.fixture
def byline(tmp_path):
    with Byline(tmp_path, Settings(library=tmp_path), embedder=FakeEmbedder(), reader=FakeReader()) as opened:
        opened.add_articles([make_article("Talks on the port began in Kigali.", "port", id_given=True)])
        yield opened


@pytest.mark.parametrize(
    "utterance", ["thanks", "Hello!", " OK. ", "Who are you?", "What’s your name?", "ok, thanks :)"]
)
def test_what_asks_nothing_is_told_apart(utterance):
    assert is_small_talk(utterance)


@pytest.mark.parametrize(
    "question",
    [
        "Who said hello?",
        "Thanks to whom?",
        "Who are you and the others?",
        "hello kitty",
        "",
        "?",
        "Who",
        "no 10",
        "help aid",
    ],
)
def test_nothing_more_than_the_utterance_is_taken_for_it(question):
    assert not is_small_talk(question)


def test_no_question_of_a_bundled_suite_is_taken_for_it():
    rows = [json.loads(line) for path in SUITES for line in path.read_text("utf-8").splitlines() if line.strip()]
    questions = [row["question"] for row in rows if isinstance(row.get("question"), str)]
    assert len(questions) > 100
    assert [question for question in questions if is_small_talk(question)] == []


def test_the_reply_counts_the_articles():
    assert "the one article in" in reply_to_small_talk(1)
    assert "the 1,200 articles in" in reply_to_small_talk(1200)


def test_small_talk_declines_with_one_sentence_and_reads_nothing(byline):
    hits, last = byline.stream("Hello!")
    answer = last.answer
    assert (hits.kind, hits.hits, answer.hits) == ("hits", (), ())
    assert (answer.abstained, answer.statements, answer.citations) == (True, (), ())
    assert answer.to_dict()["reason"] == REPLY
    assert byline._answerer().reader.questions == []


@pytest.mark.parametrize(("asked", "offered"), [("Hello!", False), ("What began in Kigali?", True)])
def test_only_an_answer_about_articles_has_evidence_to_take_away(byline, asked, offered):
    *_, last = byline.stream(asked)
    buttons = render_actions(Turn(0, asked, answer=last.answer), last.answer, is_last=True)
    assert [part in buttons for part in ('class="copy"', 'class="packs"', 'class="keep"')] == [True, offered, offered]


SHOWN = {
    "terminal": render_terminal,
    "page": lambda answer: render_answer(answer, 0),
    "copy": render_copy,
    "html": lambda answer: write_pack(answer, "html", datetime.now(UTC)).partition("<script")[0],
    "md": lambda answer: write_pack(answer, "md", datetime.now(UTC)),
}


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_what_is_shown_does_not_say_that_the_articles_were_asked(byline, shown):
    said = shown(byline.ask("Thanks")).replace("\\", "")
    assert REPLY in " ".join(said.split())
    assert DECLINED not in said and "Searched" not in said and "Nearest" not in said


def test_small_talk_is_bounded_as_questions_are(byline):
    with pytest.raises(SettingsError):
        byline.ask("Hello", k=0)


def test_a_follow_up_leans_on_what_was_asked_before_the_thanks():
    history = ["Who led the talks on the port?", "Thanks!"]
    assert resolve("Where were they held?", history).question == "Where were the talks on the port held?"
    assert resolve("Where were they held?", history) == resolve("Where were they held?", history[:1])
