from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.chunk import article_id_of, chunk_article, indexed_text, passage_id
from corpus.normalise import normalise_text
from corpus.sentences import opens_heading, split_sentences
from corpus.tokens_tiktoken import count_tokens
from tests.fakes import make_article

PIECES = st.sampled_from(
    [
        "No deal was reached on Monday. ",
        "No deal was reached on Monday. ",
        "\n\n",
        "\n",
        "# Talks\n",
        "\n## More talks\n\n",
        "“Why?” ",
        "وقال الرئيس. ",
        "👩‍👩‍👧‍👦" * 20,
        "次の文。" * 10,
        "x" * 900,
        "a, b; c: " * 60,
        "<|endoftext|> ",
        "e\u0323\u0301" * 50,
        "word " * 120,
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=40).map(lambda pieces: normalise_text("".join(pieces))).filter(bool)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([16, 50, 200]))
def test_chunk_article_tiles_the_text_within_bounds(text, chunk_tokens):
    passages = chunk_article(make_article(text), chunk_tokens=chunk_tokens)
    position = 0
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.text == passage.span.slice(text)
        assert not text[position : passage.span.start].strip()
        assert passage.span.start >= position
        assert passage.n_tokens == count_tokens(passage.text) <= chunk_tokens
        position = passage.span.end
    assert not text[position:].strip()


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([16, 50, 200]))
def test_chunk_article_holds_whole_sentences_that_tile_the_passage(text, chunk_tokens):
    whole = set(split_sentences(text))
    for passage in chunk_article(make_article(text), chunk_tokens=chunk_tokens):
        assert passage.sentences[0].start == passage.span.start
        assert passage.sentences[-1].end == passage.span.end
        for before, after in zip(passage.sentences, passage.sentences[1:], strict=False):
            assert before.end <= after.start
            assert not text[before.end : after.start].strip()
        for sentence in set(passage.sentences) - whole:  # a part of an over-long sentence
            assert any(long.contains(sentence) and count_tokens(long.slice(text)) > chunk_tokens for long in whole)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([16, 50, 200]))
def test_chunk_article_never_crosses_a_heading(text, chunk_tokens):
    for passage in chunk_article(make_article(text), chunk_tokens=chunk_tokens):
        kinds = [opens_heading(text, sentence) for sentence in passage.sentences]
        assert kinds == sorted(kinds, reverse=True)  # headings first, then body


def test_chunk_article_puts_a_heading_with_what_follows():
    text = "Before.\n\n# One\n\n## Two\n\nAfter two.\n\n# Three\n\nAfter three."
    assert [passage.text for passage in chunk_article(make_article(text))] == [
        "Before.",
        "# One\n\n## Two\n\nAfter two.",
        "# Three\n\nAfter three.",
    ]


def test_chunk_article_takes_a_hash_inside_a_line_for_text():
    assert len(chunk_article(make_article("The council met. # Ferry was trending.\n\nIt voted."))) == 1


def test_chunk_article_keeps_repeated_sentences_apart():
    passages = chunk_article(make_article("No deal was reached. " * 200), chunk_tokens=50)
    starts = [passage.span.start for passage in passages]
    assert len({passage.text for passage in passages}) < len(starts)
    assert starts == sorted(set(starts))


def test_chunk_article_evens_out_its_passages():
    passages = chunk_article(make_article("The council met on Monday. " * 35))  # 6 tokens each: 210 in all
    assert len(passages) == 2
    assert abs(passages[0].n_tokens - passages[1].n_tokens) <= 6


def test_chunk_article_prefers_to_end_with_a_paragraph():
    paragraph = " ".join(["The council met on Monday."] * 15)
    passages = chunk_article(make_article("\n\n".join([paragraph] * 4)))
    assert {passage.text for passage in passages} == {"\n\n".join([paragraph] * 2)}


def test_chunk_article_splits_an_over_long_sentence_at_clauses():
    clause = "the minister of trade said that talks would go on for as long as they were needed"
    passages = chunk_article(make_article(f"{'; '.join([clause] * 30)}."))
    assert len(passages) > 1
    assert all(passage.text.endswith((clause + ";", clause + ".")) for passage in passages)
    assert all(len(passage.sentences) == 1 for passage in passages)


def test_chunk_article_is_deterministic():
    article = make_article("The council met. It voted; nobody objected.\n\n" * 60)
    assert chunk_article(article) == chunk_article(article)


def test_chunk_article_refuses_tiny_passages():
    with pytest.raises(ValueError, match="at least 16"):
        chunk_article(make_article("Text."), chunk_tokens=3)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        "# Head\n\n" * 30_000,
        "# Head\n\nbody\n\n" * 20_000,
        "a, " * 100_000,
        "文" * 100_000,
        "x" + " " * 500_000 + "y",
    ],
    ids=["token", "headings", "sections", "clauses", "chinese", "blanks"],
)
def test_chunk_article_takes_bounded_time(text):
    passages = chunk_article(make_article(text))
    assert max(passage.n_tokens for passage in passages) <= 200


def test_passage_id_is_unique_and_in_reading_order():
    version = "sha256:0123456789abcdef"
    ids = [passage_id("a", version, ordinal) for ordinal in (0, 2, 10, 100)]
    assert ids == sorted(ids)
    assert passage_id("a", "sha256:ffffffffffffffff", 0) not in ids


def test_indexed_text_heads_the_passage_with_what_is_known():
    article = make_article("The council met.", title="Ferry", source="Harbour News", published=date(2026, 2, 3))
    passage = chunk_article(article)[0]
    assert indexed_text(article, passage) == "Ferry | Harbour News | 2026-02-03\nThe council met."
    assert indexed_text(replace(article, source=None, published=None), passage) == "Ferry\nThe council met."


def test_article_id_of_undoes_passage_id_for_any_article_id():
    for article_id in ("a1", "urn:x:1", "https://example.org/a:b", ":"):
        assert article_id_of(passage_id(article_id, "sha256:" + "0" * 64, 12)) == article_id
