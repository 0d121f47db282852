import pysbd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import opens_heading, split_sentences

PIECES = st.sampled_from(
    [
        *(
            "The council met. ",
            "No. 10 said so. ",
            "“Why?” he asked. ",
            "U.S. Navy ",
            "Yes! ",
            "(He left.) ",
            "... ",
            "1. ",
        ),
        *(
            "وقال الرئيس. ",
            "😀 ",
            "次の文。",
            "\n",
            "\n\n",
            "# Head\n",
            "- item\n",
            "a",
            " ",
            "\u3000",
            "x" * 300,
            "\t",
            "|",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text())


def cut(text):
    return [span.slice(text) for span in split_sentences(text)]


@given(TEXTS)
def test_split_sentences_tiles_the_text(text):
    position = 0
    for span in split_sentences(text):
        assert span.start >= position
        assert not text[position : span.start].strip()
        assert span.slice(text) == span.slice(text).strip()
        position = span.end
    assert not text[position:].strip()


@given(TEXTS)
def test_split_sentences_never_crosses_a_blank_line_or_a_heading(text):
    for span in split_sentences(text):
        first, *others = span.slice(text).split("\n")
        assert all(line.strip() for line in (first, *others))
        assert not any(line.lstrip().startswith("# ") for line in others)
        assert not (others and opens_heading(text, span))


NEWS = {
    "initials": ["Former President George W. Bush met J. K. Rowling.", "They spoke."],
    "acronym-goes-on": ["Officials from the U.S. and Rwanda met.", "The U.S. Navy was there."],
    "acronym-ends": ["He lives in the U.S.", "It is his home."],
    "date": ["UPDATE: Nov. 27, 2023, 5:00 a.m. EST This post has been updated.", "On Jan. 6 it ended."],
    "hour-ends": ["The talks began at 5 p.m.", "They ended at 9 a.m. Monday."],
    "live-blog": ["8:50 p.m. — The Eagles have lost yards on three plays.", "They punt."],
    "number": ["He lives at No. 10 Downing St. in London.", "The No. 2 is next door."],
    "said-no": ["Was it true?", "No.", "It was not."],
    "decimals": ["It rose 3.5 percent to $4.2 billion.", "4.1 percent had been expected."],
    "closing-quote": ["“We waited nine years.”", "Then he left."],
    "quote-goes-on": ["“Really?” he asked.", "“Yes!” she said."],
    "named-speaker": ["“Why now?” Trump asked.", "“Go!” Mr. Smith told them."],
    "long-quote": ["“We were afraid.", "We ran.", "Nobody helped,” said Ms. Uwase."],
    "straight-quotes": ['"It is done."', 'He left. "More will come," he said.'],
    "brackets": ["The deal (see p. 3. It is long.) was signed.", "(Nobody saw it.)", "It held."],
    "ellipsis": ["He waited... and then went on.", "Well…", "That was that."],
    "company": ["Acme Inc. reported a loss.", "So did Smith & Co.", "It hurt Acme Corp. Chief Executive Ann Lee."],
    "titles": ["Sen. Smith met Lt. Gen. Jones and Gov. Lee.", "Dr. No. was absent."],
    "latin": ["Some animals, e.g. Cats, i.e. felines, purr in Smith v. Jones.", "Brown et al. (2020) agree."],
    "footnote": ["It was so.[2]", "Then it was not.[13]", "So be it."],
    "missing-blank": ["The vote is over.", "The next one is in May."],
    "web-address": ["Visit www.example.com or Node.js today.", "It is free."],
    "tokenised": ["The band ( lit. , trans . ) is new .", "He said `` yes . ''", "Then he left ."],
    "german": ["Er kam am 3. Mai 2020.", "„Es reicht.“", "Dann ging er."],
    "arabic": ["وقال الرئيس.", "ثم ذهب؟", "نعم."],
    "japanese": ["これは文です。", "「次の文です。」", "終わり。"],
    "lower-case-name": ["He likes it.", "iPhones are dear."],
    "interjection": ["What?!", "Really...", "Yes."],
}  # fmt: skip


@pytest.mark.parametrize("sentences", NEWS.values(), ids=NEWS)
def test_split_sentences_news_cases(sentences):
    glue = "" if sentences[0].startswith(("これ", "The vote")) else " "
    expected = [part for sentence in sentences for part in _known_cuts(sentence)]
    assert cut(glue.join(sentences)) == expected


def _known_cuts(sentence):
    return ["He left.", '"More will come," he said.'] if sentence.startswith("He left. ") else [sentence]


def test_split_sentences_reads_wrapped_lines_as_one():
    text = "The minister told reporters on Monday that\nthe plan would go ahead in May. Nobody was\nsurprised.\n\nNext."
    assert [sentence.replace("\n", " ") for sentence in cut(text)] == [
        "The minister told reporters on Monday that the plan would go ahead in May.",
        "Nobody was surprised.",
        "Next.",
    ]


def test_split_sentences_keeps_short_lines_apart():
    text = "Council backs ferry\nBy Ida Roos\nThe council voted 7 to 2 for a late ferry.\n- one\n- two\n# Head\nBody"
    assert cut(text) == text.split("\n")


def test_split_sentences_repeated_sentences_are_apart():
    assert [(s.start, s.end) for s in split_sentences("No deal. No deal. No deal.")] == [(0, 8), (9, 17), (18, 26)]


PROSE = """The council voted 7 to 2 on Tuesday to add a late ferry. Councillor Anna Bråten said the vote was overdue.
The crossing will cost $4.50, up from $3.25 last year. Mr. Holt, who owns two cafes, welcomed it.
Critics such as Prof. Dale Reed warned of noise at night. They plan to appeal before Sept. 30 at the latest.
Is there money for it? The U.S. Department of Transportation has promised 1.2 million dollars.
The first boat leaves on March 1. It returns at midnight!"""


def test_split_sentences_agrees_with_pysbd_on_plain_prose():
    oracle = pysbd.Segmenter(language="en", clean=False)
    for line in PROSE.split("\n"):
        assert cut(line) == [sentence.strip() for sentence in oracle.segment(line)]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text",
    [
        *("a" * 1_000_000, "# Head\n\n" * 50_000, '."' * 200_000, "U.S. " * 100_000),
        *(". " * 200_000, "(a. " * 100_000, " " * 1_000_000),
    ],
    ids=["token", "headings", "quotes", "acronyms", "leaders", "brackets", "blanks"],
)
def test_split_sentences_takes_linear_time(text):
    split_sentences(text)
