"""Follow-ups measured on a folder of four conversations."""

import json

import pytest

from evals.follow_ups import LAST, OURS, PERSON, in_half, measure_follow_ups
from evals.systems import make_bench


@pytest.fixture
def folder(tmp_path):
    texts = {"port": "The port of Mombasa opened in 1896.", "law": "The law on fishing was passed in Oslo."}
    corpus = [{"id": name, "title": name, "text": text} for name, text in texts.items()]
    turns = [{"role": "user", "text": "Who built the port of Mombasa?"}, {"role": "assistant", "text": "Builders."}]
    facts = {"question": "When did it open?", "answers": ["1896"], "gold_docs": ["port"], "answerable": True}
    asked = [{"role": "user", "text": "When did it open?"}]
    conversations = [{"id": f"c{n}<::>2", "turns": turns + asked, "type": "answerable", **facts} for n in range(4)]
    rewrite = {"history": [turns[0]["text"], "When did it open?"], "last_turn": "When did it open?"}
    rewrites = [{"id": f"r{n}<::>2", "rewrite": "When did the port of Mombasa open?", **rewrite} for n in range(4)]
    for name, rows in (("corpus", corpus), ("conversations", conversations), ("rewrites", rewrites)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_measure_follow_ups_compares_with_the_last_turn_and_goes_on_where_it_stopped(folder, tmp_path):
    found = measure_follow_ups(folder, make_bench(tmp_path / "work"), half="all")
    assert found.retrieval[OURS].value == 1.0 and found.changed == 1.0
    assert found.agreement[PERSON].value == 1.0
    assert found.asked_back == {"answerable": (0, 4)}
    assert found.gain.n == found.retrieval[LAST].n == 4
    kept = next((tmp_path / "work").rglob("follow_up_searches.jsonl"))
    before = kept.read_text()
    assert measure_follow_ups(folder, make_bench(tmp_path / "work"), half="all") == found
    assert kept.read_text() == before


def test_in_half_keeps_the_turns_of_a_conversation_together():
    for name in ("a", "b", "c", "d"):
        assert in_half(f"{name}<::>1", "inner") == in_half(f"{name}<::>7", "inner") != in_half(f"{name}<::>3", "outer")
