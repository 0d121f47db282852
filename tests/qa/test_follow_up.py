"""Follow-ups are put into words, left alone when they stand alone, or asked back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import SettingsError
from qa.conversation import Turn, ask_back, parse_history, resolve

MINISTER = ("Who is Rwanda's foreign minister?", "Olivier Nduhungirehe")
DEAL = ("In which year did Rwanda sign its deal with Britain?", "2022")
PAIR = ("Who are Ada Lovelace and Alan Turing?", None)


def chat(*pairs):
    return [
        turn for question, answer in pairs for turn in (Turn("user", question), Turn("assistant", answer or "", answer))
    ]


@pytest.mark.parametrize(
    ("before", "question", "wanted"),
    [
        ([MINISTER], "How old is he?", "How old is Olivier Nduhungirehe?"),
        ([DEAL], "Who scrapped it?", "Who scrapped Rwanda's deal with Britain?"),
        ([DEAL, ("Who scrapped it?", "Keir Starmer")], "And when?", "When did Keir Starmer scrap Rwanda's deal"),
        ([DEAL, ("Who scrapped it?", "Keir Starmer")], "In what year?", "When did Keir Starmer scrap Rwanda's deal"),
        ([("Which outlet reports a strike?", "CBC")], "When?", "When was it that CBC reports a strike"),
        (
            [("Who said that an Iraqi had been deported?", "Marisa Kabas")],
            "When was he deported?",
            "When was the Iraqi deported?",
        ),
        (
            [("Is the UNHCR worried?", "Yes"), ("What could happen to people deported to Rwanda?", None)],
            "What does Rwanda accuse it of?",
            "accuse the UNHCR of",
        ),
        (
            [("How much money does Rwanda want?", "£50 million")],
            "From whom?",
            "From whom does Rwanda want £50 million?",
        ),
        ([("Is the UNHCR worried about the deal?", "Yes")], "Why?", "Why is the UNHCR worried about the deal?"),
        ([("When was Barack Obama born?", "1961")], "and Michelle Obama?", "When was Michelle Obama born?"),
        ([("When was Barack Obama born?", "1961")], "What about Michelle Obama?", "When was Michelle Obama born?"),
        ([("Who won the 2018 World Cup?", "France")], "And in 2022?", "Who won the 2022 World Cup?"),
        ([("How did the US respond to Rwanda?", None)], "And to Libya?", "How did the US respond to Libya?"),
        ([("Where did the rover land?", None)], "Did it break?", "Did the rover break?"),
        ([("Who said that the plan had failed?", "BBC")], "Who denied it?", "Who denied that the plan had failed?"),
        ([("What is the difference between CDN and S3?", None)], "How do they work?", "How do CDN and S3"),
        ([("What is the capital of France?", "Paris")], "How many live there?", "(the capital of France, Paris)?"),
        ([("Who is Keir Starmer?", "Prime Minister")], "Who is in his government?", "Keir Starmer's government"),
    ],
)
def test_resolve_puts_a_follow_up_into_words(before, question, wanted):
    found = resolve(question, chat(*before))
    assert wanted in found.question and found.unclear is None


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Hamlet?",
        "Is it true that the Supreme Court ruled?",
        "How long does it take to boil an egg?",
        "What did the Rwandan minister say when he was asked?",
        "What is a limited civil case?",
        "Did Trump say that Rwanda agreed?",
    ],
)
@pytest.mark.parametrize("before", [[], [MINISTER]], ids=["first", "later"])
def test_resolve_leaves_alone_what_stands_alone(before, question):
    found = resolve(question, chat(*before))
    assert (found.question, found.unclear) == (question, None)


@pytest.mark.parametrize(
    ("before", "question", "candidates"),
    [
        ([], "How old is he?", ()),
        ([], "When did it end?", ()),
        ([PAIR], "Where was she born?", ("Ada Lovelace", "Alan Turing")),
        ([("How do I cook rice?", None)], "What sporting events are hosted in the country's stadium?", ()),
    ],
)
def test_resolve_asks_back_when_nothing_or_too_much_can_be_meant(before, question, candidates):
    found = resolve(question, chat(*before))
    assert found.unclear and found.candidates == candidates
    assert all(name in ask_back(found) for name in candidates)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Alan Turing.", "Where was Alan Turing born?"),
        ("I mean Ada Lovelace", "Where was Ada Lovelace born?"),
        ("I mean Ada Lovelace. What did he write?", "What did Ada Lovelace write?"),
        ("Who wrote Hamlet?", "Who wrote Hamlet?"),
    ],
)
def test_resolve_takes_the_name_given_on_being_asked_back(question, wanted):
    before = chat(PAIR, ("Where was he born?", None))
    assert resolve(question, before).question == wanted


def test_resolve_follows_a_chain_of_follow_ups():
    before = ["Who is Rwanda's foreign minister?", "Which broadcaster interviewed him?"]
    assert "foreign minister" in resolve("What did he say?", before).question


def test_resolve_passes_over_the_question_as_the_last_turn_of_its_own_history():
    assert resolve("Who wrote Hamlet?", ["Who wrote Hamlet?"]).question == "Who wrote Hamlet?"
    assert resolve("How old is he?", ["How old is he?"]).unclear == "he"


def test_resolve_takes_a_reply_of_a_few_words_for_the_answer():
    history = ["Who leads the union?", {"role": "assistant", "text": "Amina Otieno."}]
    assert resolve("How old is she?", history).question == "How old is Amina Otieno?"


def test_parse_history_takes_texts_and_objects():
    turns = parse_history(["Who?", {"role": "assistant", "text": "Ada."}, {"role": "user", "content": "When?"}])
    assert [(turn.role, turn.text) for turn in turns] == [("user", "Who?"), ("assistant", "Ada."), ("user", "When?")]


@pytest.mark.parametrize(
    "history", ["Who?", [5], [{"role": "system", "text": "x"}], [{"role": "user"}], {"role": "user"}]
)
def test_parse_history_refuses_what_is_none(history):
    with pytest.raises(SettingsError, match="history"):
        parse_history(history)


@pytest.mark.parametrize(
    "text", ["Who is " + "A" * 3000 + "!", "it " * 1500, "the " * 1500, "?" * 3000, "and " * 1500, "A. " * 1200]
)
def test_resolve_comes_through_texts_made_to_be_slow(text):
    assert resolve("How old is he?", [text, text]) and resolve(text, [text]) and resolve(text, [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4), st.text(min_size=1, max_size=60))
def test_resolve_never_fails_and_never_loses_the_question(history, question):
    found = resolve(question, history)
    assert found.question or not question.strip()
