"""The command line, mostly in this process; the contract of streams and exit codes in processes of its own."""

import ast
import gzip
import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.load import bundled_articles
from qa.cli_typer import run

ROOT = Path(__file__).parents[2]
# What a plain question must not wait for; `--help` must not even wait for numpy.
HEAVY = {"chromadb", "gradio", "llama_index", "fastapi", "trafilatura", "pypdf", "openai"}
QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"
COMMANDS = ["add", "ask", "search", "chat", "list", "show", "remove", "serve", "doctor", "compact", "reindex", "eval"]
HIT_KEYS = ["rank", "passage_id", "article_id", "start", "end", "score", "signals"]


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "library"))
    yield tmp_path / "library"
    for name in ("corpus", "index", "qa", "app", "evals"):  # `--debug` is for one process, not for the next test
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampled") / "library"
    assert run(["--library", str(folder), "add", "--sample"]) == 0
    return folder


@pytest.fixture
def sample(sampled, monkeypatch):
    """Use the library that holds the bundled articles; for tests that do not change it."""
    monkeypatch.setenv("BYLINE_LIBRARY", str(sampled))


def run_json(capsys, *args):
    assert run(args) == 0
    return json.loads(capsys.readouterr().out)


def run_process(*args, **options):
    command = [sys.executable, "-m", "qa", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options)


def write_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" if isinstance(row, dict) else row for row in rows))
    return str(path)


def test_help_names_every_command(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "eval"])
def test_each_command_has_a_line_of_help_and_an_example(capsys, command):
    assert run([command, "--help"]) == 0
    assert f"Example: byline {command}" in capsys.readouterr().out


def test_help_cuts_no_sentence_off_and_shows_no_type_of_pythons(capsys):
    assert run(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]
    for command in COMMANDS:
        if command != "eval":
            assert run([command, "--help"]) == 0
            assert not re.search("<[a-z]", capsys.readouterr().out)  # as in "<list[str]>"


def test_an_answer_is_as_wide_as_the_terminal(sample, capsys, monkeypatch):
    monkeypatch.setattr("qa.cli_options_typer._on_screen", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    assert run(["ask", QUESTION]) == 0
    assert 40 < max(map(len, capsys.readouterr().out.splitlines())) <= 50


@pytest.mark.parametrize("day", ["2025-13-01", "yesterday", "6 May 2025"])
def test_a_day_that_is_none_is_refused_in_one_sentence(capsys, day):
    assert run(["ask", "Who?", "--since", day]) == 2
    assert capsys.readouterr().err.endswith(f"'--since': '{day}' is no day such as 2025-05-31.\n")


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("byline 0.")


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["ask"],
        ["add"],
        ["ask", "Who?", "--batch", __file__],
        ["ask", "Who?", "--k", "0"],
        ["ask", "Who?", "--since", "yesterday"],
        ["ask", "Who?", "--since", "2025-05-02", "--until", "2025-05-01"],
        ["search", "--batch", "/nowhere.jsonl"],
        ["list", "--nonsense"],
    ],
    ids=" ".join,
)
def test_misuse_is_exit_code_2(capsys, args):
    assert run(args) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err


