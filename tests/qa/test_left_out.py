"""What a question leaves out answers it nowhere."""

import pytest

from qa.left_out import find_left_out, spans_left_out

TEXT = (
    "Sources in both Kigali and Washington confirmed it. Rwanda TV said Rwanda’s plan for small boats failed. "
    "Officials in the United States and El Salvador said nothing."
)


def test_a_description_is_left_out_too_but_no_name_that_it_gives():
    text = "The African country signed. So did the small country Benin, that old nation, the country of Laos."
    found = spans_left_out(text, find_left_out("Which place besides Rwanda signed?"))
    assert [span.slice(text) for span in found] == ["The African country", "that old nation"]


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("Which country besides Rwanda was asked?", ["Kigali", "Rwanda’s"]),
        ("besides rwanda which country was asked", ["Kigali", "Rwanda’s"]),
        ("Who other than the United States confirmed it?", ["Washington", "United States"]),
        ("Which states, apart from El Salvador and Rwanda, said nothing?", ["Kigali", "Rwanda’s", "El Salvador"]),
        ("Which country besides Rwanda is Washington asking?", ["Kigali", "Washington", "Rwanda’s", "United States"]),
        ("Which country besides Rwanda is the us asking?", ["Kigali", "Washington", "Rwanda’s", "United States"]),
        ("What failed except for boats?", []),
        ("What did Rwanda do besides hiding small boats?", []),
        ("Which country asked Rwanda?", []),
        ("What failed except for small boats?", []),
        ("Did anyone confirm it besides?", []),
    ],
)
def test_spans_left_out_names_what_is_left_out_and_nothing_more(question, left_out):
    assert [span.slice(TEXT) for span in spans_left_out(TEXT, find_left_out(question))] == left_out


def test_of_a_phrase_only_the_names_are_left_out_unless_it_is_one_word():
    assert find_left_out("Who came besides the old friends whom Anna knew?") == frozenset()
    assert find_left_out("Who came besides all those friends?") == {"friend"}
    assert find_left_out("Who came besides Anna and her old school friends?") == {"anna"}
