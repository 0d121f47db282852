import pytest

from qa.spelling import mend_spelling
from qa.words import split_words

FOUND = split_words("The journalist Marisa Kabas said Rwanda seeks compensation from Britain for the plan.")


@pytest.mark.parametrize(
    ("asked", "mended"),
    [
        ("which jurnalist said it", "which journalist said it"),
        ("what does Ruanda seek", "what does Rwanda seek"),
        ("how much compensasion from brittain", "how much compensation from Britain"),
        ("a new destenation", "a new destination"),
    ],
)
def test_mend_spelling_takes_the_close_word(asked, mended):
    assert mend_spelling(asked, FOUND) == mended


@pytest.mark.parametrize(
    "asked", ["What about Uganda and Kagame?", "Who is Kabaddi?", "Is it 2019?", "What does Rwanda seek?", "", "xqzzt?"]
)
def test_mend_spelling_leaves_the_rest_alone(asked):
    assert mend_spelling(asked, FOUND) == asked
