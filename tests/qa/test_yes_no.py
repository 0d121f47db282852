import pytest

from corpus.types import Span
from qa.support import SupportChecker
from qa.yes_no import YesNo, as_statement
from tests.fakes import FakeNetwork, make_article, make_hits


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Did Rwanda sign a deal?", "Rwanda sign a deal."),
        ("Isn't the plan dead?", "not the plan dead."),
        ("was it on TV", "it on TV."),
        ("Who signed?", None),
        ("Is?", None),
    ],
)
def test_as_statement_drops_the_auxiliary(question, statement):
    assert as_statement(question) == statement


@pytest.mark.parametrize(
    ("question", "text", "word"),
    [
        ("Did Rwanda sign the deal?", "Rwanda signed the deal.", "Yes"),
        ("Did Rwanda sign the deal?", "Rwanda did not sign the deal.", "No"),
        ("Did Rwanda sign the deal in 2019?", "Rwanda signed the deal in 2022.", None),
        ("Will bananas ripen?", "Rwanda signed the deal.", None),
        ("Did Rwanda sign the deal?", "Rwanda signed the deal, while declining to say more.", "Yes"),
        ("Did Rwanda sign the deal?", "Kenya signed the other one, while Rwanda refused to sign the deal.", "No"),
        ("Did Rwanda sign the first deal?", "Rwanda signed the first deal.", "Yes"),
        ("Did Rwanda sign the first deal?", "Rwanda signed the second deal, a new one.", None),
    ],
)
def test_answer_says_the_word_that_the_sentence_warrants(question, text, word):
    (hit,) = make_hits(make_article(text))
    assert (
        YesNo(SupportChecker(FakeNetwork(), supported_from=0.5, weak_from=0.5)).answer(
            question, [(hit, Span(0, len(text)))]
        )
        == word
    )
