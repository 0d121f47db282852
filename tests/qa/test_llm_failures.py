"""Every way a server fails, over a real connection to a scripted one: what is given instead, and where the key is."""

import json
import logging
import socket

import pytest

import qa
from qa.cli_typer import run
from qa.settings import Settings
from tests.fakes_llm import chunks, openai_server, statement

KEY = "sk-secret-0123456789abcdef"
TEXT = "Rwanda wants £50 million from the UK as compensation. No date was set."
GOOD = statement("Rwanda wants £50 million from the UK as compensation.")
ECHO = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}", "code": "x"}})
LONG = json.dumps({"error": {"message": "This model's maximum context length is 10 tokens", "code": "x"}})

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # what a broken connection leaves behind


@pytest.fixture
def ask(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    monkeypatch.setattr("qa.read_llm.time.sleep", lambda seconds: None)

    def asked(address, **more):
        values = {"reader": "llm", "llm_model": "scripted", "llm_base_url": address, "llm_api_key": KEY} | more
        with qa.open(settings=Settings(library=tmp_path / "library", **values)) as library:
            library.add(tmp_path / "a.txt")
            return library.ask("How much does Rwanda want from the UK?")

    return asked


CASES = {
    "401": ((401, {}, ECHO), 1, "refused the key (HTTP 401)"),
    "403": ((403, {}, ECHO), 1, "HTTP 403"),
    "404": ((404, {}, ECHO), 1, "HTTP 404"),
    "400": ((400, {}, ECHO), 1, "HTTP 400"),
    "429": ((429, {"retry-after": "0"}, ECHO), 3, "HTTP 429"),
    "500": ((500, {}, ECHO), 3, "HTTP 500"),
    "503": ((503, {}, "<html>busy</html>"), 3, "HTTP 503"),
    "empty": ((200, {}, chunks("")), 3, "answered nothing"),
    "truncated": ((200, {}, [*chunks(GOOD[:20], finish=None, usage=None), None]), 3, "broke off"),
    "unfinished": ((200, {}, chunks(GOOD[:20], finish=None)), 3, "broke off"),
    "no JSON": ((200, {}, ["data: {oops\n\n"]), None, "model 'scripted'"),
    "nonsense": ((200, {}, chunks("~~~ !!!")), 1, "nothing that can be read"),
    "invention": ((200, {}, chunks(statement("Bananas are yellow and very tasty."))), 1, "support"),
    "too long": ((400, {}, LONG), None, "HTTP 400"),
}


@pytest.mark.parametrize(("reply", "n_requests", "words"), CASES.values(), ids=CASES)
def test_a_failing_model_is_answered_for_by_the_articles_and_the_key_is_nowhere(ask, caplog, reply, n_requests, words):
    with openai_server(reply) as (address, seen), caplog.at_level(logging.DEBUG, logger="qa"):
        answer = ask(address)
    assert words in answer.degraded
    assert [s.support.value for s in answer.statements] == ["verbatim"]
    assert n_requests is None or len(seen) == n_requests
    assert all(headers["Authorization"] == f"Bearer {KEY}" for headers, _ in seen)
    told = json.dumps(answer.to_dict()) + caplog.text + repr(answer)
    assert KEY not in told and KEY[3:] not in told


def test_a_server_that_hangs_is_given_up(ask):
    with openai_server((200, {}, "hang")) as (address, seen):
        answer = ask(address, llm_timeout_s=0.3)
    assert "did not answer in time" in answer.degraded and len(seen) == 1


def test_a_server_that_is_not_there_is_named(ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    answer = ask(f"http://127.0.0.1:{port}/v1")
    assert "cannot be reached" in answer.degraded and answer.statements


def test_a_busy_moment_passes(ask):
    with openai_server((503, {}, "busy"), (200, {}, chunks(GOOD))) as (address, seen):
        answer = ask(address)
    assert answer.degraded is None and len(seen) == 2


def test_an_answer_counts_the_providers_tokens_and_asks_for_the_least(ask):
    with openai_server((200, {}, chunks(GOOD, usage=(50, 7)))) as (address, seen):
        answer = ask(address, llm_price="1,10")
    assert (answer.prompt_tokens, answer.completion_tokens) == (50, 7)
    assert answer.to_dict()["usage"] == {"prompt_tokens": 50, "completion_tokens": 7, "cost": 0.00012}
    body = seen[0][1]
    assert body["temperature"] == 0 and body["stream"] and body["model"] == "scripted"
    assert KEY not in json.dumps(body)


def test_no_key_of_another_service_is_sent(ask, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    with openai_server((200, {}, chunks(GOOD))) as (address, seen):
        ask(address, llm_api_key=None)
    assert "somebody" not in json.dumps(seen[0][0])


def test_ollama_is_sent_no_key_but_the_one_that_is_set(monkeypatch):
    pytest.importorskip("llama_index.llms.ollama")
    from qa.make_model_llama import make_model

    monkeypatch.setenv("OLLAMA_API_KEY", "sk-of-somebody-else")
    for key, sent in ((None, "none"), (KEY, KEY)):
        made = make_model(Settings(llm_provider="ollama", llm_model="llama3", llm_api_key=key))
        assert made._llm.client._client.headers["authorization"] == f"Bearer {sent}"


@pytest.mark.parametrize("address", [f"http://user:{KEY}@127.0.0.1/v1", f"http://127.0.0.1/v1?key={KEY}", "ftp://x"])
def test_an_address_with_a_key_is_refused_without_repeating_it(address, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("BYLINE_LLM_BASE_URL", address)
    assert run(["--debug", "--library", str(tmp_path), "models", "--no-test"]) == 1
    printed = capsys.readouterr()
    assert "BYLINE_LLM_BASE_URL" in printed.err and KEY not in printed.err + printed.out


def test_models_command_tests_what_is_configured(monkeypatch, capsys, tmp_path):
    reply = statement("Rwanda now wants £50 million from the UK as compensation.", 1, "Rwanda now wants £50 million")
    for name, value in {"READER": "llm", "LLM_MODEL": "scripted", "LLM_API_KEY": KEY, "LIBRARY": str(tmp_path)}.items():
        monkeypatch.setenv(f"BYLINE_{name}", value)
    with openai_server((200, {}, chunks(reply))) as (address, _):
        monkeypatch.setenv("BYLINE_LLM_BASE_URL", address)
        code = run(["models", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0, told
    assert [(one["reader"], one["works"]) for one in told["tested"]] == [("extractive", True), ("llm", True)]
    assert told["key"] == "set" and KEY not in json.dumps(told)


def test_models_command_fails_when_the_model_does(monkeypatch, capsys, tmp_path):
    for name, value in {"READER": "llm", "LLM_MODEL": "scripted", "LLM_API_KEY": KEY, "LIBRARY": str(tmp_path)}.items():
        monkeypatch.setenv(f"BYLINE_{name}", value)
    with openai_server((401, {}, ECHO)) as (address, _):
        monkeypatch.setenv("BYLINE_LLM_BASE_URL", address)
        code = run(["--debug", "models"])
    printed = capsys.readouterr()
    assert code == 1 and "refused the key" in printed.out
    assert KEY not in printed.out + printed.err


def test_a_model_that_is_not_named_is_asked_for(monkeypatch, capsys, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    assert run(["--library", str(tmp_path / "lib"), "add", str(tmp_path / "a.txt")]) == 0
    assert run(["--library", str(tmp_path / "lib"), "ask", "Who?", "--reader", "llm"]) == 1
    assert "BYLINE_LLM_MODEL" in capsys.readouterr().err


@pytest.mark.parametrize("provider", ["openai", "ollama", "anthropic", "gguf"])
def test_a_missing_plugin_is_named_with_its_install_command(provider, monkeypatch, tmp_path):
    import sys

    from corpus.errors import MissingExtraError
    from qa.make_model_llama import make_model

    for name in ("llama_index.llms.openai_like", "llama_index.llms.ollama", "llama_index.llms.anthropic", "xllamacpp"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "qa.gguf_xllamacpp", raising=False)
    file = tmp_path / "m.gguf"
    file.touch()
    with pytest.raises(MissingExtraError, match=r'pip install "byline\[(llm|anthropic)\]"'):
        make_model(Settings(llm_provider=provider, llm_model=str(file)))


@pytest.mark.parametrize(
    ("provider", "model", "plugin"),
    [
        ("openai", "any-model", "llama_index.llms.openai_like"),
        ("ollama", "llama3", "llama_index.llms.ollama"),
        ("anthropic", "claude-sonnet-4-5", "llama_index.llms.anthropic"),
    ],
)
def test_each_provider_is_made_without_a_connection_and_named_when_it_is_not_there(provider, model, plugin):
    pytest.importorskip(plugin)
    from corpus.errors import ModelFailedError
    from qa.language_model import Prompt
    from qa.make_model_llama import make_model

    settings = Settings(llm_provider=provider, llm_model=model, llm_api_key=KEY, llm_base_url="http://127.0.0.1:9")
    made = make_model(settings)
    assert (made.name, made.context_tokens) == (model, settings.llm_context_tokens)
    assert KEY not in made.fingerprint + repr(settings) + repr(made)
    with pytest.raises(ModelFailedError, match="cannot be reached") as caught:
        list(made.stream(Prompt("system", "user")))
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_model_that_the_plugin_does_not_know_is_told_before_it_is_asked():
    pytest.importorskip("llama_index.llms.anthropic")
    from corpus.errors import SettingsError
    from qa.make_model_llama import make_model

    with pytest.raises(SettingsError, match="does not know the model"):
        make_model(Settings(llm_provider="anthropic", llm_model="claude-0", llm_api_key=KEY))
