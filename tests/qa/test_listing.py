"""Plain lines for a person, whatever an article holds."""

from datetime import date

from corpus.types import LoadFailure
from index.types import AddReport, ArticleInfo
from qa.listing import article_lines, hit_lines, list_lines, report_dict, report_line
from tests.fakes import make_article, make_hits

ODD = "Red\x1b[31m\nalert"


def test_list_lines_are_one_line_of_five_fields_each():
    known = ArticleInfo("a1", "Title", "AP", None, date(2025, 5, 6), "sha256:0", ("x.txt",), 3)
    odd = ArticleInfo("a2", ODD, None, None, None, "sha256:0", (), 1)
    assert list(list_lines([known, odd])) == ["a1\t2025-05-06\tAP\tTitle\t3", "a2\t-\t-\tRed[31m alert\t1"]


def test_article_lines_show_what_is_known_and_the_text():
    article = make_article("First.\n\nSecond.", source="AP", published=date(2025, 5, 6), author=ODD)
    assert list(article_lines(article)) == [
        "Title of a1",
        "AP | 6 May 2025 | Red[31m alert",
        f"id a1, {article.version}",
        "",
        "First.\n\nSecond.",
    ]


def test_hit_lines_cut_long_passages():
    first, second = make_hits(make_article("word " * 200), make_article("Short.", "a2", source="BBC"))
    lines = list(hit_lines([first, second]))
    assert lines[0] == " 1. 1.000  Title of a1" and lines[1].endswith("word…") and len(lines[1]) < 250
    assert lines[3:] == [" 2. 0.500  Title of a2 | BBC", "    Short.", "    a2 0-6"]


def test_report_line_is_silent_about_what_did_not_happen():
    assert report_line(AddReport(added=("a", "b"))) == "2 added, 0 updated, 0 unchanged"
    report = AddReport(unchanged=("a",), failed=(LoadFailure("x.pdf", "Broken."),))
    assert report_line(report) == "0 added, 0 updated, 1 unchanged, 1 failed"
    assert report_dict(report)["failed"] == [{"origin": "x.pdf", "reason": "Broken."}]
