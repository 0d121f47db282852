"""The suites' rows are well formed, and their evidence finds its sentence in every version of the articles."""

import json
from pathlib import Path

import pytest

from corpus.sentences import split_sentences

ROOT = Path(__file__).parents[2]
SUITES = ROOT / "evals" / "suites"
SOURCES = ROOT / ".." / "shared" / "corpus"
STEMS = {"000_b3813775562cefab", "004_4fcf6599b79a1dae"}
FIELDS = {"id", "question", "type", "answerable", "answers", "parts", "evidence"}
FIELDS |= {"need", "positions", "history", "note"}
TYPES = {"both_sources", "disagreement", "follow_up", "hostile", "list", "misspelt", "off_topic", "quote", "yes_no"}


def _rows(name):
    return [json.loads(line) for line in (SUITES / name).read_text("utf-8").splitlines()]


SPOKEN = ("attribution", "attribution_held_out")  # each with news of its own in the folder of its name
ROWS = [row for name in ("first_answers", "bundled", "chats", "readers") for row in _rows(f"{name}.jsonl")]
ANSWERABLE = [row for row in ROWS if row["answerable"]]


def _folded(text):
    straight = text.translate(str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'}))
    return " ".join(straight.split()).casefold()


def _sentences(text):
    return [_folded(span.slice(text)) for span in split_sentences(text)]


def _bundled(folder=ROOT / "corpus" / "articles"):
    versions = {}
    for path in folder.glob("*.md"):
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        stem = next(line.removeprefix("stem: ") for line in front.splitlines() if line.startswith("stem: "))
        versions[stem] = _sentences(body.strip())
    return versions


def _found(entry, sentences):
    all_of = [_folded(word) for word in entry.get("all_of", [])]
    any_of = [_folded(word) for word in entry.get("any_of", [""])]
    return [s for s in sentences if all(word in s for word in all_of) and any(word in s for word in any_of)]


def _check(row, versions):
    for entry in row["evidence"]:
        assert 1 <= len(_found(entry, versions[entry["article"]])) <= 2, entry


def test_suites_are_as_large_as_promised():
    chats = _rows("chats.jsonl")
    assert [row["id"] for row in chats] == [f"chat-{n:02}-{turn}" for n in range(1, 31) for turn in (1, 2, 3)]
    assert [len(row.get("history", [])) for row in chats] == [0, 1, 2] * 30
    first = _rows("first_answers.jsonl")
    assert [row["answerable"] for row in first] == [True] * 20 + [False] * 8
    assert len(ROWS) >= 60
    assert {row["type"] for row in ROWS} >= TYPES
    asked = {json.dumps([row["question"], row.get("history")]) for row in ROWS}
    assert len({row["id"] for row in ROWS}) == len(asked) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_row_is_well_formed(row):
    assert set(row) <= FIELDS
    assert bool(row["evidence"]) == bool(row["answers"]) == row["answerable"]
    assert row["answerable"] or row["note"]
    assert row.get("need", "any") in {"any", "all"}
    for entry in row["evidence"]:
        assert set(entry) <= {"article", "all_of", "any_of"}
        assert entry["article"] in STEMS
        assert entry.get("all_of") or entry.get("any_of")
    assert len(row.get("positions", [1, 2])) >= 2


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_evidence_finds_its_sentence_in_the_bundled_articles(row):
    _check(row, _bundled())


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the source articles are not here")
@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_evidence_finds_its_sentence_in_the_sources(row):
    _check(row, {stem: _sentences((SOURCES / f"{stem}.txt").read_text("utf-8")) for stem in STEMS})


@pytest.mark.parametrize("name", SPOKEN)
def test_suites_with_news_of_their_own_find_their_evidence(name):
    versions = _bundled() | _bundled(SUITES / name)
    rows = _rows(f"{name}.jsonl")
    assert len({row["id"] for row in rows}) == len(rows) >= 20
    for row in rows:
        assert set(row) <= FIELDS
        assert bool(row["evidence"]) == bool(row["answers"]) == row["answerable"]
        assert row["answerable"] or row["note"]
        _check(row, versions)
        text = " ".join(s for entry in row["evidence"] for s in _found(entry, versions[entry["article"]]))
        assert not row["answerable"] or any(_folded(answer) in text for answer in row["answers"]), row["id"]


def test_the_halves_of_the_questions_after_speakers_share_no_news():
    first, second = ({path.name for path in (SUITES / name).glob("*.md")} for name in SPOKEN)
    assert first
    assert second
    assert not first & second


@pytest.mark.parametrize("row", [row for row in ANSWERABLE if row["type"] != "yes_no"], ids=lambda row: row["id"])
def test_an_answer_or_every_part_is_in_the_evidence(row):
    versions = _bundled()
    text = " ".join(s for entry in row["evidence"] for s in _found(entry, versions[entry["article"]]))
    if row["answers"] in (["Yes"], ["No"]):
        return
    assert any(_folded(answer) in text for answer in row["answers"])
    assert all(any(_folded(word) in text for word in part) for part in row.get("parts", []))
