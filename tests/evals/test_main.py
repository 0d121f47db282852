"""The command line: each command does what it says, errors are one sentence, misuse exits 2."""

import json
import re
import shlex
from pathlib import Path

import pytest

from evals.__main__ import main, parser
from tests.evals.conftest import write_set


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "library"))


def _run(*arguments):
    return main(["run", *map(str, arguments), "--work", "work"])


def test_run_report_and_compare(folder, capsys, tmp_path):
    assert _run(folder, "--out", "one", "--prices", "1,2") == 0
    table = capsys.readouterr().out
    assert "Evidence recall@10" in table and "byline" in table and "4 questions" in table
    assert _run(folder, "--out", "two", "--system", "bm25", "--workers", 2) == 0
    assert (
        main(["report", "one", "--against", "two", "--html", "r.html", "--markdown", "r.md", "--json", "r.json"]) == 0
    )
    assert "bm25" in capsys.readouterr().out
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert "## small" in (tmp_path / "r.md").read_text()
    assert json.loads((tmp_path / "r.json").read_text())["runs"][0]["manifest"]["system"] == "byline"
    assert main(["compare", "one", "two", "--json"]) == 0
    [compared] = json.loads(capsys.readouterr().out)
    assert compared["suite"] == "small" and compared["differences"]


def test_run_takes_questions_over_files_or_a_library(tmp_path, capsys):
    import qa

    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "ferry.txt").write_text("The ferry stopped on Monday because of the storm.")
    (tmp_path / "mine.csv").write_text("question,answer\nWhen did the ferry stop?,Monday\n")
    assert _run("mine.csv", "--articles", "articles", "--out", "files") == 0
    with qa.open() as library:
        library.add(tmp_path / "articles")
    assert _run("mine.csv", "--library", "library", "--out", "stored") == 0
    scores = [json.loads((tmp_path / name / "mine" / "summary.json").read_text()) for name in ("files", "stored")]
    assert [dict(each["scores"][0])["n"] for each in scores] == [1, 1]
    assert _run("mine.csv", "--library", "library", "--articles", "articles") == 1
    assert "either --articles or --library" in capsys.readouterr().err


