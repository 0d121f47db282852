import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.chunk import chunk_article
from index.types import Hit, Signals
from qa.locate_quote import locate_quote, plain_form, whole_sentences
from tests.fakes import make_article

AROUND = " \"'.…“”"
TEXT = "He said “we won’t sign”\nand left. The deal cost £50 million – or more. The deal was secret. Nobody won."


def _hit(text=TEXT):
    article = make_article(text)
    return Hit(1, chunk_article(article)[0], article, 1.0, Signals())


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("The deal cost £50 million – or more.", True),
        ("the deal cost £50 million", False),  # another letter is another quote
        ('"we won\'t sign" and left', True),
        ("“The deal cost £50 million - or more”", True),
        ("...The deal was secret...", True),
        ("The deal cost £50 millions", False),
        ("The deal cost £5", False),
        ("he deal cost £50 million", False),
        ("ecre", False),
        ("The deal cost £5O million", False),
        ("The deal", False),  # stands there twice: which one is meant?
        ("secret", True),
        ("", False),
        ('"', False),
        ("a" * 5000, False),
    ],
)
def test_locate_quote_is_exact_but_for_white_space_and_marks(quote, there):
    hit = _hit()
    span = locate_quote(quote, hit)
    assert (span is not None) == there
    if span:
        assert plain_form(span.slice(hit.article.text)).strip(AROUND) == plain_form(quote).strip(AROUND)


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_every_piece_of_a_passage_is_located_and_slices_back(start, end):
    hit, piece = _hit(), TEXT[min(start, end) : max(start, end)]
    span = locate_quote(piece, hit)
    if span is not None:
        assert hit.passage.span.contains(span)
        assert plain_form(span.slice(hit.article.text)).strip(AROUND) == plain_form(piece).strip(AROUND)
        wide = whole_sentences(span, hit)
        assert wide.contains(span) and {wide.start} <= {s.start for s in hit.passage.sentences}
    else:
        low, high = min(start, end), max(start, end)
        cuts = [TEXT[max(at - 1, 0) : at].isalnum() and TEXT[at : at + 1].isalnum() for at in (low, high)]
        assert len(piece.split()) < 4 or any(cuts)


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("It cost £50 in May", False),
        ("It cost £50,000 in May", True),
        ("000 in May of that year", False),
        ("The cafe\u0301 of Kigali closed", True),
    ],
)
def test_a_figure_is_not_cut_and_accents_are_the_articles(quote, there):
    text = "It cost £50,000 in May of that year, the 5. The café of Kigali closed."
    assert (locate_quote(quote, _hit(text)) is not None) is there
