"""Reports: everything shown, everything escaped, nothing loaded from elsewhere."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from evals.plots_svg import Bar, draw_bars, draw_differences, draw_histogram, draw_lines
from evals.report import load_reports, to_json, to_markdown, worst_rows
from evals.report_html import render_page
from evals.report_rich import print_reports
from evals.run import run_target
from evals.target import load_target
from evals.types import CitedSpan, Stated
from tests.evals.conftest import TableSystem, right_replies, write_set

EVIL = '<script>alert("x")</script> & [bold]'


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A run in which everything that is text is hostile, against one that is right."""
    tmp_path = tmp_path_factory.mktemp("reports")
    folder = write_set(tmp_path / "small")
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    rows[0] |= {"question": EVIL, "type": "<img src=x>", "answers": [EVIL]}
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    target = load_target(str(folder))
    replies = right_replies()
    broken = CitedSpan(2, "<b>", 0, 9, EVIL)
    evil = replace(
        replies["q1"],
        statements=(Stated(EVIL, (1, 2, 7)),),
        citations=(*replies["q1"].citations, broken),
        short_answer=EVIL,
    )
    run_target(target, TableSystem(replies | {"q1": evil}), tmp_path / "one" / "small")
    run_target(target, TableSystem(replies), tmp_path / "two" / "small")
    return load_reports(tmp_path / "one", tmp_path / "two")


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.opened, self.links, self.ids = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        self.tags.append(tag)
        if tag not in {"meta", "img", "br"}:
            self.opened.append(tag)
        self.links += [facts[name] for name in ("src", "href") if name in facts]
        self.ids.add(facts.get("id"))

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag


def test_the_page_is_well_formed_escaped_and_needs_nothing_else(reports):
    text = render_page(reports, "<Report>")
    page = _Page(text)
    assert page.opened == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.links == ["#run-0"] and "run-0" in page.ids
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in text and "<script>" not in text
    assert not re.search(r"https?://|url\(", text)
    assert "default-src 'none'" in text


def test_the_page_shows_scores_plots_and_gold_against_cited(reports):
    text = render_page(reports)
    page = _Page(text)
    assert page.tags.count("svg") == 5  # risk, calibration, types, latency, comparison
    assert page.tags.count("details") == 4
    assert "The storm broke two piers." in text and "[7] leads nowhere." in text and "[2] does not slice back" in text
    for name in ("Right", "Citation F1", "AURC ↓", "Latency p50 (ms) ↓"):
        assert f">{name}<" in text


def test_a_run_by_itself_is_shown_without_a_comparison(reports):
    alone = replace(reports[0], against=None, differences=())
    assert _Page(render_page([alone])).tags.count("svg") == 4
    assert "difference" not in to_markdown([alone])


def test_markdown_and_json_hold_every_score(reports):
    markdown, stored = to_markdown(reports), to_json(reports)
    [run] = stored["runs"]
    assert json.loads(json.dumps(stored)) == stored
    for score in run["summary"]["scores"]:
        assert f"| {score['name']} | {score['n']} |" in markdown
    assert "4 questions, 3 articles" in markdown and "fingerprint table:1" in markdown
    assert {each["measure"] for each in run["differences"]} >= {"Right", "Citation precision", "AURC"}


def test_the_terminal_shows_names_as_they_are(reports):
    shown = io.StringIO()
    print_reports(reports, Console(width=200, file=shown))
    shown = shown.getvalue()
    assert "Citation precision" in shown and "no difference seen" in shown and "4 questions" in shown


def test_a_sample_and_faults_are_told(folder, tmp_path):
    from corpus.errors import ReadingError

    target = load_target(str(folder))
    broken = TableSystem(right_replies(), broken=dict.fromkeys(("q1", "q2", "q3"), ReadingError("It <b>broke.")))
    run_target(target, broken, tmp_path / "out", limit=3)
    reports = load_reports(tmp_path / "out")
    text = to_markdown(reports)
    assert "a sample of 3 of 4 questions (seed 20261122)" in text
    assert "(It <b>broke.)" in text and "(It &lt;b&gt;broke.)" in render_page(reports)


def test_worst_rows_begins_with_what_is_surely_wrong(reports):
    rows = worst_rows(reports[0].rows, 2)
    assert len(rows) == 2
    wrong = [replace(row, values={"Right": 0.0}) for row in reports[0].rows[:2]]
    timid, sure = (
        replace(row, reply=replace(row.reply, confidence=c)) for row, c in zip(wrong, (0.2, 0.9), strict=True)
    )
    assert worst_rows([reports[0].rows[2], timid, sure]) == [sure, timid, reports[0].rows[2]]


def test_plots_hold_what_they_are_given():
    bars = [Bar("<a>", 0.5, 0.4, 0.6, "3 questions"), Bar("b", 2.0, -1.0, 3.0)]
    assert draw_bars([("<group>", bars)], ["<one>", "two"]).count("<rect") == 2
    assert "&lt;group&gt;" in draw_bars([("<group>", bars)], ["<one>", "two"])
    assert draw_differences([replace(bars[0], value=0.1, low=-0.1, high=0.3)]).count("faint") == 1
    assert draw_differences([replace(bars[0], value=0.1, low=0.05, high=0.3)]).count("faint") == 0
    assert draw_histogram([("x", [1.0, 2.0, 1000.0])], "ms").count("<rect") == 20
    assert (draw_histogram([("x", [])], "ms"), draw_differences([])) == ("", "")
    line = draw_lines([("x", [(n / 10_000, 0.5) for n in range(10_001)])], "a", "b")
    assert line.count("L") < 500
