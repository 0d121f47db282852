import json
import re
from datetime import UTC, date, datetime

import pytest

from corpus.types import Span
from index.types import Hit, Signals
from qa.evidence_pack import check_pack, context_of, make_pack, write_pack
from qa.types import Abstention, Answer, Citation, Disagreement, Position, Statement, Support
from tests.fakes import make_article, make_hits

MADE = datetime(2025, 5, 6, 12, tzinfo=UTC)
RAIN = make_article(
    "Rain 🌧 fell. Mary Lee saw it.\n\nNobody was hurt.", "rain", source="The Daily", published=date(2025, 5, 6)
)
EVIL = "</script><script>alert(1)</script>![x](http://evil.example/x.png) <!-- \u202e"


def answer_of(article, *spans, **changes):
    citations = tuple(
        Citation(n, article, f"{article.id}:0", span, span.slice(article.text)) for n, span in enumerate(spans, 1)
    )
    statements = tuple(Statement(" ".join(c.quote.split()), (c.n,), Support.VERBATIM) for c in citations)
    values = {"question": "Who saw it?", "confidence": 0.9, "reader": "fake", "settings": "0" * 12}
    return Answer(
        **values | {"statements": statements, "citations": citations, "hits": tuple(make_hits(article))} | changes
    )


ANSWER = answer_of(RAIN, Span(0, 12), Span(13, 29), short_answer="Mary Lee")


def test_make_pack_holds_all_that_its_check_needs():
    pack = json.loads(write_pack(ANSWER, "json", MADE))
    assert check_pack(pack) == []
    assert (pack["made"], pack["answer"]["settings"]) == ("2025-05-06T12:00:00Z", "0" * 12)
    [article] = pack["articles"]
    assert [article["text"][c["start"] : c["end"]] for c in pack["answer"]["citations"]] == [
        "Rain 🌧 fell.",
        "Mary Lee saw it.",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda pack: pack["articles"][0].update(text=RAIN.text.replace("hurt", "seen")),
            "is not the one that was read",
        ),
        (lambda pack: pack["answer"]["citations"][0].update(quote="Snow fell."), "Quote 1 does not stand"),
        (lambda pack: pack["answer"]["citations"][1].update(start=12), "Quote 2 does not stand"),
        (lambda pack: pack["answer"]["statements"][0].update(text="Snow fell."), "is not what its article says"),
        (lambda pack: pack["answer"]["statements"][0].update(citations=[9]), "has no quote"),
        (lambda pack: pack["articles"].clear(), "does not stand in its article"),
    ],
    ids=["text", "quote", "place", "statement", "number", "no article"],
)
def test_check_pack_finds_what_was_changed(change, problem):
    pack = make_pack(ANSWER, MADE)
    change(pack)
    assert any(problem in each for each in check_pack(pack))


def test_make_pack_of_an_abstention_holds_the_nearest_articles():
    declined = answer_of(RAIN, abstention=Abstention("Nothing near."))
    pack = make_pack(declined, MADE)
    assert [article["id"] for article in pack["articles"]] == ["rain"] and check_pack(pack) == []
    assert "The articles do not say." in write_pack(declined, "html", MADE)
    assert "**The articles do not say.** Nothing near\\." in write_pack(declined, "md", MADE)


def test_html_needs_nothing_else_and_lets_nothing_else_run():
    article = make_article(EVIL, "evil", title=EVIL, source=EVIL, url="javascript:alert(1)")
    html = write_pack(answer_of(article, Span(0, len(EVIL)), question=EVIL), "html", MADE)
    assert len(re.findall(r"<script\b", html)) == 2  # the data and our own
    assert "default-src 'none'" in html and "script-src 'sha256-" in html and "unsafe" not in html
    body = re.sub(r'<script type="application/json".*?</script>', "", html)
    assert not re.search(r'<[^>]*\s(src|href)="(?!#)', body)
    assert "\u202e" not in html
    data = re.search(r'<script type="application/json" id="pack">(.*?)</script>', html)[1]
    assert check_pack(json.loads(data)) == []
    assert json.loads(data)["articles"][0]["text"] == EVIL


def test_markdown_shows_marks_as_they_are():
    article = make_article(EVIL, "evil", title=EVIL)
    text = write_pack(answer_of(article, Span(0, len(EVIL)), question=EVIL), "md", MADE)
    assert "<script" not in text.replace("\\<", "") and "![x]" not in text
    assert "[^1]: " in text and article.version in text


def test_packs_show_both_sides_of_a_disagreement():
    sides = Disagreement("the weather", (Position("rain", (1,)), Position("Mary", (2,))))
    both = answer_of(RAIN, Span(0, 12), Span(13, 29), disagreements=(sides,))
    for form, value in (("html", '<li dir="auto">rain '), ("md", "- rain[^1]")):
        assert value in write_pack(both, form, MADE) and "The articles disagree: the weather" in write_pack(
            both, form, MADE
        )


@pytest.mark.parametrize(
    ("span", "before", "after"),
    [(Span(0, 4), "", " five …"), (Span(5, 9), "four ", " six …")],
    ids=["start", "middle"],
)
def test_context_of_cuts_at_blanks(span, before, after, monkeypatch):
    monkeypatch.setattr("qa.evidence_pack.CONTEXT_CHARS", 8)
    assert context_of("four five six seven eight", span) == (before, after)


def test_hit_without_scores_is_packed():
    hit = Hit(1, make_hits(RAIN)[0].passage, RAIN, 0.5, Signals())
    assert make_pack(answer_of(RAIN, Span(0, 12), hits=(hit,)), MADE)["answer"]["hits"][0]["rank"] == 1
