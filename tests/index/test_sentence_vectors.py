"""Sentence vectors survive packing, and a passage is compared by its best sentence."""

import numpy as np
import pytest

from corpus.chunk import chunk_article
from corpus.errors import LibraryDamagedError
from index.sentence_vectors import (
    by_sentence,
    pack_sentences,
    passage_vector,
    sentence_runs,
    sentence_texts,
    unpack_sentences,
)
from tests.fakes import FakeEmbedder, make_article


def _unit_rows(n, dim, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


LONG = "The council of the harbour town met on Monday to talk about the ferry."


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (["Yes."], ["Yes."]),
        ([LONG, LONG], [LONG, LONG]),
        (["Yes.", LONG], [f"Yes. {LONG}"]),
        ([LONG, "Yes."], [f"{LONG} Yes."]),
        (["Was it?", "Yes.", "No."], ["Was it? Yes. No."]),
        ([LONG, "Was it?", "Yes.", LONG], [LONG, f"Was it? Yes. {LONG}"]),
    ],
    ids=["alone", "long", "short first", "short last", "all short", "between"],
)
def test_sentence_texts_join_short_sentences_with_what_follows(sentences, expected):
    passage = chunk_article(make_article(" ".join(sentences), id="a"))[0]
    assert len(passage.sentences) == len(sentences)
    assert sentence_texts(passage) == expected


def test_sentence_runs_hold_every_sentence_once_and_slice_back():
    article = make_article("Intro line.\n\n" + " ".join([LONG, "Was it?", "Yes."] * 9), id="a")
    for passage in chunk_article(article):
        runs = sentence_runs(passage)
        assert [run.slice(article.text) for run in runs] == sentence_texts(passage)
        assert [run.end for run in runs] == sorted({run.end for run in runs})
        assert all(sum(run.contains(sentence) for run in runs) == 1 for sentence in passage.sentences)
        assert (runs[0].start, runs[-1].end) == (passage.sentences[0].start, passage.sentences[-1].end)


def test_packing_moves_cosines_by_two_thousandths_at_most():
    rows, questions = _unit_rows(200, 384), _unit_rows(50, 384, seed=1)
    unpacked = unpack_sentences(["p"], [pack_sentences(rows)], 384).rows
    assert np.abs((unpacked - rows) @ questions.T).max() < 0.002
    assert np.allclose(np.linalg.norm(unpacked, axis=1), 1.0, atol=1e-6)


def test_best_cosines_equal_a_loop_over_passages():
    tables = [_unit_rows(n, 16, seed=n) for n in (3, 1, 7)]
    stacked = unpack_sentences(["x", "y", "z"], [pack_sentences(rows) for rows in tables], 16)
    question = _unit_rows(1, 16, seed=99)[0]
    slow = {name: max(row @ question for row in rows) for name, rows in zip("xyz", tables, strict=True)}
    assert stacked.best_cosines(question) == pytest.approx(slow, abs=0.02)
    runs = stacked.run_cosines(question)
    assert {name: len(cosines) for name, cosines in runs.items()} == {"x": 3, "y": 1, "z": 7}
    assert {name: max(cosines) for name, cosines in runs.items()} == stacked.best_cosines(question)


def test_sentences_have_the_value_of_the_run_they_lie_in():
    [passage] = chunk_article(make_article(f"{LONG} Was it? Yes. {LONG}", id="a"))
    assert len(passage.sentences) == 4
    assert by_sentence(passage, [0.1, 0.9]) == (0.1, 0.9, 0.9, 0.9)


def test_nothing_to_compare_gives_nothing():
    assert unpack_sentences([], [], 16).best_cosines(_unit_rows(1, 16)[0]) == {}
    assert unpack_sentences([], [], 16).run_cosines(_unit_rows(1, 16)[0]) == {}


def test_passage_vector_is_the_mean_weighted_by_length():
    passage = chunk_article(make_article(f"{LONG} It is far longer than the other one. {LONG}", id="a"))[0]
    texts = sentence_texts(passage)
    rows = FakeEmbedder().embed_passages(texts)
    mean = sum(len(text) * row for text, row in zip(texts, rows, strict=True))
    assert len(texts) == 2
    assert np.allclose(passage_vector(passage, rows), mean / np.linalg.norm(mean), atol=1e-6)


def test_passage_vector_of_sentences_that_cancel_out_is_the_first():
    passage = chunk_article(make_article(f"{LONG} {LONG}", id="b"))[0]
    row = _unit_rows(1, 8)[0]
    assert np.array_equal(passage_vector(passage, np.stack([row, -row])), row)


@pytest.mark.parametrize("blob", [b"", b"\x01" * 15, b"\x00" * 16], ids=["empty", "torn", "zero"])
def test_unpack_refuses_damaged_rows(blob):
    with pytest.raises(LibraryDamagedError, match="byline reindex"):
        unpack_sentences(["p"], [blob], 16)