def test_ask_in_an_empty_library_says_how_to_fill_it(capsys):
    assert run(["ask", "Who?"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ")
    assert "byline add PATH" in captured.err and "--sample" in captured.err


def test_ask_prints_the_answer_with_its_proof(sample, capsys):
    assert run(["ask", QUESTION]) == 0
    captured = capsys.readouterr()
    assert "Marisa Kabas" in captured.out and "[1]" in captured.out
    assert captured.err == ""


def test_ask_json_is_the_contract_and_its_quotes_slice_back(sample, capsys):
    answer = run_json(capsys, "ask", QUESTION, "--json")
    assert list(answer) == [
        "version",
        "question",
        "standalone_question",
        "answer",
        "short_answer",
        "statements",
        "citations",
        "abstained",
        "reason",
        "confidence",
        "disagreements",
        "hits",
        "reader",
        "degraded",
        "settings",
        "timings_ms",
        "usage",
    ]
    assert answer["question"] == QUESTION and answer["abstained"] is False
    assert list(answer["statements"][0]) == ["text", "citations", "support", "problems"]
    assert list(answer["hits"][0]) == HIT_KEYS
    for citation in answer["citations"]:
        shown = run_json(capsys, "show", citation["article_id"], "--json")
        assert shown["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert shown["version"] == citation["version"]


def test_ask_that_the_articles_do_not_answer_abstains_with_exit_code_0(sample, capsys):
    answer = run_json(capsys, "ask", "What is the capital of Australia?", "--json")
    assert answer["abstained"] and answer["reason"] and answer["statements"] == [] and answer["hits"]


def test_ask_takes_a_question_without_quotation_marks(sample, capsys):
    assert run_json(capsys, "ask", "--json", *QUESTION.split())["question"] == QUESTION


def test_filters_narrow_the_search(sample, capsys):
    assert run_json(capsys, "search", "Rwanda", "--outlet", "byline sample", "--json")["hits"]
    assert run_json(capsys, "search", "Rwanda", "--outlet", "Nobody", "--json")["hits"] == []
    answer = run_json(capsys, "ask", "Who?", "--since", "2025-05-01", "--json")
    assert answer["abstained"] and "2025-05-01 or later" in answer["reason"]


def test_search_prints_hits(sample, capsys):
    found = run_json(capsys, "search", "asylum", "agreement", "--k", "2", "--json")
    assert list(found) == ["query", "hits"] and found["query"] == "asylum agreement"
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    assert list(found["hits"][0]) == HIT_KEYS
    assert run(["search", "asylum agreement", "--k", "1"]) == 0
    assert capsys.readouterr().out.startswith(" 1. ")


@pytest.mark.parametrize("command", ["ask", "search"])
def test_batch_answers_in_order_and_survives_bad_lines(sample, capsys, tmp_path, command):
    rows = [{"id": number, "question": f"Who said what about Rwanda, part {number}?"} for number in range(5)]
    path = write_lines(tmp_path / "in.jsonl", *rows[:2], "broken\n", *rows[2:], {"id": "long", "question": "x" * 9999})
    assert run([command, "--batch", path]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == [0, 1, None, 2, 3, 4, "long"]
    assert ["error" in line for line in lines] == [False, False, True, False, False, False, True]
    key = {"ask": "answer", "search": "hits"}[command]
    assert list(lines[0]) == ["id", key]
    assert "Line 3" in lines[2]["error"]


def test_batch_gives_each_line_what_a_single_question_gets(sample, capsys, tmp_path):
    with gzip.open(tmp_path / "in.jsonl.gz", "wt") as file:
        file.write(json.dumps({"id": "q", "query": "asylum agreement", "outlet": "Byline sample"}) + "\n")
    assert run(["search", "--batch", str(tmp_path / "in.jsonl.gz"), "--k", "3"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["hits"] == run_json(capsys, "search", "asylum agreement", "--k", "3", "--json")["hits"]


def test_batch_reads_standard_input_and_answers_line_by_line(sampled):
    command = [sys.executable, "-m", "qa", "--library", str(sampled), "search", "--batch", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for number in range(2):
            process.stdin.write(json.dumps({"id": number, "query": "asylum"}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_add_list_show_remove(capsys, tmp_path):
    (tmp_path / "story.txt").write_text("The harbour opened again on Monday.\n")
    report = run_json(capsys, "add", str(tmp_path / "story.txt"), "--json")
    assert list(report) == ["added", "updated", "unchanged", "removed", "failed"]
    (listed,) = run_json(capsys, "list", "--json")
    assert list(listed) == ["id", "title", "source", "url", "published", "version", "origins", "passages"]
    assert listed["id"] == report["added"][0] and listed["origins"] == [str(tmp_path / "story.txt")]
    assert run_json(capsys, "show", listed["id"], "--json") == listed | {"text": "The harbour opened again on Monday."}
    assert run(["list"]) == run(["show", listed["id"]]) == 0
    assert capsys.readouterr().out.count("harbour") >= 1
    assert run(["remove", listed["id"]]) == 0
    capsys.readouterr()
    assert run_json(capsys, "list", "--json") == []


def test_what_looks_after_the_library_answers_in_json(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("BYLINE_KEEP_VERSIONS", "true")
    (tmp_path / "story.txt").write_text("The harbour opened again on Monday.\n")
    (name,) = run_json(capsys, "add", str(tmp_path / "story.txt"), "--json")["added"]
    former = run_json(capsys, "show", name, "--json")
    (tmp_path / "story.txt").write_text("The harbour opened again on Tuesday.\n")
    run_json(capsys, "add", str(tmp_path / "story.txt"), "--json")
    kept = run_json(capsys, "show", name, "--version", former["version"], "--json")
    assert kept == former | {"passages": 0} and "Monday" in kept["text"]
    assert "Tuesday" in run_json(capsys, "show", name, "--json")["text"]
    assert run(["show", name, "--version", "sha256:0"]) == 1
    assert "sha256:0" in capsys.readouterr().err
    assert run_json(capsys, "reindex", "--json") == {"rebuilt": False}
    assert run_json(capsys, "remove", name, name, "--json") == {"removed": [name]}
    sizes = run_json(capsys, "compact", "--json")
    assert 0 < sizes["bytes_after"] <= sizes["bytes_before"]


def test_adding_again_changes_nothing(sample, capsys):
    report = run_json(capsys, "add", str(bundled_articles()), "--json")
    assert len(report["unchanged"]) == 2 and not report["added"] and not report["failed"]


def test_add_names_each_file_that_failed_and_keeps_the_rest(capsys, tmp_path):
    (tmp_path / "good.txt").write_text("The harbour opened again on Monday.\n")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    assert run(["add", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ") and "bad.pdf" in line
    assert "1 added" in captured.out and "1 failed" in captured.out
    assert len(run_json(capsys, "list", "--json")) == 1


@pytest.mark.parametrize("command", ["show", "remove"])
def test_an_unknown_article_is_an_error(sample, capsys, command):
    assert run([command, "nobody"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and "'nobody'" in captured.err


def test_a_bad_setting_is_an_error(capsys, monkeypatch):
    monkeypatch.setenv("BYLINE_K", "many")
    assert run(["list"]) == 1
    assert capsys.readouterr().err.startswith("error: 'many'")


def test_a_reader_that_does_not_exist_is_misuse(capsys):
    assert run(["ask", "Who?", "--reader", "oracle"]) == 2
    assert "'oracle' is no reader; it is extractive or llm." in capsys.readouterr().err


@pytest.mark.parametrize("place", ["before", "after"])
def test_library_may_be_named_before_or_after_the_command(sampled, capsys, place):
    option = ["--library", str(sampled)]
    args = [*option, "list", "--json"] if place == "before" else ["list", "--json", *option]
    assert len(run_json(capsys, *args)) == 2


def test_debug_shows_where_an_error_came_from(capsys, caplog):
    assert run(["--debug", "show", "nobody"]) == 1
    assert any(record.exc_info for record in caplog.records)
    assert "Traceback" not in capsys.readouterr().out


def test_text_of_an_article_cannot_steer_the_terminal(capsys, tmp_path):
    row = {"id": "evil", "title": "Red\x1b[31m alert", "text": "Clear \x1b]0;me\x07 now.", "source": "A\tB\nC"}
    assert run(["add", write_lines(tmp_path / "in.jsonl", row)]) == 0
    capsys.readouterr()
    assert run(["list"]) == run(["search", "alert"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown


def test_doctor_is_content_with_a_sound_library(sample, capsys):
    assert run(["doctor"]) == 0


def test_help_and_a_plain_question_import_nothing_heavy(sampled):
    code = "import sys; from qa.cli_typer import run; run(sys.argv[1:]); print(sorted(sys.modules), file=sys.stderr)"

    def imported(*args):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        return {name.split(".")[0] for name in ast.literal_eval(done.stderr.splitlines()[-1])}

    assert not imported("--help") & (HEAVY | {"numpy", "onnxruntime", "pydantic", "tiktoken", "rich"})
    assert not imported("--library", str(sampled), "ask", QUESTION) & HEAVY


def test_a_busy_library_names_its_owner(sampled):
    import qa

    with qa.open(sampled):
        done = run_process("--library", str(sampled), "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and str(os.getpid()) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_output_is_utf8_whatever_the_locale(sampled):
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, "-m", "qa", "--library", str(sampled), "show", "rwanda-two-weeks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment, timeout=60, check=True)
    assert "“the further away" in done.stdout.decode("utf-8")


def test_a_closed_pipe_ends_quietly(sampled):
    command = f'"{sys.executable}" -m qa --library "{sampled}" show rwanda-two-weeks | head -c 1'
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def _heed_interrupts():
    """Undo what a shell does to its background jobs, whose children would not notice Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for children")
def test_ctrl_c_is_exit_code_130(sampled):
    command = [sys.executable, "-m", "qa", "--library", str(sampled), "search", "--batch", "-"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_heed_interrupts,
    ) as process:  # fmt: skip
        process.stdin.write('{"id": 1, "query": "asylum"}\n')
        process.stdin.flush()
        process.stdout.readline()  # now it waits for the next line
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert "Traceback" not in process.stderr.read()


def test_add_mirror_removes_what_is_gone(capsys, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("kept", "gone"):
        (folder / f"{name}.txt").write_text(f"The article that is {name}.")
    assert run(["add", str(folder), "--mirror"]) == 0
    (folder / "gone.txt").unlink()
    capsys.readouterr()
    report = run_json(capsys, "add", str(folder), "--mirror", "--json")
    assert [id_.rpartition("-")[0] for id_ in report["removed"]] == ["gone"]
    assert len(report["unchanged"]) == 1
    assert run(["add", str(folder / "kept.txt"), "--mirror"]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_add_says_what_an_interrupt_leaves(capsys, monkeypatch):
    def interrupted(*sources, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("qa.byline.Byline.add", interrupted)
    assert run(["add", "--sample"]) == 130
    captured = capsys.readouterr()
    assert "Stopped." in captured.err and "goes on from there" in captured.err and captured.out == ""
