"""Tokens of a request to a language model, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

_PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, in any one currency."""

    prompt: float
    completion: float

    def of(self, usage: Usage) -> float:
        """Return what a request cost."""
        tokens = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return tokens / _PER_MILLION
