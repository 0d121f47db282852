"""Sentence vectors survive packing, and a passage is compared by its best sentence."""

import numpy as np
import pytest

from corpus.chunk import chunk_article
from corpus.errors import LibraryDamagedError
from index.sentence_vectors import pack_sentences, passage_vector, sentence_texts, unpack_sentences
from tests.fakes import FakeEmbedder, make_article

ARTICLE = make_article("Intro line.\n\nThe ferry was late. It was late again! Was it? Yes.", id="a")


def _unit_rows(n, dim, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_sentence_texts_slice_the_passage():
    for passage in chunk_article(ARTICLE):
        assert sentence_texts(passage) == [span.slice(ARTICLE.text) for span in passage.sentences]


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


def test_nothing_to_compare_gives_nothing():
    assert unpack_sentences([], [], 16).best_cosines(_unit_rows(1, 16)[0]) == {}


def test_passage_vector_is_the_mean_weighted_by_length():
    passage = chunk_article(ARTICLE)[0]
    rows = FakeEmbedder().embed_passages(sentence_texts(passage))
    mean = sum(len(span) * row for span, row in zip(passage.sentences, rows, strict=True))
    assert np.allclose(passage_vector(passage, rows), mean / np.linalg.norm(mean), atol=1e-6)


def test_passage_vector_of_sentences_that_cancel_out_is_the_first():
    passage = chunk_article(make_article("One more. Two more.", id="b"))[0]
    row = _unit_rows(1, 8)[0]
    assert np.array_equal(passage_vector(passage, np.stack([row, -row])), row)


@pytest.mark.parametrize("blob", [b"", b"\x01" * 15, b"\x00" * 16], ids=["empty", "torn", "zero"])
def test_unpack_refuses_damaged_rows(blob):
    with pytest.raises(LibraryDamagedError, match="byline reindex"):
        unpack_sentences(["p"], [blob], 16)
