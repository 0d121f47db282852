"""`byline chat` reads questions and commands until the end of input; `ask` takes a history and a day."""

import io
import json

import pytest

from qa.cli_typer import run


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chats") / "library"
    assert run(["--library", str(folder), "add", "--sample"]) == 0
    return str(folder)


def chat(monkeypatch, capsys, sampled, lines, *options):
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    assert run(["--library", sampled, "chat", *options]) == 0
    return capsys.readouterr()


def test_chat_asks_branches_shows_and_is_found_again(monkeypatch, capsys, sampled):
    lines = [
        "Who is Keir Starmer?",
        "What did he scrap in 2024?",
        "/edit 2 How old is he?",
        "/branches 2",
        "/branch 2 1",
    ]
    shown = chat(monkeypatch, capsys, sampled, [*lines, "/rename Prime", "/nope", "/edit 9 x"], "--new")
    assert "Read as: What did Keir Starmer scrap in 2024?" in shown.out
    assert "1  What did he scrap in 2024?\n2* How old is he?" in shown.out
    assert "1> Who is Keir Starmer?" in shown.out and "[1] US deportee" in shown.out
    assert "no command '/nope'" in shown.err and "no turn '9'" in shown.err
    assert run(["--library", sampled, "chat", "--search", "scrapped", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["title"], found["n_turns"]) == ("Prime", 3)
    again = chat(monkeypatch, capsys, sampled, ["/show", "/end", "never read"], "--resume", found["id"])
    assert "Who is Keir Starmer?" in again.out and "never read" not in again.out
    assert run(["--library", sampled, "chat", "--delete", found["id"]]) == 0
    assert run(["--library", sampled, "chat", "--resume", found["id"]]) == 1


def test_chat_refuses_two_things_at_once(capsys, sampled):
    assert run(["--library", sampled, "chat", "--new", "--list"]) == 2


def test_ask_batch_honours_a_history_and_a_day(capsys, sampled, tmp_path):
    rows = [
        {"id": 1, "question": "What did he call the plan?", "history": ["Who is Keir Starmer?"]},
        {"id": 2, "question": "Who is Keir Starmer?", "as_of": "2025-06-01"},
        {"id": 3, "question": "How old is he?"},
    ]
    batch = tmp_path / "in.jsonl"
    batch.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["--library", sampled, "ask", "--batch", str(batch)]) == 0
    first, second, third = (json.loads(line)["answer"] for line in capsys.readouterr().out.splitlines())
    assert first["standalone_question"] == "What did Keir Starmer call the plan?" and first["citations"]
    assert "2 articles without a date were left out" in second["standalone_question"] and second["abstained"]
    assert third["abstained"] and "not clear" in third["reason"]


def test_chat_says_when_there_is_nothing_to_list_and_what_it_deleted(monkeypatch, capsys, tmp_path):
    empty = str(tmp_path / "library")
    assert run(["--library", empty, "chat", "--list"]) == 0
    listed = capsys.readouterr()
    assert listed.out == "" and "no chats yet" in listed.err
    assert run(["--library", empty, "chat", "--search", "otters"]) == 0
    assert "No chat holds 'otters'" in capsys.readouterr().err
    chat(monkeypatch, capsys, empty, [], "--new")
    assert run(["--library", empty, "chat", "--list", "--json"]) == 0
    (begun,) = json.loads(capsys.readouterr().out)
    assert run(["--library", empty, "chat", "--delete", begun["id"]]) == 0
    assert capsys.readouterr().out == "1 deleted\n"
