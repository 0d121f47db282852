"""Sets are read exactly: offsets follow the text into the library, flaws are named."""

import gzip
import json
from pathlib import Path

import pytest

from corpus.errors import ArticleFormatError, EmptyCorpusError
from corpus.normalise import normalise_text
from corpus.types import Span
from evals.data import check_stored, load_set, merge_overlapping, sample, stored_span
from evals.types import Example, GoldSpan

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
ROW = {"id": 7, "question": "Who?", "answers": ["Ada"], "gold_docs": ["a"], "answerable": True, "type": "span"}


def _write(folder, text, **facts):
    (folder / "corpus.jsonl").write_text(json.dumps({"id": "a", "title": "t", "text": text}) + "\n\n")
    with gzip.open(folder / "queries.jsonl.gz", "wt") as file:
        file.write(json.dumps(ROW | facts) + "\n")


def test_load_set_reads_rows(tmp_path):
    _write(tmp_path, "So said Ada.", gold_spans=[{"doc": "a", "start": 8, "end": 11}], meta={"part": "new"})
    loaded = load_set(tmp_path)
    gold = (GoldSpan("a", Span(8, 11)),)
    assert loaded.examples == (Example("7", "Who?", True, ("Ada",), ("a",), gold, "span", "new"),)
    assert (loaded.name, loaded.corpus) == (tmp_path.name, tmp_path / "corpus.jsonl")


def test_load_set_moves_spans_with_the_text(tmp_path):
    text = "\ufeff  So said  \r\n\r\n\r\n\r\nAda\u00a0Lovelace, and Ada  \n again."
    start = text.index("Ada\u00a0L")
    _write(tmp_path, text, gold_spans=[{"doc": "a", "start": start, "end": start + 12}])
    span = load_set(tmp_path).examples[0].gold_spans[0].span
    assert span.slice(normalise_text(text)) == "Ada Lovelace"


def test_stored_span_takes_the_nearest_of_equal_strings():
    raw = " Ada said.\r\nAda wrote.\r\n\r\n\r\n\r\nAda slept."
    for number, start in enumerate(place for place in range(len(raw)) if raw.startswith("Ada", place)):
        stored = normalise_text(raw)
        assert stored[: stored_span(raw, Span(start, start + 3)).start].count("Ada") == number


def test_stored_span_refuses_a_span_that_normalising_removes():
    with pytest.raises(ArticleFormatError, match="evidence"):
        stored_span("a\u200b b", Span(1, 2))


def test_merge_overlapping_joins_annotators_and_keeps_neighbours():
    spans = [
        GoldSpan("a", Span(5, 9)),
        GoldSpan("a", Span(2, 6)),
        GoldSpan("a", Span(9, 12)),
        GoldSpan("b", Span(2, 6)),
    ]
    merged = [(gold.article_id, gold.span.start, gold.span.end) for gold in merge_overlapping(spans)]
    assert merged == [("a", 2, 9), ("a", 9, 12), ("b", 2, 6)]


@pytest.mark.parametrize(
    ("facts", "message"),
    [({"gold_spans": [{"doc": "b", "start": 0, "end": 1}]}, "'b'"), ({"gold_spans": [{"doc": "a"}]}, "'start'")],
    ids=["unknown article", "no offsets"],
)
def test_load_set_names_what_is_wrong_with_a_row(tmp_path, facts, message):
    _write(tmp_path, "text", **facts)
    with pytest.raises(ArticleFormatError, match=message):
        load_set(tmp_path)


def test_load_set_names_the_broken_line(tmp_path):
    _write(tmp_path, "text")
    (tmp_path / "corpus.jsonl").write_text('{"id": "a", "text": "x"}\n{"id"\n')
    with pytest.raises(ArticleFormatError, match="Line 2"):
        load_set(tmp_path)


def test_load_set_wants_both_files(tmp_path):
    with pytest.raises(EmptyCorpusError, match=r"corpus\.jsonl"):
        load_set(tmp_path)


def test_check_stored_refuses_a_library_that_lacks_evidence():
    example = Example("q", "?", True, gold_articles=("a",), gold_spans=(GoldSpan("a", Span(0, 6)),))
    check_stored([example], {"a": "Short."})
    with pytest.raises(ArticleFormatError, match="not stored"):
        check_stored([example], {})
    late = Example("q", "?", True, gold_articles=("a",), gold_spans=(GoldSpan("a", Span(0, 7)),))
    with pytest.raises(ArticleFormatError, match="ends after"):
        check_stored([late], {"a": "Short."})


def test_sample_is_the_same_every_time_keeps_order_and_takes_all_when_there_are_fewer():
    chosen = sample(range(1000), 50)
    assert len(chosen) == 50 and chosen == sample(range(1000), 50) and list(chosen) == sorted(chosen)
    assert sample("abc", None) == sample("abc", 3) == ("a", "b", "c")


def test_load_articles_refuses_a_set_with_an_unreadable_article(tmp_path):
    _write(tmp_path, "text")
    with (tmp_path / "corpus.jsonl").open("a") as file:
        file.write('{"id": "torn", "title": "t", "text": ""}\n')
    with pytest.raises(ArticleFormatError, match="cannot be read"):
        load_set(tmp_path).load_articles()


def test_load_set_reads_documents_that_disagree(tmp_path):
    kinds = [("a", "correct", "1902"), ("b", "misinfo", "1850"), ("c", "noise", "unknown")]
    with (tmp_path / "corpus.jsonl").open("w") as file:
        for name, kind, answer in kinds:
            row = {"id": name, "title": name, "text": "x", "meta": {"kind": kind, "answer": answer}}
            file.write(json.dumps(row) + "\n")
    both = ROW | {"answers": ["1902"], "wrong_answers": ["1850"], "docs": ["a", "b", "c"]}
    rows = [both, both | {"id": 8, "docs": ["a", "c"]}]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = load_set(tmp_path).examples
    assert (first.within, first.disagrees, second.disagrees) == (("a", "b", "c"), True, False)
    assert (first.wanted, first.wrong_answers) == ((("1902",),), ("1850",))


def test_load_set_asks_the_last_turn_of_a_conversation(tmp_path):
    _write(tmp_path, "text")
    (tmp_path / "queries.jsonl.gz").unlink()
    turns = [{"role": "user", "text": "Who?"}, {"role": "assistant", "text": "Ada."}, {"role": "user", "text": "When?"}]
    row = ROW | {"question": "When?", "turns": turns}
    (tmp_path / "conversations.jsonl").write_text(json.dumps(row) + "\n")
    [example] = load_set(tmp_path).examples
    assert (example.question, example.history) == ("When?", ("Who?",))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public sets are not here")
@pytest.mark.parametrize(("name", "n"), [("news_multihop", 1247), ("scifact", 809), ("wiki_squad", 6776)])
def test_load_set_places_every_span_of_the_public_sets(name, n):
    with gzip.open(SHARED / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = {row["id"]: normalise_text(row["text"]) for row in map(json.loads, file)}
    examples = load_set(SHARED / name).examples
    assert len(examples) == n
    suffix = "queries.jsonl" if name == "scifact" else "queries.jsonl.gz"
    with (gzip.open if suffix.endswith("gz") else open)(SHARED / name / suffix, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for example, row in zip(examples, rows, strict=True):
        shown = [(gold.article_id, gold.span.slice(texts[gold.article_id])) for gold in example.gold_spans]
        for gold in row.get("gold_spans") or ():
            assert any(gold["doc"] == doc and normalise_text(gold["text"]) in text for doc, text in shown)
