"""The page's views as functions: filters, timeline, health, inspector, downloads."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from corpus.types import Span
from index.checks import Finding
from index.types import ArticleInfo, Filters, Signals
from qa.audit import AuditLog
from qa.readers import Readers
from qa.request_id import begin_request
from qa.settings import Settings
from qa.types import Abstention, Answer, Citation, Statement, Support
from qa.views import health
from qa.views.chat import Turn, earlier_answers, render_chat, stop
from qa.views.download import file_name, render_download
from qa.views.evidence import FORGOTTEN, open_passage
from qa.views.filters import UnusableFilterError, in_words, make_filters, render_filters
from qa.views.health import ALREADY, check_steps, render_health, repair_steps, storage_of, written_size
from qa.views.inspector import render_inspector, why
from qa.views.library import Outcome, render_library, render_outcomes
from qa.views.own import on_behalf_of
from qa.views.settings import HERE_ALONE, TIMED, TOLD, render_settings
from qa.views.timeline import render_timeline
from qa.views.turn_actions import render_suggestions
from tests.fakes import make_article, make_hits
from tests.fakes_page import FakeByline

RAIN = make_article("Rain fell. Mary saw it.", "rain", source="The Daily")
SNOW = make_article("Snow fell. Nobody saw it.", "snow")
HAIL = make_article("Hail fell.", "hail")
EVIL = "<img src=x onerror=alert(1)>"


def info(id, title="T", source=None, published=None, origins=()):
    return ArticleInfo(id, title, source, None, published, "v", origins, 1)


def answered():
    hits = tuple(
        replace(hit, signals=Signals(2.0, 0.5, 0.9, score))
        for hit, score in zip(make_hits(RAIN, SNOW, HAIL), (0.9, 0.4, None), strict=True)
    )
    citation = Citation(1, RAIN, hits[0].passage.id, Span(0, 10), "Rain fell.")
    statement = Statement("Rain fell.", (1,), Support.VERBATIM)
    return Answer("What fell?", (statement,), (citation,), hits, 0.9, "fake", "0" * 12)


def test_make_filters_reads_the_fields():
    assert make_filters("", "", "", "") == Filters()
    assert make_filters("The Daily", "2025-05-06", "2025-05-06", "a") == Filters(
        ("The Daily",), date(2025, 5, 6), date(2025, 5, 6), ("a",)
    )


@pytest.mark.parametrize(("since", "until"), [("yesterday", ""), ("", "2025-13-01"), ("2025-05-06", "2025-05-05")])
def test_make_filters_refuses_in_one_sentence(since, until):
    with pytest.raises(UnusableFilterError, match=r"\.$"):
        make_filters("", since, until, "")


@pytest.mark.parametrize("name", ["x" * 1_001, "half \ud800", "\u202ereordered", "nul\x00"])
def test_make_filters_takes_no_name_that_no_list_offers(name):
    for outlet, article in ((name, ""), ("", name)):
        with pytest.raises(UnusableFilterError, match="is called that"):
            make_filters(outlet, "", "", article)


def test_what_is_done_on_the_page_is_written_down_with_who_and_which_request(tmp_path):
    client, state = SimpleNamespace(host="192.0.2.7"), SimpleNamespace(request_id="abc-1")
    log = AuditLog(tmp_path)
    try:
        with on_behalf_of(SimpleNamespace(client=client, state=state)) as who:
            log.note("added", ("rain",))
    finally:
        begin_request(None)
    [line] = (tmp_path / "audit.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert who == entry["who"] == "page, 192.0.2.7"
    assert entry["request"] == "abc-1" and entry["articles"] == ["rain"]


def test_render_filters_says_what_is_searched_and_escapes_it():
    infos = [info("a", EVIL, EVIL), info("b", "B", "The Daily", date(2025, 5, 6))]
    html = render_filters(infos, Filters((EVIL,), article_ids=("a",), since=date(2025, 5, 6)))
    assert "<img" not in html and html.count(" selected") == 2
    assert (
        in_words(Filters(("X",), date(2025, 5, 6), date(2025, 5, 7)), infos) == "X, since 6 May 2025, until 7 May 2025"
    )
    assert "Search all articles" in html and "Search all articles" not in render_filters(infos, Filters())


def test_render_filters_offers_the_newest_articles_and_the_chosen_one():
    infos = [info(str(n), f"T{n}", published=date(2000 + n // 12, n % 12 + 1, 1)) for n in range(400)]
    html = render_filters(infos, Filters(article_ids=("3",)))
    assert ">T399<" in html and ">T100<" in html and ">T99<" not in html and "selected>T3<" in html


def test_stop_marks_only_a_question_that_is_being_answered():
    assert stop(()) == () and stop((Turn(0, "?", answer=answered()),))[0].stopped is False
    (stopped,) = stop((Turn(0, "?"),))
    html = render_chat((stopped,), ())
    assert stopped.finished and 'aria-busy="false"' in html and "Stopped." in html and 'class="again"' in html
    assert 'class="stop"' in render_chat((Turn(0, "?"),), ())


def test_earlier_answers_leave_out_what_was_not_answered():
    answer = answered()
    assert earlier_answers((Turn(0, "What fell?", answer=answer), Turn(1, "?", error="x"))) == (answer,)


def test_open_passage_marks_it_whole(tmp_path):
    byline = FakeByline(tmp_path, RAIN, SNOW)
    html = open_passage(byline, (Turn(0, "?", answer=answered()),), 0, 2, 7)
    assert (
        'data-opened="7"' in html and '<mark class="cited active" data-n="1">Snow fell. Nobody saw it.</mark>' in html
    )
    assert FORGOTTEN in open_passage(byline, (), 0, 2, 7)


def test_why_tells_used_from_not_used():
    answer = answered()
    assert [why(answer, hit) for hit in answer.hits] == [
        "Cited as [1].",
        "Not used: the reader thinks less of it than of every passage cited.",
        "Not used: the reader gave it no score.",
    ]
    declined = replace(answer, statements=(), citations=(), abstention=Abstention("No."))
    assert why(declined, answer.hits[0]) == "Not used: nothing was answered."


def test_render_inspector_shows_every_figure_and_escapes():
    hit = make_hits(make_article(EVIL, "evil", title=EVIL))[0]
    html = render_inspector(replace(answered(), question=EVIL, hits=(*answered().hits, replace(hit, rank=4))))
    assert "<img" not in html and html.count("<rect") == 2 + 3 * 3 + 2
    assert "0.400" in html and "–" in html
    assert "Ask a question" in render_inspector(None)


def test_render_timeline_draws_a_bar_for_every_month_with_articles():
    days = [date(2025, 1, 6), date(2025, 1, 7), date(2025, 3, 1), None]
    html = render_timeline(days)
    assert html.count("<rect") == 2 and "January 2025: 2" in html and "1 without a date" in html
    assert "by year" in render_timeline([date(1990, 1, 1), date(2020, 1, 1)])
    assert render_timeline([None, date(2025, 1, 1)]) == ""


def test_render_health_offers_repair_only_for_what_is_not_well():
    well, ill = Finding("file", True, "Fine."), Finding("chroma", False, EVIL)
    assert "repair" not in render_health({}, [well])
    html = render_health({"Articles": 1_500_000}, [well, ill])
    assert 'class="repair"' in html and "<img" not in html and "Articles 1.5 MB" in html
    assert "<button" not in render_health({}, busy="Checking …").split("</div>")[
        0
    ] and '<details class="health">' in render_health({})


def test_storage_of_counts_the_bytes(tmp_path):
    (tmp_path / "library.sqlite3").write_bytes(b"x" * 10)
    (tmp_path / "library.sqlite3-wal").write_bytes(b"x" * 5)
    (tmp_path / "chroma" / "a").mkdir(parents=True)
    (tmp_path / "chroma" / "a" / "b").write_bytes(b"x" * 7)
    assert storage_of(tmp_path) == {"Articles": 15, "Vector index": 7, "Word index": 0, "Uploaded files": 0}
    assert [written_size(n) for n in (1, 15_400, 2_340_000, 3_000_000_000)] == ["1 kB", "15 kB", "2.3 MB", "3.0 GB"]


def test_library_folds_copies_and_says_what_is_still_to_come():
    html = render_library([info("a", origins=("/x/one.txt", "/y/two.txt"))], "")
    assert "<summary>2 copies</summary>" in html and html.count('class="origin"') == 2
    assert "Adding file 2 of 3" in render_outcomes([Outcome("a.txt", "added")], 2)


def test_downloads_are_text_under_a_plain_name():
    html = render_download(answered(), "../../etc", 5, datetime(2025, 5, 6, tzinfo=UTC))
    assert 'data-name="byline-what-fell.html"' in html and 'data-type="text/html"' in html and "<script" not in html
    assert file_name("Ünï? <../>", "md") == "byline-n.md" and file_name("？", "json") == "byline-answer.json"


def test_render_suggestions_are_buttons_that_ask():
    assert render_suggestions(0, ()) == ""
    assert '<button type="button" class="example">Who is &lt;b&gt;?</button>' in render_suggestions(3, ["Who is <b>?"])


def test_render_settings_says_what_leaves_the_machine(tmp_path):
    settings = Settings(library=tmp_path, encoder="onnx:<b>")
    html = render_settings(settings, Readers(settings))
    assert HERE_ALONE in html and "onnx:&lt;b&gt;" in html and "BYLINE_CHUNK_TOKENS" in html
    assert str(tmp_path) not in html
    sent = Settings(reader="llm", llm_model="m")
    assert "sent to the language model" in render_settings(sent, Readers(sent))


def test_render_settings_says_that_traces_leave_the_machine():
    settings = Settings(trace_endpoint="http://collector.example:4318")
    html = render_settings(settings, Readers(settings))
    assert TIMED in html and HERE_ALONE not in html
    told = Settings(reader="llm", llm_model="m", trace_endpoint="http://collector.example:4318", trace_texts=True)
    html = render_settings(told, Readers(told))
    assert TOLD in html and "sent to the language model" in html and "nothing else" not in html.lower()


def test_who_asks_for_a_check_while_one_is_made_does_not_wait(tmp_path, monkeypatch):
    made = []
    for name in ("check_health", "repair_health"):
        monkeypatch.setattr(health, name, lambda byline: made.append(1) or (Finding("file", True, "Well."),))
    byline = FakeByline(tmp_path)
    for steps in (check_steps, repair_steps):
        first = steps(byline)
        assert "…" in next(first)
        with health._AT_WORK:
            assert ALREADY in next(first) and not made
        assert "Well." in list(steps(byline))[-1] and made.pop()
