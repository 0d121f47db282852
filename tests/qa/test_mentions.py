import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.mentions import Kind, find_mentions


def _of(kind, text):
    return [m.span.slice(text) for m in find_mentions(text) if m.kind is kind]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("It was signed on 6 May 2025 in Kigali.", Kind.DATE, ["6 May 2025"]),
        ("The court ruled in November 2023.", Kind.DATE, ["November 2023"]),
        ("They fled in the 10th and 11th centuries.", Kind.DATE, ["10th and 11th centuries"]),
        ("It seeks £50 million (about $66 million).", Kind.MONEY, ["£50 million", "$66 million"]),
        ("Up to 30,000 people were held.", Kind.NUMBER, ["30,000"]),
        ("Some 35 per cent agreed.", Kind.NUMBER, ["35 per cent"]),
        ("It was named best app twice.", Kind.NUMBER, ["twice"]),
        ("He called it a “gimmick” on air.", Kind.QUOTE, ["“gimmick”"]),
        ("The journalist Marisa Kabas found out.", Kind.PERSON, ["Marisa Kabas"]),
        ("Troops landed in Normandy.", Kind.PLACE, ["Normandy"]),
        ("These talks go on with Rwanda.", Kind.NAME, ["Rwanda"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_find_mentions_tells_kinds_by_form(text, kind, expected):
    assert _of(kind, text) == expected


def test_find_mentions_does_not_take_a_year_inside_a_sum_for_a_date():
    assert _of(Kind.DATE, "It paid $2000 million.") == []


@given(st.text(max_size=200))
def test_find_mentions_spans_lie_in_the_text(text):
    for mention in find_mentions(text):
        assert 0 <= mention.span.start < mention.span.end <= len(text)
        assert mention.span.slice(text).strip()
