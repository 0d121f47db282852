"""The frozen `Settings`: the only place that reads the environment (`BYLINE_*`); entry points pass them down."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.errors import SettingsError


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
        reader: What turns hits into statements.
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

    Raises:
        SettingsError: If a value cannot be used; the sentence names the setting and its variable.
    """

    model_config = SettingsConfigDict(
        env_prefix="BYLINE_", env_file=None, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    library: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("byline", appauthor=False)))
    k: int = Field(default=10, ge=1)
    # Below 32 tokens a passage is less than a sentence; the encoders in use read at most 512 word pieces.
    chunk_tokens: int = Field(default=200, ge=32, le=512)
    keep_versions: bool | None = None
    encoder: str = "embedded"
    reader: Literal["extractive"] = "extractive"
    strictness: Literal["lenient", "balanced", "strict"] = "balanced"
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

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks the values, not mypy
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from error

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


_SECRET = ("token", "password_hash")


def _sentence(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    name = ".".join(map(str, problem["loc"]))
    reason = problem["msg"].removeprefix("Value error, ")
    reason = reason[0].lower() + reason[1:]
    if problem["type"] == "extra_forbidden":
        return f"There is no setting {name!r}. Known: {', '.join(Settings.model_fields)}."
    given = "The value" if name in _SECRET else repr(problem["input"])
    return f"{given} cannot be the setting {name!r} (BYLINE_{name.upper()}): {reason}."
