"""A model's opinion of a run lies in a file of its own and changes no figure."""

import json

import pytest
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata

from corpus.errors import SettingsError
from evals.__main__ import main
from evals.judge_llamaindex import load_llm
from evals.run import run_target
from evals.target import load_target
from tests.evals.conftest import TableSystem, right_replies


class Judge(CustomLLM):
    """Says YES whenever it is asked about piers."""

    @property
    def metadata(self):
        return LLMMetadata(model_name="fake-judge")

    def complete(self, prompt, formatted=False, **kwargs):
        return CompletionResponse(text="YES" if "broke two piers" in prompt else "NO")

    def stream_complete(self, prompt, formatted=False, **kwargs):
        raise NotImplementedError


def test_judge_writes_beside_the_run(folder, tmp_path, capsys):
    run_target(load_target(str(folder)), TableSystem(right_replies()), tmp_path / "out")
    before = (tmp_path / "out" / "summary.json").read_text()
    assert main(["judge", str(tmp_path / "out"), "--llm", "tests.evals.test_judge:Judge"]) == 0
    printed = json.loads(capsys.readouterr().out)
    values = {score["name"]: (score["value"], score["n"]) for score in printed["scores"]}
    assert values == {"Judged faithful": (0.3333, 3), "Judged relevant": (0.3333, 3)}
    stored = json.loads((tmp_path / "out" / "judge.json").read_text())
    assert stored["judge"] == "fake-judge" and set(stored["verdicts"]) == {"q1", "q2", "q3"}
    assert (tmp_path / "out" / "summary.json").read_text() == before


def test_load_llm_wants_a_model():
    assert load_llm(None) is None
    assert isinstance(load_llm("tests.evals.test_judge:Judge"), Judge)
    with pytest.raises(SettingsError, match="no LlamaIndex LLM"):
        load_llm("tests.evals.conftest:right_replies")
