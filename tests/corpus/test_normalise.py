import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.normalise import normalise_text

AWKWARD = st.text(
    st.sampled_from("ab e\u0301\u0323\u00e9 \t\r\n\v\f\x00\x85\u2028\u2029\u00a0\u00ad\u200b\u200d\ufeff\ud800\u202e😀")
)


@given(st.one_of(AWKWARD, st.text()))
def test_normalise_text_twice_changes_nothing(text):
    once = normalise_text(text)
    assert normalise_text(once) == once


@given(st.one_of(AWKWARD, st.text()))
def test_normalise_text_keeps_its_promises(text):
    normal = normalise_text(text)
    assert unicodedata.is_normalized("NFC", normal)
    assert normal == normal.strip()
    assert "\n\n\n" not in normal
    assert " \n" not in normal
    assert not [char for char in normal if unicodedata.category(char) in {"Cc", "Cs"} and char != "\n"]


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("a\r\nb\rc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("a\tb\u00a0c\u2009d", "a b c d"),
        ("a  \n\n \n\nb", "a\n\nb"),
        ("co\u00adop\u200bera\ufefftion", "cooperation"),
        ("N\x00UL \x07bell", "NUL bell"),
        ("broken \ud83d half", "broken \ufffd half"),
        ("e\u0301", "é"),
        ("evil \u202etxt.exe\u202c", "evil txt.exe"),
        ("hidden\U000e0041\U000e0042 tags", "hidden tags"),
        ("👩\u200d🚀 می\u200cخواهم", "👩\u200d🚀 می\u200cخواهم"),
        ("  indented\n    more", "indented\n    more"),
    ],
    ids=[
        "line-ends",
        "blanks",
        "blank-lines",
        "invisible",
        "control",
        "surrogate",
        "nfc",
        "bidi",
        "tags",
        "joiners",
        "indent",
    ],
)
def test_normalise_text_examples(raw, normal):
    assert normalise_text(raw) == normal


@pytest.mark.timeout(10)
def test_normalise_text_takes_linear_time():
    assert len(normalise_text("a" + "\u0300\u0327" * 200_000)) < 100
    assert len(normalise_text("x" + " " * 1_000_000 + "y")) == 1_000_002