def test_keep_a_case_settle_it_and_ask_it_again(tmp_path, capsys, caplog):
    import qa
    from corpus.load import bundled_articles

    with qa.open() as library:
        library.add(bundled_articles())
    asked = "How much compensation does Rwanda want from the UK?"
    assert main(["keep", asked, "--note", "seen"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert (kept["id"], kept["verdict"], kept["note"]) == ("kept-0001", "right", "seen")
    assert "£50 million" in kept["gold_spans"][0]["text"]
    assert main(["keep", "Who uncovered it?", "--verdict", "wrong"]) == 0
    assert main(["keep", "What is the capital of Australia?"]) == 0
    capsys.readouterr()
    assert _run("library/kept.jsonl", "--out", "runs") == 0
    assert "kept-0002" in caplog.text and "2 questions" in capsys.readouterr().out
    summary = json.loads((tmp_path / "runs" / "kept" / "summary.json").read_text())
    scores = {score["name"]: score["value"] for score in summary["scores"]}
    assert (scores["Right"], scores["Citation F1"], scores["Abstention F1"]) == (1.0, 1.0, 1.0)
    quote = "the independent journalist Marisa Kabas uncovered"
    settled = ["--settle", "kept-0002", "--article", "rwanda-two-weeks", "--quote", quote]
    assert main(["keep", *settled]) == 0
    assert main(["keep", "--settle", "kept-0003", "--decline"]) == 0
    assert main(["keep", "--list"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()[-3:]]
    assert [row["answerable"] for row in rows] == [True, True, False]
    assert _run("library/kept.jsonl", "--out", "all") == 0


@pytest.mark.parametrize(
    "arguments",
    [["keep"], ["keep", "Who?", "--list"], ["keep", "--settle", "k"], ["keep", "--settle", "k", "--article", "a"]],
    ids=["nothing", "two things", "settle how", "no quote"],
)
def test_keep_refuses_half_a_wish(arguments, capsys):
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_gate_writes_a_baseline_and_refuses_a_better_one(tmp_path, capsys):
    assert main(["gate", "--baseline", "b.json", "--update"]) == 0
    stored = json.loads((tmp_path / "b.json").read_text())
    stored["values"]["Right"] = dict.fromkeys(stored["values"]["Right"], 2.0)
    (tmp_path / "b.json").write_text(json.dumps(stored))
    capsys.readouterr()
    assert main(["gate", "--baseline", "b.json"]) == 1
    captured = capsys.readouterr()
    assert "refused: Right fell" in captured.err and "worse" in captured.out


def test_sweep_prints_points(folder, capsys):
    command = ["sweep", str(folder), "--set", "k=1,3", "--set", "dense_weight=0.2", "--work", "work", "--out", "sweeps"]
    assert main([*command, "--measure", "nDCG@10"]) == 0
    table = capsys.readouterr().out
    assert "k=1 dense_weight=0.2" in table and "*" in table
    assert main([*command, "--measure", "nosuch"]) == 1


def test_support_prints_its_table(tmp_path, capsys):
    rows = [
        {"id": n, "claim": "It rained." if n % 2 else "It snowed.", "label": "supported" if n % 2 else "no",
         "passages": [{"id": "p", "text": "It rained."}]} for n in range(8)
    ]  # fmt: skip
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["support", "claims", "--work", "work"]) == 0
    assert "word overlap" in capsys.readouterr().out


def test_dev_makes_the_whole_report(tmp_path, capsys):
    write_set(tmp_path / "data" / "clapnq")
    rows = [{"id": 1, "claim": "It rained.", "label": "supported", "passages": [{"id": "p", "text": "It rained."}]}]
    rows.append(rows[0] | {"id": 2, "claim": "It snowed.", "label": "no"})
    (tmp_path / "data" / "faithfulness_mtrag").mkdir()
    (tmp_path / "data" / "faithfulness_mtrag" / "items.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    command = ["dev", "data", "--work", "work", "--limit", "3"]
    assert main(command) == 1
    assert "lacks news_multihop" in capsys.readouterr().err
    assert main([*command, "--sets", "clapnq,faithfulness_mtrag"]) == 0
    markdown = (tmp_path / "work" / "dev.md").read_text()
    assert "| measure | n | byline | llamaindex | difference |" in markdown
    assert "Where ours is worse" in markdown and "| faithfulness_mtrag | word overlap | 2 | 1 |" in markdown
    assert "a sample of 3 of 4 questions" in markdown
    assert "flatter it here" in markdown and "learnt from part of faithfulness_wice and" in markdown
    stored = json.loads((tmp_path / "work" / "dev.json").read_text())
    assert stored["runs"][0]["against"]["system"] == "llamaindex" and len(stored["support"]) == 4
    assert (tmp_path / "work" / "dev.html").read_text().count("<svg") == 5
    assert main([*command, "--sets", "nosuch"]) == 1
    results = tmp_path / "RESULTS.md"
    results.write_text("before\n<!-- dev report -->\nstale words\n<!-- end of dev report -->\nafter\n")
    again = [*command, "--sets", "faithfulness_mtrag", "--results", str(results)]
    assert main(again) == 0 == main(again)
    assert re.fullmatch(
        r"before\n<!-- dev report -->\n\n## Support.*\n<!-- end of dev report -->\nafter\n",
        results.read_text(),
        re.DOTALL,
    )
    assert "stale words" not in results.read_text()
    results.write_text("no marks")
    assert main(again) == 1


def test_fusion_prints_a_row_for_each_weight(folder, capsys):
    assert main(["fusion", str(folder), "--libraries", "libraries"]) == 0
    printed = capsys.readouterr().out
    assert "small, even" in printed and "best on the even halves" in printed


def test_an_error_is_one_sentence(tmp_path, capsys):
    for arguments in (["run", "nosuch"], ["compare", "a", "b"], ["report", "a"], ["run", "bundled", "--set", "k=no"]):
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1


def test_the_commands_of_the_readme_parse():
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    lines = re.findall(r"^python -m evals (.+)$", readme, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        parser().parse_args(shlex.split(line))


def test_misuse_exits_2(capsys):
    for arguments in ([], ["run"], ["gate"], ["nosuch"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err
