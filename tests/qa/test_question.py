import pytest

from qa.mentions import Kind
from qa.question import Form, analyse_question


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Which journalist revealed it?", Form.WHICH),
        ("Who ended the UK plan and when?", Form.WHO),
        ("In which year did it end?", Form.WHEN),
        ("How much does Rwanda want?", Form.HOW_MUCH),
        ("how many people fit in Guantanamo", Form.HOW_MANY),
        ("How long did it take?", Form.HOW_LARGE),
        ("What did Starmer call the plan?", Form.QUOTE),
        ("When drops grow heavy enough, what do they form?", Form.WHAT),
        ("Is Libya being considered?", Form.YES_NO),
        ("Is Donald Trump the president or a former president?", Form.CHOICE),
        ("Did she call all of them liars, or some?", Form.CHOICE),
        ("Was anyone hurt or killed?", Form.YES_NO),
        ("Is the plan dead, or not?", Form.YES_NO),
        ("Why did the plan fail?", Form.WHY),
        ("the latin phrase parens patriae refers to", Form.CLAIM),
    ],
)
def test_analyse_question_finds_the_form(text, form):
    assert analyse_question(text).form is form


def test_analyse_question_wants_names_for_which_person():
    assert Kind.PERSON in analyse_question("Which minister confirmed the talks?").wanted


def test_analyse_question_keeps_topic_words_only():
    assert [term.text for term in analyse_question("Who is the envoy to Africa?").terms] == ["envoy", "Africa"]


def test_analyse_question_weighs_names_above_plain_words():
    terms = {term.text: term.weight for term in analyse_question("What did Rwanda want?").terms}
    assert terms["Rwanda"] > terms["want"]


@pytest.mark.parametrize(
    ("text", "is_list"), [("Which countries have taken deportees?", True), ("Which country took him?", False)]
)
def test_analyse_question_tells_lists(text, is_list):
    assert analyse_question(text).is_list is is_list


def test_analyse_question_survives_nonsense():
    assert analyse_question("?!").terms == ()


@pytest.mark.parametrize(
    ("text", "wants_a_name"),
    [
        ("Who is Massad Boulos?", False),
        ("who was nduhungirehe", False),
        ("Who is the foreign minister?", True),
        ("Who is Rwanda's minister?", True),
        ("Who revealed it?", True),
    ],
)
def test_analyse_question_wants_no_name_when_it_gives_the_name(text, wants_a_name):
    assert bool(analyse_question(text).wanted) is wants_a_name
