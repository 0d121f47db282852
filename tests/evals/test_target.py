"""What a name stands for: a suite with news of its own, articles given in their place, a set's folder."""

import json
from pathlib import Path

import pytest

from corpus.errors import ArticleFormatError, SettingsError
from corpus.load import bundled_articles
from evals.data import EvalSet
from evals.target import load_target
from tests.evals.conftest import ARTICLES

HARBOUR = "The harbour of Trelleborg was closed on Monday. Ebba Quist ordered it."
ROW = {
    "id": "p-1",
    "question": "Who closed the harbour of Trelleborg?",
    "type": "who",
    "answerable": True,
    "answers": ["Ebba Quist"],
    "evidence": [{"article": "harbour", "all_of": ["Ebba Quist"]}],
}


@pytest.fixture
def suite(tmp_path):
    """A suite with its own news in the folder of its name."""
    (tmp_path / "port").mkdir()
    (tmp_path / "port" / "harbour.txt").write_text(HARBOUR)
    path = tmp_path / "port.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def _files(articles):
    return [Path(article.origin).name for article in articles]


def test_a_suite_brings_the_news_of_its_folder_beside_the_bundled_articles(suite):
    target = load_target(str(suite))
    *others, own = target.articles
    assert _files(others) == _files(EvalSet("bundled", bundled_articles(), ()).load_articles())
    assert _files([own]) == ["harbour.txt"]
    [example] = target.of.examples
    assert example.gold_articles == (own.id,)
    assert [gold.span.slice(own.text) for gold in example.gold_spans] == ["Ebba Quist ordered it."]
    assert (target.of.name, target.of.articles, target.library) == ("port", (), None)


def test_articles_that_are_given_take_the_place_of_all_others(suite, tmp_path):
    assert _files(load_target(str(suite), articles=tmp_path / "port").articles) == ["harbour.txt"]
    (tmp_path / "weather").mkdir()
    (tmp_path / "weather" / "rain.txt").write_text("Rain fell on Oslo.")
    with pytest.raises(ArticleFormatError, match="not among the articles"):
        load_target(str(suite), articles=tmp_path / "weather")
    with pytest.raises(SettingsError, match="either --articles or --library"):
        load_target(str(suite), articles=tmp_path / "port", library=tmp_path / "library")


def test_a_set_brings_its_articles_whatever_library_is_named(folder, tmp_path):
    target = load_target(str(folder), library=tmp_path / "library")
    assert {article.id: article.text for article in target.articles} == ARTICLES
    assert (target.of.name, target.library, (tmp_path / "library").exists()) == ("small", None, False)
