import gzip
import json
from datetime import date

import pytest

from corpus.load import load_sources
from corpus.load_jsonl import MAX_BAD_ROWS
from corpus.types import Article, LoadFailure

ROW = {
    "id": "mhr-1",
    "title": "Ferry",
    "text": "The council voted.",
    "url": "https://example.com/a",
    "source": "Harbour News",
    "published": "2026-02-03T10:00:00",
    "author": "Ida Roos",
    "language": "en",
    "meta": {"x": 1},
}


def load(path, rows):
    lines = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return list(load_sources([path]))


@pytest.mark.parametrize("name", ["news.jsonl", "news.jsonl.gz", "NEWS.JSONL"])
def test_load_jsonl_reads_every_fact(tmp_path, name):
    (article,) = load(tmp_path / name, [ROW])
    assert (article.id, article.id_given, article.title, article.text) == ("mhr-1", True, "Ferry", "The council voted.")
    assert (article.url, article.source, article.published) == (ROW["url"], "Harbour News", date(2026, 2, 3))
    assert (article.author, article.language) == ("Ida Roos", "en")
    assert article.origin == (tmp_path / name).as_posix()


def test_load_jsonl_makes_ids_and_titles_that_are_missing(tmp_path):
    first, second, third = load(
        tmp_path / "news.jsonl", [{"text": "One."}, "", {"text": "One."}, {"text": "Two.", "id": 7}]
    )
    assert first.id != second.id
    assert first.id.startswith("news-")
    assert (first.title, first.id_given) == ("One.", False)
    assert (third.id, third.id_given) == ("7", True)


def test_load_jsonl_names_the_line_of_a_bad_row_and_goes_on(tmp_path):
    path = tmp_path / "news.jsonl"
    bad = [
        "{not json",
        "[1]",
        {"id": "x"},
        {"text": 5},
        {"text": " "},
        {"text": "a", "id": ["b"]},
        {"text": "a", "id": ""},
        "[" * 100_000,
    ]
    loaded = load(path, [*bad, ROW])
    assert [failed.origin for failed in loaded[:-1]] == [f"{path.as_posix()}:{line}" for line in range(1, len(bad) + 1)]
    assert all(isinstance(failed, LoadFailure) and failed.reason.endswith(".") for failed in loaded[:-1])
    assert isinstance(loaded[-1], Article)


def test_load_jsonl_forgives_wrong_types_of_lesser_facts(tmp_path):
    row = {"text": "One.", "title": 5, "url": [], "source": None, "published": 20260203, "author": ["Ida", "Ole"]}
    (article,) = load(tmp_path / "news.jsonl", [row])
    assert (article.title, article.url, article.source, article.published) == ("One.", None, None, None)
    assert article.author == "Ida, Ole"


def test_load_jsonl_gives_up_on_a_file_that_is_something_else(tmp_path):
    loaded = load(tmp_path / "news.jsonl", ["nonsense"] * 5_000)
    assert len(loaded) == MAX_BAD_ROWS + 1
    assert "bad lines in a row" in loaded[-1].reason


def test_load_jsonl_keeps_what_came_before_damage(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    rows = "".join(json.dumps({"text": f"Article {n} of {hash(str(n))}."}) + "\n" for n in range(20_000)).encode()
    path.write_bytes(gzip.compress(rows)[:-50_000])
    *articles, failed = load_sources([path])
    assert articles
    assert all(isinstance(article, Article) for article in articles)
    assert isinstance(failed, LoadFailure)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("block", [b"0", b"\n"], ids=["one-line", "blank-lines"])
def test_load_jsonl_bounds_a_gzip_bomb(tmp_path, block):
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(block * 100_000_000))
    (failed,) = load_sources([path])
    assert isinstance(failed, LoadFailure)
    assert "unpack" in failed.reason or "longer than" in failed.reason


def test_load_jsonl_lets_no_row_replace_another_unseen(tmp_path):
    rows = [ROW, {**ROW, "text": "Another text."}, ROW, {"text": "A.", "url": "u"}, {"text": "B.", "url": "u"}]
    first, clash, again, by_url, other = load(tmp_path / "news.jsonl", rows)
    assert first == again and by_url.text == "A."
    for failed, line in ((clash, 1), (other, 4)):
        assert isinstance(failed, LoadFailure) and f"would replace line {line}" in failed.reason
