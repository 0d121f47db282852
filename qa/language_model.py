"""What a reader asks of a language model: a prompt in, text as it comes, and the tokens it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from corpus.tokens_tiktoken import count_tokens
from qa.price import Usage

ANSWER_TOKENS = 512  # room for an answer: five statements with their quotes have some 400
SIMPLE_ANSWER_TOKENS = 128  # two or three sentences; a small model that writes on repeats itself
_MESSAGE_TOKENS = 8  # what chat templates put around each message


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request: instructions, worked examples as (user, assistant) turns, and what the user sends."""

    system: str
    user: str
    examples: tuple[tuple[str, str], ...] = ()

    def texts(self) -> tuple[str, ...]:
        """Return every message in order."""
        return (self.system, *(text for turn in self.examples for text in turn), self.user)

    def count_tokens(self) -> int:
        """Return how many tokens it has by tiktoken, with what a chat template adds."""
        return sum(count_tokens(text) + _MESSAGE_TOKENS for text in self.texts())


class LanguageModel(Protocol):
    """Writes text; `qa.language_model_llama.LlamaModel` wraps any LLM of LlamaIndex."""

    @property
    def name(self) -> str:
        """Of the model, for people."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the model would; holds no secret."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    def stream(self, prompt: Prompt) -> Iterator[str | Usage]:
        """Yield pieces of text as they come and, if the provider counts tokens, its count.

        Raises:
            ModelFailedError: If it cannot be reached, refuses, or breaks off.
        """
