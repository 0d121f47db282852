"""Our own questions about real news: they lie where they say, and no article asked to measure is learned from."""

import gzip
import json
from pathlib import Path

import pytest

from qa.training.gather import _is_wrong
from qa.training.rows import ASKED_NEWS, CONTRAST, Part, load_asked_news, read_rows

DATA = Path(__file__).parents[4] / "shared" / "data"
ROWS = list(read_rows(ASKED_NEWS, "queries"))
PAIRS = list(read_rows(ASKED_NEWS, CONTRAST))


@pytest.fixture(scope="module")
def asked():
    if not (DATA / "news_multihop").is_dir():
        pytest.skip("news_multihop is not here")
    return load_asked_news(DATA)


def test_no_text_of_the_articles_is_kept():
    fields = {"id", "question", "doc", "part", "start", "end", "sha256"}
    for rows in (ROWS, PAIRS):
        assert all(set(row) <= fields for row in rows)
        assert len({row["id"] for row in rows}) == len(rows) > 2800


def test_an_article_is_in_one_part():
    parts = {}
    for row in ROWS:
        parts.setdefault(row["doc"], set()).add(row["part"])
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {"train", "tune", "test"}


def test_contrast_pairs_ask_only_of_articles_to_learn_from():
    train = {row["doc"] for row in ROWS if row["part"] == Part.TRAIN}
    assert {row["doc"] for row in PAIRS} <= train
    assert {row["part"] for row in PAIRS} == {Part.TRAIN}


def test_contrast_pairs_lie_where_they_say(asked):
    pairs = load_asked_news(DATA, CONTRAST)
    assert sum(one.answerable for one in pairs.asked) * 2 == len(pairs.asked) == len(PAIRS)
    assert pairs.questions != asked.questions  # what is mined for them is kept under another name


def test_every_answer_lies_within_a_passage(asked):
    assert {part: len(asked.part(part)) for part in Part} == {
        part: sum(row["part"] == part for row in ROWS) for part in Part
    }
    answerable = [one for one in asked.asked if one.answerable]
    held = [any(p.span.contains(one.spans[0]) for p in asked.passages[one.article_id]) for one in answerable]
    assert sum(held) >= 0.99 * len(held)


def test_a_passage_beside_the_answer_is_wrong_and_the_one_that_holds_it_is_not(asked):
    one = next(one for one in asked.asked if one.answerable and len(one.answers[0]) > 12)
    wrong = [_is_wrong(asked, one, p, within_article=True) for p in asked.passages[one.article_id]]
    held = [p.span.contains(one.spans[0]) for p in asked.passages[one.article_id]]
    assert any(wrong)
    assert not any(is_wrong and holds for is_wrong, holds in zip(wrong, held, strict=True))


def test_an_answer_that_is_no_longer_there_is_told_of(asked, tmp_path, monkeypatch):
    moved = {**next(row for row in ROWS if "start" in row)}
    moved["start"] += 1
    with gzip.open(tmp_path / "queries.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(moved) + "\n")
    monkeypatch.setattr("qa.training.rows.ASKED_NEWS", tmp_path)
    with pytest.raises(ValueError, match="has been changed since its question was written"):
        load_asked_news(DATA)
