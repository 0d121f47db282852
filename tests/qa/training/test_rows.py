import json

import pytest

from qa.training.rows import Part, Row, load_chunked, split_groups

TEXT = "Kabas revealed it in March. " + "The plan was struck down in November 2023. " * 3


@pytest.fixture
def folder(tmp_path):
    articles = [{"id": f"page{n}-{part:03}", "title": f"Page {n}", "text": TEXT} for n in range(9) for part in range(2)]
    start = TEXT.index("March")
    asked = [
        {
            "id": f"q{article['id']}",
            "question": "When did Kabas reveal it?",
            "answers": ["March"],
            "gold_docs": [article["id"]],
            "gold_spans": [
                {"doc": article["id"], "start": start, "end": start + 5, "text": "March"},
                {"doc": article["id"], "start": start - 3, "end": start + 5, "text": "in March"},
            ],
            "answerable": True,
            "type": "span",
            "context_doc": article["id"],
        }
        for article in articles
    ]
    for stem, rows in (("corpus", articles), ("queries", asked)):
        (tmp_path / f"{stem}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def test_load_chunked_places_every_span(folder):
    of = load_chunked(folder, group_pattern="-")
    for one in of.asked:
        text = of.articles[one.article_id].text
        assert {span.slice(text) for span in one.spans} == {"March", "in March"}
        assert [span.slice(text) for _, span in one.gold] == ["in March"]


def test_split_keeps_the_paragraphs_of_a_page_together(folder):
    of = load_chunked(folder, group_pattern="-")
    parts = split_groups(of.asked)
    assert len(parts) == 9 and set(parts.values()) == set(Part)
    asked = [one for part in Part for one in of.part(part)]
    assert sorted(one.id for one in asked) == sorted(one.id for one in of.asked)


def test_split_is_the_same_whatever_the_order(folder):
    of = load_chunked(folder, group_pattern="-")
    assert split_groups(of.asked) == split_groups(list(reversed(of.asked)))


@pytest.mark.parametrize("facts", [{"spans": ((0, 99),)}, {"spans": ((0, 2),), "answerable": False}])
def test_a_row_that_contradicts_itself_cannot_be(facts):
    with pytest.raises(ValueError):
        Row("Who?", "", "Kabas.", **facts)
