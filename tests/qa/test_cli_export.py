import json

import pytest

from qa.cli_typer import run
from qa.evidence_pack import check_pack

QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "library"))


def test_ask_exports_a_pack_in_the_form_that_the_ending_names(tmp_path, capsys):
    assert run(["add", "--sample"]) == 0
    for ending in ("json", "html", "md"):
        assert run(["ask", QUESTION, "--export", str(tmp_path / f"answer.{ending}")]) == 0
    assert "Marisa Kabas" in capsys.readouterr().out
    assert check_pack(json.loads((tmp_path / "answer.json").read_text())) == []
    assert (tmp_path / "answer.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "answer.md").read_text().startswith("# Which journalist revealed")
    assert run(["ask", QUESTION, "--export", str(tmp_path / "nowhere" / "answer.md")]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["Who?", "--export", "a.pdf"], ["--batch", "-", "--export", "a.md"]])
def test_export_misuse_is_exit_code_2(arguments, capsys):
    assert run(["ask", *arguments]) == 2
    assert capsys.readouterr().err.count("Error") == 1
