"""Answers that cannot prove themselves cannot exist; the JSON contract, key by key."""

import json
from dataclasses import replace
from datetime import date

import pytest

from corpus.errors import BrokenCitationError
from corpus.types import Span
from qa.types import (
    Abstention,
    Answer,
    Citation,
    Disagreement,
    Position,
    Statement,
    Support,
    Timings,
    flat,
)
from tests.fakes import make_article, make_hits

ARTICLE = make_article(
    "Marisa Kabas revealed\nit. Rwanda said so.", source="AP", url="https://example.org/a", published=date(2025, 5, 6)
)
QUOTE = "Marisa Kabas revealed\nit."
CITATION = Citation(1, ARTICLE, "a1:0", Span(0, 25), QUOTE, answer_span=Span(0, 12))
STATEMENT = Statement("Marisa Kabas revealed it.", (1,), Support.VERBATIM)


def make_answer(**facts) -> Answer:
    return Answer(
        **{
            "question": "Who revealed it?",
            "statements": (STATEMENT,),
            "citations": (CITATION,),
            "hits": tuple(make_hits(ARTICLE)),
            "confidence": 0.93123456,
            "reader": "extractive",
            "settings": "f00d",
            "short_answer": "Marisa Kabas",
            "timings_ms": Timings(6.0, 80.0, 86.0),
        }
        | facts
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"quote": "Marisa Kabas revealed it."},
        {"span": Span(1, 26)},
        {"span": Span(0, 10_000), "quote": ARTICLE.text},
        {"answer_span": Span(20, 30)},
        {"n": 0},
    ],
    ids=["other white space", "shifted", "beyond the end", "answer outside", "number below 1"],
)
def test_citation_cannot_exist_unless_it_slices_back(facts):
    with pytest.raises(BrokenCitationError):
        replace(CITATION, **facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"statements": ()},
        {"abstention": Abstention("They do not say.")},
        {"statements": (replace(STATEMENT, citations=()),)},
        {"statements": (replace(STATEMENT, citations=(2,)),)},
        {"statements": (replace(STATEMENT, text="Marisa Kabas revealed nothing."),)},
        {"citations": (CITATION, CITATION)},
    ],
    ids=["neither", "both", "uncited", "dangling", "not its quote", "same number"],
)
def test_answer_cannot_exist_unless_its_statements_are_cited(facts):
    with pytest.raises(BrokenCitationError):
        make_answer(**facts)


def test_answer_to_dict_is_the_contract_key_by_key():
    row = json.loads(json.dumps(make_answer().to_dict()))
    hits = row.pop("hits")
    assert row == {
        "version": 1,
        "question": "Who revealed it?",
        "standalone_question": None,
        "answer": "Marisa Kabas revealed it.",
        "short_answer": "Marisa Kabas",
        "statements": [
            {"text": "Marisa Kabas revealed it.", "citations": [1], "support": "verbatim", "problems": []},
        ],
        "citations": [
            {
                "n": 1,
                "article_id": "a1",
                "version": ARTICLE.version,
                "title": "Title of a1",
                "source": "AP",
                "url": "https://example.org/a",
                "published": "2025-05-06",
                "passage_id": "a1:0",
                "start": 0,
                "end": 25,
                "quote": QUOTE,
                "answer_start": 0,
                "answer_end": 12,
            }
        ],
        "abstained": False,
        "reason": None,
        "confidence": 0.9312,
        "disagreements": [],
        "reader": "extractive",
        "degraded": None,
        "settings": "f00d",
        "timings_ms": {"retrieve": 6.0, "read": 80.0, "total": 86.0},
        "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    }
    assert list(hits[0]) == ["rank", "passage_id", "article_id", "start", "end", "score", "signals"]
    assert hits[0]["signals"] == {"bm25": 2.0, "cosine": None, "fused": 1.0, "reader": None}


def test_an_abstention_to_dict_has_a_reason_and_no_statements():
    row = make_answer(statements=(), citations=(), abstention=Abstention("They do not say.")).to_dict()
    assert (row["abstained"], row["reason"], row["statements"], row["answer"]) == (True, "They do not say.", [], "")
    assert len(row["hits"]) == 1


def test_disagreement_to_dict_lists_the_positions():
    positions = (Position("July", (1,)), Position("2024", (2, 3)))
    assert Disagreement("when it ended", positions).to_dict() == {
        "about": "when it ended",
        "positions": [{"value": "July", "citations": [1]}, {"value": "2024", "citations": [2, 3]}],
    }


def test_flat_puts_a_sentence_on_one_line():
    assert flat(" a\n b\t c ") == "a b c"
