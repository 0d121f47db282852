"""The frozen `Settings`: the only place that reads the environment (`BYLINE_*`); entry points pass them down."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.errors import SettingsError
from qa.choice import ReaderName, Strictness
from qa.price import Price

_log = logging.getLogger(__name__)


class Settings(BaseSettings):
    """What a person may set; each field is also an environment variable, e.g. `BYLINE_CHUNK_TOKENS`.

    No `.env` file is read: a file in the working directory must not change whose answers one gets.

    Args:
        library: Folder of the library; the platform's user-data folder when not set.
        k: Hits per question.
        chunk_tokens: Longest passage in tokens (tiktoken `o200k_base`).
        keep_versions: Whether former versions of edited articles stay readable, for citations that were saved. None
            leaves the library as it is; a new one keeps none, so that what is corrected or withdrawn is gone.
        encoder: `embedded`, or `onnx:PATH` naming a folder with an ONNX encoder.
        reader: What turns hits into statements: `extractive`, or `llm`, the language model of the next settings.
        llm_provider: How the language model is asked; `gguf` runs a file on this machine.
        llm_model: Its name, or the path of the GGUF file.
        llm_base_url: Where it is asked; the provider's usual address when None.
        llm_api_key: From the environment; never shown, logged or stored.
        llm_context_tokens: What prompt and answer may have together.
        llm_timeout_s: Seconds that one answer may take, repeated requests included.
        llm_format: How the model is to write; `simple` asks for less and suits small models.
        llm_price: What a million tokens of prompt and of answer cost, e.g. `0.15,0.60`.
        strictness: How sure the reader must be before it answers rather than declines.
        threads: Threads of the encoder and the reader; None lets it choose.
        host: Where the page listens; loopback unless set.
        port: Port of the page; None takes the first free one from Gradio's usual 7860 up.
        max_question_chars: Longer questions are refused.
        deadline_s: Seconds that finding passages may take.
        log: Least level that is logged to stderr.
        log_format: Sentences for people, or a JSON object a line for programs.
        token: Demanded of everybody who uses the served page and the HTTP interface.
        user: Or this name, with the password of which `password_hash` is the Argon2 hash.
        password_hash: Made by `byline password`.
        allowed_hosts: Names under which the service is addressed, with commas, beside its own address.
        workers: Questions that are answered side by side.
        queue: Questions that may wait; beyond it "busy" is the answer.
        per_client: Questions of one address under way together.
        trace_endpoint: Address of an OpenTelemetry collector (OTLP over HTTP) that the traces of served questions are
            sent to; that of the standard's own variable, OTEL_EXPORTER_OTLP_ENDPOINT, unless set.
        trace_texts: Whether traces hold questions, answers and prompts, or only times and counts.

    Raises:
        SettingsError: If a value cannot be used; the sentence names the setting and its variable.
    """

    model_config = SettingsConfigDict(
        env_prefix="BYLINE_",
        env_file=None,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    library: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("byline", appauthor=False)))
    k: int = Field(default=10, ge=1)
    # Below 32 tokens a passage is less than a sentence; the encoders in use read at most 512 word pieces.
    chunk_tokens: int = Field(default=200, ge=32, le=512)
    keep_versions: bool | None = None
    encoder: str = "embedded"
    reader: ReaderName = "extractive"
    llm_provider: Literal["openai", "ollama", "anthropic", "gguf"] = "openai"
    llm_model: str | None = None
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_context_tokens: int = Field(default=8192, ge=1024)  # below, no passage fits beside the instructions
    llm_timeout_s: float = Field(default=60.0, gt=0)
    llm_format: Literal["auto", "full", "simple"] = "auto"
    llm_price: str | None = None
    strictness: Strictness = "balanced"
    threads: int | None = Field(default=None, ge=1)
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    max_question_chars: int = Field(default=4000, ge=1)  # room for a pasted paragraph, not for an article
    deadline_s: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    log: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["text", "json"] = "text"
    token: SecretStr | None = Field(default=None, min_length=16)  # shorter ones can be guessed over a network
    user: str | None = Field(default=None, min_length=1, max_length=100, pattern="^[^:]+$")
    password_hash: SecretStr | None = Field(default=None, min_length=1)
    allowed_hosts: str | None = None
    # Most of an answer is spent in native code and in waiting; what more threads than cores cost is memory.
    workers: int = Field(default=16, ge=1, le=256)
    queue: int = Field(default=128, ge=0, le=10_000)  # eight a worker: some seconds of waiting
    per_client: int = Field(default=64, ge=1)  # a room of people behind one address
    trace_endpoint: str | None = Field(default_factory=lambda: os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None)
    trace_texts: bool = False

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks the values, not mypy
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from error
        for sentence in _misspelt(os.environ):
            _log.warning(sentence)

    @field_validator("library")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()

    @field_validator("encoder")
    @classmethod
    def _known_encoder(cls, encoder: str) -> str:
        kind, _, path = encoder.partition(":")
        if encoder != "embedded" and not (kind == "onnx" and path):
            raise ValueError("it is neither 'embedded' nor 'onnx:PATH'")
        return encoder

    @field_validator("llm_base_url")
    @classmethod
    def _plain_address(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is no http(s) address, e.g. http://127.0.0.1:11434/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("it may hold no key; put that into BYLINE_LLM_API_KEY")
        return address

    @field_validator("trace_endpoint")
    @classmethod
    def _collector(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is no http(s) address, e.g. http://127.0.0.1:4318")
        if parts.username or parts.password or parts.query:
            raise ValueError("it may hold no key; put that into OTEL_EXPORTER_OTLP_HEADERS")
        return address

    @field_validator("llm_price")
    @classmethod
    def _two_prices(cls, price: str | None) -> str | None:
        if price is not None and not re.fullmatch(r"\s*\d+(?:\.\d+)?\s*,\s*\d+(?:\.\d+)?\s*", price):
            raise ValueError("it is not two numbers, e.g. 0.15,0.60")
        return price

    @property
    def price(self) -> Price | None:
        """Return `llm_price` as a value."""
        if self.llm_price is None:
            return None
        prompt, completion = map(float, self.llm_price.split(","))
        return Price(prompt, completion)

    def secrets(self) -> tuple[str, ...]:
        """Return what no log may show."""
        given = (self.token, self.password_hash, self.llm_api_key)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)

    def hosts(self) -> tuple[str, ...]:
        """Return `allowed_hosts` as names."""
        return tuple(name.strip().lower() for name in (self.allowed_hosts or "").split(",") if name.strip())

    def fingerprint(self, *facts: object) -> str:
        """Return 12 hexadecimal digits that change whenever answers could.

        Args:
            facts: What the settings only name: the encoder's file hash, the chunker's version, the release.
        """
        parts = [self.k, self.chunk_tokens, self.encoder, self.reader, *map(str, facts)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield one sentence for each variable that looks like a setting and is none, the first time it is seen."""
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(environment.keys() - _NAMED):
        prefix, rest = name[:7].upper(), name[7:].upper()
        near = get_close_matches(rest, known, n=1, cutoff=_ALIKE) if prefix == "BYLINE_" and rest not in known else []
        if near:
            _NAMED.add(name)
            yield f"{name} is no setting and changes nothing. Was BYLINE_{near[0]} meant?"


_ALIKE = 0.8  # of difflib's ratio: one letter in four or five differs; "GOLDEN" is not "TOKEN"
_NAMED: set[str] = set()  # variables that were told of: settings are made often, and once is enough
# secret, or may hold a secret by mistake
_UNSHOWN = frozenset({"token", "password_hash", "llm_api_key", "llm_base_url", "trace_endpoint"})


def _sentence(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    name = ".".join(map(str, problem["loc"]))
    reason = problem["msg"].removeprefix("Value error, ")
    reason = reason[0].lower() + reason[1:].partition(", unable to")[0]  # which only says the same again
    if problem["type"] == "extra_forbidden":
        return f"There is no setting {name!r}. Known: {', '.join(Settings.model_fields)}."
    shown = "What is set" if name in _UNSHOWN else repr(problem["input"])
    return f"{shown} cannot be the setting {name!r} (BYLINE_{name.upper()}): {reason}."
