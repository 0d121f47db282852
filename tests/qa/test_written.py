"""What models write is read, however it is cut and whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.written import StatementParser, Written


def _parse(text, simple=False, cuts=()):
    parser = StatementParser(simple=simple)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    found = [one for start, end in zip(edges, edges[1:], strict=False) for one in parser.feed(text[start:end])]
    return found + parser.close(), parser.declined


ONE = '{"statement": "Kigali agreed.", "passage": 2, "quote": "it agreed"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE, [Written("Kigali agreed.", (2,), "it agreed")]),
        (f"Sure! Here it is:\n```json\n{ONE}\n```\nAnything else?", [Written("Kigali agreed.", (2,), "it agreed")]),
        (f"[{ONE},\n {ONE}]", [Written("Kigali agreed.", (2,), "it agreed")] * 2),
        ('{"statements": [' + ONE + "]}", [Written("Kigali agreed.", (2,), "it agreed")]),
        ('{"statement": "A b", "passage": "[3]"}', [Written("A b", (3,))]),
        ('{"statement": "A b", "passage": [1, 2.0]}', [Written("A b", (1, 2))]),
        ('{"Statement": "A b", "Passage": true}', [Written("A b")]),
        ('{"statement": "He said "yes" twice", "passage": 1}', [Written('He said "yes" twice', (1,))]),
        ('{"statement": "A b, "passage": 2\n{"statement": "C d", "passage": 1}',
         [Written("A b", (2,)), Written("C d", (1,))]),
        ('{"statement": "A b", "passage": 1, "quo', [Written("A b", (1,))]),
        ('{"statement": "A b", "passage": 1}\n{"statement": "It was not', [Written("A b", (1,))]),
        ('{"statement": "uses {braces} too", "passage": 1}', [Written("uses {braces} too", (1,))]),
        ('<think>{"statement": "no"}</think>\n' + ONE, [Written("Kigali agreed.", (2,), "it agreed")]),
        ("<think> without an end " + ONE, []),
        ("Kigali agreed [2]. The UK did not (passage 1).", [Written("Kigali agreed", (2,)),
                                                            Written("The UK did not", (1,))]),
        ('{"passage": 2}', []),
        ("", []),
    ],
)  # fmt: skip
def test_parser_reads(text, expected):
    assert _parse(text)[0] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Answer: It rained. [1]", [Written("It rained.", (1,))]),
        ("- It rained [1][2]", [Written("It rained", (1, 2))]),
        ("[3] It rained there.", [Written("It rained there.", (3,))]),
        ("According to passage [2], it rained.", [Written("it rained.", (2,))]),
        ("It rained. It snowed [4].", [Written("It rained.", (4,)), Written("It snowed", (4,))]),
        ("The man (45) was sent away (2).", [Written("The man (45) was sent away", (2,))]),
        ("The man (45) was sent away [1].", [Written("The man (45) was sent away", (1,))]),
        ("Here is what I found:", []),
        ("It rained there.", [Written("It rained there.")]),
    ],
)
def test_parser_reads_sentences_with_numbers(line, expected):
    assert _parse(line, simple=True)[0] == expected


@pytest.mark.parametrize("text", ['{"statement": null}', "NOT FOUND", "The passages do not say who did it.", "None."])
def test_parser_takes_a_refusal_for_one(text):
    assert _parse(text, simple=True) == ([], True)


PIECES = st.sampled_from(
    [ONE, '{"statement": "A', '", "passage": ', "{", "}", '"', "\\", "\n", "[1]", "[", "]", "<think>", "</think>",
     "NOT FOUND", "The man was sent away. ", "\ud800", "1e999", "{\n{", 'quote": "'] )  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=14).map("".join), st.booleans(),
       st.lists(st.integers(0, 10_000), max_size=9))  # fmt: skip
def test_parser_gives_the_same_however_the_text_is_cut_and_never_raises(text, simple, cuts):
    whole = _parse(text, simple)
    assert _parse(text, simple, cuts) == whole
    assert _parse(text, simple, range(len(text))) == whole
    assert all(one.text == " ".join(one.text.split()) for one in whole[0])


def test_parser_gives_a_statement_as_soon_as_it_is_complete():
    parser = StatementParser(simple=False)
    assert parser.feed(ONE[:-1]) == []
    assert len(parser.feed("}")) == 1
