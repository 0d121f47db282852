import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.tokens_tiktoken import count_tokens, cut_by_tokens


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [("", 0), ("hello world", 2), ("The council voted 7 to 2.", 9)],
)
def test_count_tokens_known_counts(text, n_tokens):
    assert count_tokens(text) == n_tokens


def test_count_tokens_reads_special_tokens_as_text():
    assert count_tokens("a <|endoftext|> b") > 4


def test_count_tokens_leaves_the_environment_alone(monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "/nowhere")
    count_tokens("x")
    assert os.environ["TIKTOKEN_CACHE_DIR"] == "/nowhere"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("char", ["a", " ", ".", "文", "😀", "\n"])
def test_count_tokens_survives_a_million_of_one_character(char):
    assert count_tokens(char * 1_000_000) > 1_000


@given(st.text(max_size=400), st.integers(16, 40))
def test_cut_by_tokens_gives_pieces_that_fit(text, max_tokens):
    edges = [0, *cut_by_tokens(text, max_tokens), len(text)]
    assert edges == sorted(set(edges)) or text == ""
    assert all(count_tokens(text[a:b]) <= max_tokens for a, b in zip(edges, edges[1:], strict=False))


def test_cut_by_tokens_cuts_at_blanks_and_keeps_emoji_whole():
    words = "word " * 200
    assert all(words[cut - 1] == " " for cut in cut_by_tokens(words, 50))
    families = "👩‍👩‍👧‍👦" * 50
    assert all(cut % len("👩‍👩‍👧‍👦") == 0 for cut in cut_by_tokens(families, 50))
