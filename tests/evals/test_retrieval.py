"""Running systems over a small set: every figure, the comparison, the command line, the standing baseline."""

import gzip
import json
from pathlib import Path

import pytest

from corpus.errors import ArticleFormatError
from evals.__main__ import main
from evals.data import load_set
from evals.run_retrieval import fill_library, run_systems
from evals.systems import SYSTEMS, make_ranker
from index.open import open_index
from tests.fakes import FakeEmbedder

ARTICLES = {
    "ferry": "The ferry to the island was cancelled on Monday. The storm broke two piers.",
    "budget": "The council passed the budget. Schools will get more money.",
    "trains": "Trains ran late all week. A signal near the harbour had failed.",
}
QUESTIONS = [
    ("q1", "Why was the ferry to the island cancelled?", "ferry", "The storm broke two piers.", "why"),
    ("q2", "Who will get more money?", "budget", "Schools will get more money.", "who"),
    ("q3", "What failed near the harbour?", "trains", "A signal near the harbour had failed.", "what"),
]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    articles = [{"id": name, "title": name.title(), "text": text} for name, text in ARTICLES.items()]
    with gzip.open(folder / "corpus.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in articles)
    rows = []
    for name, question, doc, evidence, kind in QUESTIONS:
        start = ARTICLES[doc].index(evidence)
        span = {"doc": doc, "start": start, "end": start + len(evidence), "text": evidence}
        rows.append({"id": name, "question": question, "gold_docs": [doc], "gold_spans": [span], "type": kind})
    rows.append({"id": "q4", "question": "What is the capital of Australia?", "type": "null"})
    lines = [json.dumps(row | {"answers": [], "answerable": row["type"] != "null"}) + "\n" for row in rows]
    (folder / "queries.jsonl").write_text("".join(lines))
    return folder


@pytest.fixture
def index(tmp_path, folder):
    with open_index(tmp_path / "library", FakeEmbedder()) as opened:
        fill_library(opened, load_set(folder))
        yield opened


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_finds_the_article_of_an_easy_question(index, tmp_path, system):
    hits = make_ranker(system, index, tmp_path / "kept")("Why was the ferry to the island cancelled?")
    assert hits[0].article_id == "ferry"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].n_tokens
    assert hits[0].span.slice(ARTICLES["ferry"]).startswith("The ferry")


def test_run_systems_reports_every_measure_by_group_and_against_the_first(index, tmp_path, folder):
    of = load_set(folder)
    asked = []
    reports = run_systems(index, of, ["hybrid", "bm25"], tmp_path / "kept", on_question=asked.append)
    assert asked == ["hybrid"] * 3 + ["bm25"] * 3  # the question without gold articles is not asked
    ours, words = reports
    assert set(ours.scores) == {"all", "why", "who", "what"}
    values = {score.name: (score.value, score.n) for score in ours.scores["all"]}
    assert values["nDCG@10"] == values["Evidence recall@10"] == values["Evidence recall@1000 tokens"] == (1.0, 3)
    assert values["Articles in 10 passages"] == (1.0, 3)
    assert ours.against == {}
    assert words.against["nDCG@10"].n == 3
    assert words.to_dict()["first_minus_this"]["RR@10"]["p_value"] == 1.0


def test_a_rerun_gives_identical_figures(index, tmp_path, folder):
    of = load_set(folder)
    first, second = (run_systems(index, of, ["hybrid"], tmp_path / "kept") for _ in range(2))
    assert first == second


def test_fill_library_refuses_a_set_with_an_unreadable_article(tmp_path, folder):
    broken = (folder / "corpus.jsonl.gz").read_bytes()
    text = gzip.decompress(broken).decode() + '{"id": "torn", "title": "t"}\n'
    (folder / "corpus.jsonl.gz").write_bytes(
        gzip.compress(text.replace('"id": "torn"', '"id": "torn", "text": ""').encode())
    )
    with (
        open_index(tmp_path / "library", FakeEmbedder()) as index,
        pytest.raises(ArticleFormatError, match="cannot be read"),
    ):
        fill_library(index, load_set(folder))


def test_the_baseline_embeds_once_and_keeps_its_index(index, tmp_path):
    from evals.baseline_llamaindex_chroma import make_baseline

    articles = list(index.library.all_articles())
    first = make_baseline(articles, FakeEmbedder(), tmp_path / "kept")("the harbour signal")

    class Refusing(FakeEmbedder):
        def embed_passages(self, texts):
            raise AssertionError("embedded again")

    assert make_baseline(articles, Refusing(), tmp_path / "kept")("the harbour signal") == first
    with pytest.raises(AssertionError, match="embedded again"):
        make_baseline(articles[:2], Refusing(), tmp_path / "kept")


def test_the_baseline_cuts_long_articles_and_its_spans_slice_back(tmp_path):
    from evals.baseline_llamaindex_chroma import split
    from tests.fakes import make_article

    text = " ".join(f"Sentence number {n} tells of the harbour and of nothing else." for n in range(400))
    nodes = split([make_article(text, id="long", title="Long", source="Echo")])
    assert len(nodes) > 3
    assert all(node.get_content() in text for node in nodes)
    assert nodes[0].metadata == {"title": "Long", "source": "Echo"}


def test_main_prints_a_table_and_writes_json(tmp_path, folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "figures.json"
    command = ["retrieval", str(folder), "--library", str(tmp_path / "kept"), "--json", str(out)]
    assert main([*command, "--system", "hybrid", "--system", "dense"]) == 0
    table = capsys.readouterr().out
    assert "Evidence recall@10" in table and "hybrid" in table and "dense" in table
    facts = json.loads(out.read_text())
    assert (facts["set"], facts["passages"]) == ("small", 3)
    assert facts["embedder"].startswith("minilm-l6-int8:")
    assert [row["system"] for row in facts["systems"]] == ["hybrid", "dense"]
    assert facts["systems"][0]["scores"]["all"][0] == {"name": "nDCG@10", "value": 1.0, "low": 1.0, "high": 1.0, "n": 3}


def test_main_tells_an_error_in_one_sentence(tmp_path, capsys):
    assert main(["retrieval", str(tmp_path), "--library", str(tmp_path / "kept")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1


def test_main_refuses_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["retrieval", str(Path("set"))])
    assert stopped.value.code == 2
    assert "--library" in capsys.readouterr().err
