import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa.reading_input import MAX_PIECES, N_MARKS, WRITINGS, cut_pieces, make_input

PASSAGE = "The journalist Marisa Kabas revealed in March that 30,000 people had been moved, the UNHCR said."


def _mark(pair, passage, word):
    place = int(np.flatnonzero(pair.starts == passage.index(word))[0])
    return divmod(int(pair.marks[pair.first + place]), WRITINGS)


def test_make_input_puts_text_header_and_passage_between_marks():
    pair = make_input("Who revealed it?", "A title", PASSAGE)
    separators = np.flatnonzero(pair.ids == 102)
    assert pair.ids[0] == 101 and len(separators) == 3 and separators[-1] == len(pair) - 1
    assert pair.first == separators[1] + 1 and pair.first + len(pair.starts) == len(pair) - 1
    assert not pair.segments[: separators[0] + 1].any() and pair.segments[separators[0] + 1 :].all()


def test_make_input_keeps_the_place_of_every_piece():
    pair = make_input("Who?", "", PASSAGE)
    words = [PASSAGE[start:end] for start, end in zip(pair.starts, pair.ends, strict=True)]
    assert "revealed" in words and "March" in words
    assert (np.diff(pair.starts) > 0).all()


def test_marks_tell_writing_and_match():
    pair = make_input("Did the journalists reveal what the UNHCR said?", "", PASSAGE)
    assert _mark(pair, PASSAGE, "Marisa") == (0, 1)
    assert _mark(pair, PASSAGE, "UNHCR") == (3, 2)
    assert _mark(pair, PASSAGE, "30") == (0, 3)
    assert _mark(pair, PASSAGE, "journalist")[0] >= 2  # met in another form
    assert _mark(pair, PASSAGE, "The") == (1, 1)  # a function word matches as one


def test_a_word_matches_the_header_too():
    with_header, without = (make_input("What about Kigali?", header, "Talks go on.") for header in ("Kigali talks", ""))
    assert with_header.marks[3] // WRITINGS > 1 and without.marks[3] // WRITINGS == 0


def test_a_long_passage_is_cut_at_its_end():
    pair = make_input("What is it?", "Title", "word " * 2_000)
    assert len(pair) == MAX_PIECES and pair.ids[-1] == 102


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=200))
def test_any_text_makes_an_input(text, header, passage):
    pair = make_input(text, header, passage)
    assert len(pair.ids) == len(pair.segments) == len(pair.marks) <= MAX_PIECES
    assert (pair.marks >= 0).all() and (pair.marks < N_MARKS).all()
    assert all(0 <= start < end <= len(passage) for start, end in zip(pair.starts, pair.ends, strict=True))


def test_cut_pieces_survives_a_lone_surrogate():
    assert cut_pieces("broken \ud800 paste").ids
