"""Golden answers over the bundled articles: what is said, cited and declined changes only on purpose.

After a change that is meant: `BYLINE_GOLDEN=write python -m pytest tests/test_golden.py`, and say why in the commit.
"""

import json
import os
from pathlib import Path

import pytest

import qa
from corpus.load import bundled_articles

GOLDEN = Path(__file__).parent / "golden" / "bundled_answers.json"
QUESTIONS = (
    "Which journalist revealed that an Iraqi man had been sent to Rwanda?",
    "What is the capital of Australia?",
    "Who is Massad Boulos?",
    "How much compensation does Rwanda want from the UK?",
    "When did the British Supreme Court rule against the plan?",
    "How many people is Guantanamo Bay meant to hold?",
    "What did Paul Kagame say about the talks?",
    "who is the forein minister of Ruanda?",
    "When was the UK plan ended?",
    "Who is Donald Trump?",
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    with qa.open(tmp_path_factory.mktemp("golden") / "library") as library:
        library.add(bundled_articles())
        return {question: _kept(library.ask(question)) for question in QUESTIONS}


def _kept(answer):
    """What a person sees; scores may move in the last digit with the processor, so they are left out."""
    return {
        "abstained": answer.abstained,
        "reason": answer.abstention.reason
        if answer.abstention and "confidence" not in answer.abstention.reason
        else None,
        "short_answer": answer.short_answer,
        "disagreements": [
            [each.about, [[position.value, list(position.citations)] for position in each.positions]]
            for each in answer.disagreements
        ],
        "citations": [[c.article.id, c.span.start, c.span.end, c.quote] for c in answer.citations],
    }


def test_answers_are_the_golden_ones(answers):
    if os.environ.get("BYLINE_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert answers == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_golden_citations_slice_the_bundled_articles(answers):
    with_quotes = [citation for answer in answers.values() for citation in answer["citations"]]
    assert len(with_quotes) >= 5
    assert all(end - start == len(quote) for _, start, end, quote in with_quotes)


@pytest.mark.parametrize(
    ("question", "values"),
    [("When was the UK plan ended?", {"July", "2024"}), ("Who is Donald Trump?", {"President", "former President"})],
)
def test_both_sides_are_shown_where_the_bundled_articles_differ(answers, question, values):
    ((_, positions),) = answers[question]["disagreements"]
    assert {value for value, _ in positions} == values
    articles = {answers[question]["citations"][numbers[0] - 1][0] for _, numbers in positions}
    assert articles == {"rwanda-early-talks", "rwanda-two-weeks"}
    assert answers[question]["short_answer"] is None
