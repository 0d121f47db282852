import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.types import Span
from qa.answer_spans import MAX_ANSWER_PIECES, best_spans, whole_words
from qa.reading_input import make_input

TEXT = "Kabas told it first. The court struck the plan down in November 2023, two years ago."
SENTENCES = [Span(0, 20), Span(21, len(TEXT))]


def _slow(pair, spans, bound, barred=None):
    """The best span and all spans' log-odds by trying each: the reference for the fast search."""
    inside = [i for i in range(len(pair.starts)) if bound.start <= pair.starts[i] and pair.ends[i] <= bound.end]
    null = spans[0].sum()
    pairs = [(i, j) for i in inside for j in inside if i <= j < i + MAX_ANSWER_PIECES]
    if barred:
        pairs = [(i, j) for i, j in pairs if pair.ends[j] <= barred.start or barred.end <= pair.starts[i]]
    if not pairs:
        return None
    logits = {both: float(spans[pair.first + both[0], 0] + spans[pair.first + both[1], 1] - null) for both in pairs}
    i, j = max(logits, key=logits.get)
    widened = whole_words(TEXT, int(pair.starts[i]), int(pair.ends[j]), bound)
    return widened, math.log(sum(math.exp(logit) for logit in logits.values()))


@given(st.integers(0, 10_000))
def test_best_spans_equals_trying_all(seed):
    pair = make_input("When was it struck down?", "", TEXT)
    spans = np.random.default_rng(seed).normal(size=(len(pair), 2)).astype(np.float32)
    for bound, found in zip(SENTENCES, best_spans(pair, spans, TEXT, SENTENCES), strict=True):
        span, score = _slow(pair, spans, bound)
        assert found.span == span and bound.contains(span)
        assert found.score == pytest.approx(score, abs=1e-5)


WORDS = [match.span() for match in re.finditer(r"\w+", TEXT)]


@given(st.integers(0, 10_000), st.integers(0, len(WORDS) - 1), st.integers(0, 6))
def test_best_spans_touches_nothing_that_is_barred(seed, first, more):
    pair = make_input("When was it struck down?", "", TEXT)
    spans = np.random.default_rng(seed).normal(size=(len(pair), 2)).astype(np.float32)
    barred = Span(WORDS[first][0], WORDS[min(first + more, len(WORDS) - 1)][1])
    for bound, found in zip(SENTENCES, best_spans(pair, spans, TEXT, SENTENCES, [barred]), strict=True):
        expected = _slow(pair, spans, bound, barred)
        assert (found is None) == (expected is None)
        if found and expected:
            assert found.span == expected[0] and found.score == pytest.approx(expected[1], abs=1e-5)


def test_best_spans_reads_the_pieces_it_is_given():
    pair = make_input("When was it struck down?", "", TEXT)
    spans = np.full((len(pair), 2), -5.0, np.float32)
    spans[pair.first + int(np.flatnonzero(pair.starts == TEXT.index("November"))[0]), 0] = 5.0
    spans[pair.first + int(np.flatnonzero(pair.starts == TEXT.index("2023"))[0]), 1] = 5.0
    found = best_spans(pair, spans, TEXT, [Span(0, len(TEXT))])[0]
    assert found.span.slice(TEXT) == "November 2023" and found.score == pytest.approx(20.0, abs=0.1)


def test_a_sentence_beyond_the_cut_has_no_span():
    text = "word " * 600 + "End."
    pair = make_input("What?", "", text)
    spans = np.zeros((len(pair), 2), np.float32)
    assert best_spans(pair, spans, text, [Span(len(text) - 4, len(text))]) == [None]


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("in November 2023,", 3, 17, "November 2023"),
        ("by Kabas.", 4, 9, "Kabas"),
        ("the U.S. said", 4, 8, "U.S."),
        ("cost (about £5) more", 5, 15, "about £5"),
        ("the “gimmick” of", 4, 13, "gimmick"),
        ("the scheme (JACS) was", 4, 17, "scheme (JACS)"),
        ("uncovered", 2, 4, "uncovered"),
    ],
)
def test_whole_words_widens_and_strips(text, start, end, expected):
    assert whole_words(text, start, end, Span(0, len(text))).slice(text) == expected
