import random

import pytest

from corpus.chunk import chunk_article
from qa.mentions import Kind, find_mentions
from qa.training.questions import ask_for, make_cloze, recurring_clozes, roughen, spoil_question
from tests.fakes import make_article

TEXT = (
    "The journalist Marisa Kabas revealed in March 2025 that an Iraqi man had been sent to Rwanda by the Americans. "
    "Rwanda wants £50 million from Britain as compensation for the cancelled plan, the government said on Monday."
)
OTHER = "Marisa Kabas is a journalist who wrote about the Iraqi man deported to Rwanda before others did so."


def _passage(text=TEXT, id="a1"):
    return chunk_article(make_article(text, id))[0]


@pytest.mark.parametrize("seed", range(20))
def test_make_cloze_asks_for_a_mention_of_the_passage(seed):
    made = make_cloze(_passage(), random.Random(seed))
    if made is not None:
        answer = made.passage.text[made.start : made.end]
        assert answer in TEXT and answer not in made.question
        assert made.question.endswith("?") and made.question[0].isupper()


def test_ask_for_puts_the_question_word_of_the_kind():
    sentence = "The court struck the whole plan down in November 2023 after a long hearing."
    mention = next(m for m in find_mentions(sentence) if m.kind is Kind.DATE)
    question = ask_for(sentence, mention, random.Random(3))
    assert "2023" not in question
    assert any(word in question.lower() for word in ("when", "year", "date"))


def test_recurring_clozes_answer_out_of_another_passage():
    passages = [_passage(), _passage(OTHER, "a2")]
    made = list(recurring_clozes(passages, random.Random(1)))
    assert made
    for cloze in made:
        assert len(cloze.passage.text[cloze.start : cloze.end]) == cloze.end - cloze.start > 0


@pytest.mark.parametrize("seed", range(10))
def test_spoil_question_changes_a_detail(seed):
    question = "When was the first Iraqi man deported to Rwanda?"
    spoiled = spoil_question(question, TEXT, ["Officials in Kenya and Peru met Anna Smith."], random.Random(seed))
    assert spoiled is not None and spoiled != question


def test_spoil_question_leaves_what_has_no_detail():
    assert spoil_question("Why?", TEXT, [], random.Random(1)) is None


def test_roughen_keeps_the_words_mostly_and_is_drawn_from_the_seed():
    question = "Which journalist revealed the deportation of the Iraqi man?"
    rough = {roughen(question, random.Random(seed)) for seed in range(60)}
    assert question in rough and question.lower() in rough and len(rough) > 3
    assert roughen(question, random.Random(5)) == roughen(question, random.Random(5))
