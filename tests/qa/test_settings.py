"""Settings: environment, checks, fingerprint."""

import pytest
from pydantic import ValidationError

from corpus.errors import SettingsError
from qa.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BYLINE_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_settings_read_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BYLINE_LIBRARY", str(tmp_path / "mine"))
    monkeypatch.setenv("BYLINE_CHUNK_TOKENS", "100")
    settings = Settings()
    assert (settings.library, settings.chunk_tokens) == (tmp_path / "mine", 100)


def test_an_argument_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("BYLINE_K", "3")
    assert Settings(k=5).k == 5


def test_settings_do_not_read_a_dotenv_file(tmp_path):
    (tmp_path / ".env").write_text("BYLINE_K=3\n")
    assert Settings().k == 10


def test_an_empty_variable_is_not_set(monkeypatch, tmp_path):
    monkeypatch.setenv("BYLINE_LIBRARY", "")
    assert Settings().library != tmp_path


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().k = 3


def test_library_is_absolute_and_knows_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(library="~/mine").library == tmp_path / "mine"
    assert Settings(library="mine").library == tmp_path / "mine"
    assert Settings().library.is_absolute()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"k": "many"}, ["'many'", "BYLINE_K"]),
        ({"k": 0}, ["0", "BYLINE_K", "greater than or equal to 1"]),
        ({"chunk_tokens": 5}, ["5", "BYLINE_CHUNK_TOKENS"]),
        ({"encoder": "bert"}, ["'bert'", "BYLINE_ENCODER", "onnx:PATH"]),
        ({"encoder": "onnx:"}, ["BYLINE_ENCODER"]),
        ({"reader": "oracle"}, ["'oracle'", "BYLINE_READER", "extractive"]),
        ({"port": 70000}, ["70000", "BYLINE_PORT"]),
        ({"trace_endpoint": "collector:4318"}, ["BYLINE_TRACE_ENDPOINT", "http://127.0.0.1:4318"]),
        ({"trace_endpoint": "http://me:secret@collector"}, ["BYLINE_TRACE_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"]),
        ({"colour": "red"}, ["'colour'", "chunk_tokens"]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_bad_value_is_one_sentence_that_names_it(values, words):
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message and message.endswith(".")


def test_a_bad_value_in_the_environment_is_a_settings_error(monkeypatch):
    monkeypatch.setenv("BYLINE_THREADS", "two")
    with pytest.raises(SettingsError, match="'two'.*BYLINE_THREADS"):
        Settings()


def test_fingerprint_changes_with_what_changes_answers_only():
    first = Settings().fingerprint("minilm", 1)
    assert Settings(port=1, host="localhost", threads=1, library="x").fingerprint("minilm", 1) == first
    others = [
        Settings(k=5).fingerprint("minilm", 1),
        Settings(chunk_tokens=100).fingerprint("minilm", 1),
        Settings(encoder="onnx:x").fingerprint("minilm", 1),
        Settings().fingerprint("bge", 1),
        Settings().fingerprint("minilm", 2),
    ]
    assert len({first, *others}) == 6
    assert len(first) == 12


def test_a_misspelt_variable_is_told_of_once_with_the_one_that_was_meant(monkeypatch, caplog):
    monkeypatch.setenv("BYLINE_STRICTNES", "strict")
    monkeypatch.setenv("BYLINE_GOLDEN", "write")  # of the tests
    Settings(k=3)
    Settings(k=4)
    (record,) = caplog.records
    assert record.getMessage() == "BYLINE_STRICTNES is no setting and changes nothing. Was BYLINE_STRICTNESS meant?"
