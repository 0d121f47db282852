import pytest

from qa.asked_speaker import find_asked_speaker


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What does Rwanda say about the talks?", "Rwanda"),
        ("According to the UNHCR, how many people fled?", "the UNHCR"),
        ("How many people fled, according to the health ministry?", "the health ministry"),
        ("What did the minister tell reporters?", "the minister"),
        ("How did the company respond?", "the company"),
        ("Why does Helen Osei think that the wall moves?", "Helen Osei"),
        ("What Falk said about the roster?", "Falk"),
        ("What is Kenya's explanation for the sum?", "Kenya"),
        ("What did the deputy foreign minister of Peru say?", "the deputy foreign minister of Peru"),
    ],
)
def test_find_asked_speaker_names_whose_words_are_asked_for(question, text):
    found = find_asked_speaker(question)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "question",
    [
        "What do the articles say about the talks?",
        "According to the report, how many fled?",
        "Who said that the talks go on?",
        "What did she say about the roster?",
        "What does the minister want to say?",
        "When did the talks begin?",
        "Does the UNHCR say what Rwanda says, according to Reuters?",
    ],
)
def test_find_asked_speaker_finds_nobody_in_particular(question):
    assert find_asked_speaker(question) is None


def test_find_asked_speaker_takes_a_capital_for_its_country():
    assert find_asked_speaker("What does Kigali say?").names == find_asked_speaker("What does Rwanda say?").names


def test_find_asked_speaker_tells_role_from_whose_it_is():
    found = find_asked_speaker("What did Northlink's new spokeswoman say about the roster?")
    assert found.names == {"northlink"}
    assert found.head == "spokeswom"
