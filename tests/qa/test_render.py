from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.errors import BrokenCitationError
from corpus.types import Passage, Span
from index.types import Hit, Signals
from qa.render import render_answer, render_statements, render_terminal
from qa.render_article import paragraphs_of, render_article
from qa.safe_text import clipped, escape, is_web_address, link, neutralise
from qa.types import (
    Abstention,
    Answer,
    Citation,
    Disagreement,
    Position,
    Statement,
    Support,
    flat,
)
from tests.fakes import make_article

TEXT = "Rain fell. Mary Lee reported it.\n\nNobody was hurt."
FACTS = {"source": "The Daily", "published": date(2025, 5, 6), "author": "A. Writer"}
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "<svg/onload=alert(1)>",
    "</p></article><iframe src=//evil.example>",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} `",
    "&lt;b&gt; &#60;i&#62;",
]
ALLOWED = {
    *("p", "button", "b", "bdi", "s", "span", "section", "h3", "h4", "ol", "li", "q", "div"),
    *("article", "header", "mark", "strong", "a", "details", "summary"),
}
TEXTS = st.text(st.characters(codec=None), min_size=1, max_size=60).filter(str.strip)


class Parsed(HTMLParser):
    """What a browser would make of the HTML: tags with attributes, and text with the tags it stands in."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.pieces, self._open = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        self.pieces.append((data, tuple(self._open)))

    @property
    def text(self):
        return "".join(data for data, _ in self.pieces)

    def within(self, wanted):
        return "".join(data for data, around in self.pieces if any(wanted(*each) for each in around))


def cite(article, start, end, n=1, answer=None):
    span = Span(start, end)
    return Citation(n, article, f"{article.id}:0", span, span.slice(article.text), Span(*answer) if answer else None)


def hit_on(article, rank=1):
    span = Span(0, len(article.text))
    return Hit(rank, Passage("p", article.id, article.version, 0, span, article.text, (), 1), article, 0.5, Signals())


def make_answer(*citations, **changes):
    article = citations[0].article if citations else make_article(TEXT, **FACTS)
    statements = tuple(Statement(flat(c.quote) or ".", (c.n,), Support.VERBATIM) for c in citations)
    values = {
        "question": "Who?",
        "statements": statements,
        "citations": citations,
        "hits": (hit_on(article),),
        "confidence": 0.9,
        "reader": "fake",
        "settings": "0" * 12,
    }
    return Answer(**values | changes)


def abstain(*hits):
    return make_answer(abstention=Abstention("No passage comes near."), hits=hits)


def is_mark(n):
    return lambda tag, attrs: tag == "mark" and str(n) in attrs["data-n"].split()


def safe(html):
    """Parse HTML and check that nothing in it can run, load or lead anywhere but to http(s)."""
    parsed = Parsed(html)
    for tag, attrs in parsed.tags:
        assert tag in ALLOWED
        assert not {name for name in attrs if name.startswith("on") or name in ("style", "src", "srcdoc")}
        assert is_web_address(attrs.get("href", "http://fine.example"))
    return parsed


def test_render_answer_gives_each_statement_its_chip():
    article = make_article(TEXT, **FACTS)
    parsed = safe(render_answer(make_answer(cite(article, 0, 10), cite(article, 11, 32, n=2)), 3))
    chips = [attrs for tag, attrs in parsed.tags if tag == "button" and "data-n" in attrs]
    assert [(chip["data-turn"], chip["data-n"]) for chip in chips] == [("3", "1"), ("3", "2")]
    assert chips[0]["aria-label"] == "Citation 1, quoted: The Daily · 6 May 2025. Open the article at this sentence."
    assert chips[1]["data-quote"] == "Mary Lee reported it."
    assert parsed.text.startswith(
        "Rain fell. 1 The Daily · 6 May 2025 quotedMary Lee reported it. 2 The Daily · 6 May 2025 quoted"
    )


def test_render_answer_names_the_title_when_outlet_and_date_are_unknown():
    article = make_article(TEXT, title="A long title that goes on and on until it is far too long for a chip")
    assert (
        "1 A long title that goes on and on until it…"
        in Parsed(render_answer(make_answer(cite(article, 0, 10)), 0)).text
    )


@pytest.mark.parametrize("facts", [{"source": "The Daily"}, {"published": date(2025, 5, 6)}], ids=["outlet", "date"])
def test_render_answer_adds_the_title_to_outlet_or_date_alone(facts):
    known = "The Daily" if "source" in facts else "6 May 2025"
    html = render_answer(make_answer(cite(make_article(TEXT, title="Rain", **facts), 0, 10)), 0)
    assert f"1 {known} · Rain quoted" in Parsed(html).text


def test_renderers_do_not_say_twice_that_the_articles_do_not_say():
    answer = make_answer(abstention=Abstention("The articles do not say: nobody is named."), hits=())
    assert Parsed(render_answer(answer, 0)).text.startswith("The articles do not say.Nobody is named.")
    assert render_terminal(answer).startswith("The articles do not say. Nobody is named.")


def test_render_answer_sets_the_short_answer_off():
    answer = make_answer(cite(make_article(TEXT), 11, 32), short_answer="Mary Lee")
    assert Parsed(render_answer(answer, 0)).within(lambda _, attrs: attrs.get("class") == "short") == "Mary Lee"


def test_render_answer_shows_an_abstention_with_its_receipts():
    far, near = make_article("Far away. " * 60, "far"), make_article(TEXT, "near", **FACTS)
    text = safe(render_answer(abstain(hit_on(near), hit_on(far, 2)), 0)).text
    assert "The articles do not say.No passage comes near." in text
    assert "Searched: the 2 nearest passages, from 2 articles." in text
    assert "Title of near · The Daily · 6 May 2025Rain fell. Mary Lee reported it. Nobody was hurt." in text
    assert text.endswith("Far away. Far away…")


def test_render_answer_without_any_hit_says_what_was_searched():
    assert "Searched: the whole library; no passage comes near the question." in render_answer(abstain(), 0)


def test_render_answer_strikes_out_what_is_not_supported():
    answer = make_answer(cite(make_article(TEXT), 0, 10))
    doubtful = Statement("Snow fell.", (1,), Support.UNSUPPORTED, ("'Snow' is not in the quote",))
    parsed = Parsed(render_answer(replace(answer, statements=(doubtful,)), 0))
    assert parsed.within(lambda tag, _: tag == "s") == "Snow fell."
    assert "not supported: 'Snow' is not in the quote" in parsed.text


def test_render_answer_shows_both_sides_of_a_disagreement():
    article = make_article(TEXT)
    sides = Disagreement("the weather", (Position("rain", (1,)), Position("none", (2,))))
    parsed = safe(render_answer(make_answer(cite(article, 0, 10), cite(article, 34, 50, 2), disagreements=(sides,)), 0))
    assert "The articles differ: the weather" in parsed.text
    assert "One article says" in parsed.text and "Another says" in parsed.text
    shown, _, _ = parsed.text.partition("Read but not cited")
    assert shown.count("Rain fell.") == 1
    assert sum(attrs.get("class") == "side" for _, attrs in parsed.tags) == 2


def test_render_answer_tells_of_the_question_read_and_of_a_degraded_reader():
    answer = make_answer(
        cite(make_article(TEXT), 0, 10), standalone_question="Who, then?", degraded="The model is down."
    )
    assert Parsed(render_answer(answer, 0)).text.startswith("Read as: Who, then?The model is down.Rain fell.")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_renderers_leave_no_payload_standing(payload):
    article = make_article(payload, title=payload, source=payload, author=payload, url=payload)
    citation = cite(article, 0, len(payload), answer=(1, len(payload) - 1))
    answered = make_answer(citation, short_answer=payload, degraded=payload, standalone_question=payload)
    for html in (
        render_answer(answered, 0),
        render_answer(abstain(hit_on(article)), 0),
        render_article(article, [citation]),
    ):
        assert payload in safe(html).text.replace("“", "")


@given(TEXTS, TEXTS)
@example("a<b", "\x00\x1b[2J")
@example("\u202egpj.exe", "\ud800")
def test_renderers_escape_any_text(words, name):
    article = make_article(words, title=name, source=name, author=name, url=name)
    answer = make_answer(cite(article, 0, len(words)), short_answer=name)
    for html in (
        render_answer(answer, 0),
        render_answer(abstain(hit_on(article)), 0),
        render_article(article, answer.citations),
    ):
        safe(html)
        html.encode("utf-8")
        assert not set(html) & set("\x00\x1b\x7f\u202d\u202e\u2066\u2069")
    assert not set(render_terminal(answer)) & set("\x00\x07\x1b\x9b\u202e")


@given(st.data(), st.text(st.sampled_from("ab <&.\n\U0001f600é"), min_size=1, max_size=40).filter(str.strip))
def test_render_article_marks_exactly_the_cited_characters(data, text):
    places = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = data.draw(st.lists(places, min_size=1, max_size=4))
    article = make_article(text)
    citations = [cite(article, start, end, n) for n, (start, end) in enumerate(spans, 1)]
    parsed = safe(render_article(article, citations, active=1))
    body = parsed.within(lambda _, attrs: attrs.get("class") == "body")
    assert body.split() == text.split() or "".join(body.split()) == "".join(text.split())
    for citation in citations:
        assert "".join(parsed.within(is_mark(citation.n)).split()) == "".join(citation.quote.split())
    active = parsed.within(lambda tag, attrs: tag == "mark" and "active" in attrs["class"])
    assert "".join(active.split()) == "".join(citations[0].quote.split())
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert sorted(ids) == sorted(f"cite-{c.n}" for c in citations if c.quote.strip() or f"cite-{c.n}" in ids)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([(0, 2), (2, 4)], [("ab", "1"), ("cd", "2"), ("efgh", None)], id="adjacent"),
        pytest.param([(0, 4), (2, 6)], [("ab", "1"), ("cd", "1 2"), ("ef", "2"), ("gh", None)], id="overlapping"),
        pytest.param(
            [(1, 7), (3, 5)], [("a", None), ("bc", "1"), ("de", "1 2"), ("fg", "1"), ("h", None)], id="nested"
        ),
        pytest.param([(0, 8), (0, 8)], [("abcdefgh", "1 2")], id="same"),
        pytest.param([], [("abcdefgh", None)], id="none"),
    ],
)
def test_render_article_cuts_at_every_border(spans, expected):
    article = make_article("abcdefgh", title="-")
    citations = [cite(article, start, end, n) for n, (start, end) in enumerate(spans, 1)]
    found = []
    for data, around in Parsed(render_article(article, citations)).pieces:
        if ("p", {"dir": "auto"}) in around:
            found.append((data, next((attrs["data-n"] for tag, attrs in around if tag == "mark"), None)))
    assert found == expected


def test_render_article_counts_code_points():
    article = make_article("\U0001f600\U0001f600 Mary é. End.")
    parsed = Parsed(render_article(article, [cite(article, 3, 10, answer=(3, 7))], active=1))
    assert parsed.within(is_mark(1)) == "Mary é."
    assert parsed.within(lambda tag, _: tag == "strong") == "Mary"


def test_render_article_marks_the_right_one_of_two_equal_sentences():
    article = make_article("It rained. It rained. It rained.")
    html = render_article(article, [cite(article, 11, 21)], active=1)
    assert (
        '>It rained. <span id="cite-1" class="anchor"></span><mark class="cited active" data-n="1">It rained.</mark> It'
        in html
    )


def test_render_article_shows_facts_and_links_only_the_web():
    head = render_article(make_article(TEXT, url="https://news.example/a?b=1&c=2", **FACTS))
    assert Parsed(head).text.startswith("The Daily · 6 May 2025 · by A. Writer · original at news.example")
    assert 'href="https://news.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer"' in head
    assert "<a " not in render_article(make_article(TEXT, url="file:///etc/passwd", **FACTS))


@pytest.mark.parametrize("other", [make_article(TEXT + " More."), make_article(TEXT, "another")], ids=["version", "id"])
def test_render_article_refuses_a_citation_of_another_article(other):
    with pytest.raises(BrokenCitationError):
        render_article(make_article(TEXT), [cite(other, 0, 10)])


def test_renderers_verify_citations_again():
    citation = cite(make_article(TEXT), 0, 10)
    answer = make_answer(citation)
    object.__setattr__(citation, "span", Span(1, 11))
    for render in (
        lambda: render_answer(answer, 0),
        lambda: render_statements(answer.statements, answer.citations, 0),
        lambda: render_terminal(answer),
        lambda: render_article(citation.article, [citation]),
    ):
        with pytest.raises(BrokenCitationError):
            render()


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("One.\nTwo.", ["One.", "Two."]),
        ("w" * 70 + "\n" + "x" * 70 + "\nend.\n\nNext.", ["w" * 70 + "\n" + "x" * 70 + "\nend.", "Next."]),
        ("p" * 200 + "\n" + "q" * 200, ["p" * 200, "q" * 200]),
        ("\n \n  One.  \n \n", ["  One.  "]),
    ],
    ids=["blank line", "short lines", "hard-wrapped", "long lines", "white space around"],
)
def test_paragraphs_of_finds_paragraphs(text, paragraphs):
    assert [span.slice(text) for span in paragraphs_of(text)] == paragraphs


@given(st.text(st.sampled_from("ab \n\t"), max_size=300))
def test_paragraphs_of_leaves_only_white_space_out(text):
    spans = paragraphs_of(text)
    assert all(one.end < two.start for one, two in zip(spans, spans[1:], strict=False))
    assert "".join("".join(span.slice(text) for span in spans).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://news.example/a?b=1&c=2#d", True),
        ("HTTP://NEWS.EXAMPLE:8080/", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)//http://x.example", False),
        ("java\tscript:alert(1)", False),
        (" https://news.example", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("//news.example/a", False),
        ("/etc/passwd", False),
        ("https://", False),
        ("https://bank.example@evil.example/", False),
        ('https://x.example/"onmouseover="alert(1)', False),
        ("https://[::1", False),
        ("https://nеws.example/", False),  # a Cyrillic letter in a Latin name
    ],
)
def test_link_is_made_for_plain_web_addresses_alone(url, fine):
    assert is_web_address(url) is fine
    assert ("<a" in link(url, "here")) is fine
    assert link(None, "<here>") == "&lt;here&gt;"


def test_neutralise_keeps_what_people_write():
    assert neutralise("Ab\tc\n“é” \u200f\u05d0 \U0001f600") == "Ab\tc\n“é” \u200f\u05d0 \U0001f600"
    assert neutralise("a\u202eb\x00c\x1b[31m\ud800") == "abc[31m\ufffd"
    assert escape("<a b='\">") == "&lt;a b=&#x27;&quot;&gt;"


@given(st.text(max_size=200), st.integers(2, 60))
def test_clipped_is_a_beginning_of_the_line(text, n_chars):
    line = clipped(text, n_chars)
    assert len(line) <= n_chars + 1 and "\n" not in line
    assert flat(text).startswith(line.removesuffix("…")) or line == flat(text)


def test_render_terminal_prints_answer_then_quotes():
    article = make_article(TEXT, title="Rain", **FACTS)
    answer = make_answer(cite(article, 0, 10), cite(article, 11, 32, 2), short_answer="Mary Lee")
    assert render_terminal(answer).split("\n\n") == [
        "Mary Lee",
        "Rain fell. [1] Mary Lee reported it. [2]",
        "[1] Rain, The Daily, 6 May 2025\n    “Rain fell.”",
        "[2] Rain, The Daily, 6 May 2025\n    “Mary Lee reported it.”",
    ]


def test_render_terminal_prints_an_abstention_with_its_receipts():
    assert render_terminal(abstain(hit_on(make_article(TEXT, title="Rain", **FACTS)))).split("\n\n") == [
        "The articles do not say. No passage comes near.",
        "Searched: the nearest passage, from 1 article.",
        "1. Rain, The Daily, 6 May 2025\n    “Rain fell. Mary Lee reported it. Nobody was hurt.”",
    ]


def test_render_terminal_wraps_and_marks_doubt():
    article = make_article("word " * 60 + "end.")
    answer = make_answer(cite(article, 0, len(article.text)))
    doubtful = replace(answer, statements=(Statement("So it is.", (1,), Support.WEAK),))
    text = render_terminal(doubtful)
    assert text.startswith("So it is. [1] (weakly supported)\n\n[1] Title of a1\n    “word word")
    assert max(map(len, text.split("\n"))) <= 100


@pytest.mark.parametrize(("columns", "most"), [(40, 40), (80, 80), (300, 100)])
def test_render_terminal_is_no_wider_than_the_terminal(columns, most):
    article = make_article("word " * 60 + "end.")
    answer = make_answer(cite(article, 0, len(article.text)))
    longest = max(map(len, render_terminal(answer, columns).split("\n")))
    assert most - len("word") <= longest <= most


def test_render_terminal_indents_a_word_that_is_longer_than_the_line():
    article = make_article("D" * 150)
    last = render_terminal(make_answer(cite(article, 0, 150)), 80).split("\n")[-1]
    assert last == f"    “{'D' * 150}”"
