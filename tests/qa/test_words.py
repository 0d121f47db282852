import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.words import rarity, split_words, stem_word


@pytest.mark.parametrize(
    ("left", "right"),
    [("Rwandan", "Rwanda"), ("deportees", "deported"), ("Canadian", "Canada"), ("U.S.", "American"), ("talks", "talk")],
)
def test_stem_word_brings_relatives_together(left, right):
    assert stem_word(left) == stem_word(right)


@pytest.mark.parametrize(
    ("left", "right"), [("us", "US"), ("Uganda", "Rwanda"), ("Iran", "Iraq"), ("migrant", "migraine")]
)
def test_stem_word_keeps_strangers_apart(left, right):
    assert stem_word(left) != stem_word(right)


def test_split_words_joins_united_states_with_its_abbreviation():
    assert split_words("the United States")[1].stem == split_words("U.S.")[0].stem


@given(st.text(max_size=80))
def test_split_words_places_slice_back(text):
    for word in split_words(text):
        assert text[word.start : word.end] == word.text


def test_rarity_rises_from_function_words_to_names():
    assert rarity("the") < rarity("country") < rarity("journalist") < rarity("Kabas") <= 1.0


def test_stem_word_gives_each_thread_its_own_words_stem():
    words = [start + end for start in ("deport", "confirm", "report", "harbour") for end in ("ed", "ing", "ations")]
    expected = [stem_word(word) for word in words]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns within a word, so that a shared stemmer shows at once
    try:
        for _ in range(20):
            stem_word.cache_clear()
            with ThreadPoolExecutor(4) as pool:
                assert list(pool.map(stem_word, words)) == expected
    finally:
        sys.setswitchinterval(interval)
        stem_word.cache_clear()
