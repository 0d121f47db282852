"""A real local model: a GGUF file named by BYLINE_TEST_GGUF, asked through llama.cpp's own server on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qa
from corpus.load import bundled_articles
from qa.settings import Settings
from qa.types import Support, flat

GGUF = os.environ.get("BYLINE_TEST_GGUF", "")
SUITE = Path(__file__).parents[2] / "evals" / "suites" / "bundled.jsonl"
N_QUESTIONS = int(os.environ.get("BYLINE_TEST_GGUF_QUESTIONS", "5"))
SERVER = """
import sys
from pathlib import Path
from qa.gguf_xllamacpp import start_server
server = start_server(Path(sys.argv[1]), context_tokens=4096, threads=1)
print(server.address, server.key, flush=True)
sys.stdin.read()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not GGUF, reason="BYLINE_TEST_GGUF names no model file"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_answers_of_a_small_model_never_break_the_contract(tmp_path):
    rows = [json.loads(line) for line in SUITE.read_text("utf-8").splitlines()][::9][:N_QUESTIONS]
    settings = Settings(
        library=tmp_path, reader="llm", llm_provider="gguf", llm_model=GGUF, llm_context_tokens=4096, llm_timeout_s=600
    )
    with qa.open(settings=settings) as library:
        library.add(bundled_articles())
        for row in rows:
            answer = library.ask(row["question"])
            assert answer.abstained or answer.statements
            for statement in answer.statements:
                quotes = [flat(c.quote) for c in answer.citations if c.n in statement.citations]
                assert statement.support is not Support.VERBATIM or statement.text in quotes


def test_a_server_that_stops_in_the_middle_of_an_answer_is_answered_for(tmp_path, monkeypatch):
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, GGUF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    try:
        address, key = process.stdout.readline().split()
        settings = Settings(
            library=tmp_path, reader="llm", llm_model="local", llm_base_url=f"{address}/v1", llm_api_key=key,
            llm_context_tokens=4096, llm_timeout_s=300, llm_format="simple",
        )  # fmt: skip
        with qa.open(settings=settings) as library:
            library.add(bundled_articles())
            _stop_at_the_third_piece(process, monkeypatch)
            answer = library.ask("How much compensation does Rwanda want?")
    finally:
        process.kill()
        process.communicate()
    assert answer.degraded and answer.statements
    assert key not in json.dumps(answer.to_dict())


def _stop_at_the_third_piece(process, monkeypatch):
    from qa.language_model_llama import LlamaModel

    original = LlamaModel.stream

    def stopping(self, prompt):
        for place, step in enumerate(original(self, prompt)):
            if place == 3:
                process.kill()
                process.wait()
            yield step

    monkeypatch.setattr(LlamaModel, "stream", stopping)
