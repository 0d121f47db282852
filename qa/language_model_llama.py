"""Any LLM of LlamaIndex as a `LanguageModel`: messages in, text and token counts out, failures in our own words.

No sentence that leaves this file quotes a provider: some repeat the key that they were sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms import LLM

from corpus.errors import ModelFailedError
from qa.language_model import Prompt
from qa.price import Usage

# Names that providers and plug-ins use for the same two counts.
_PROMPT_COUNTS = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_COMPLETION_COUNTS = ("completion_tokens", "output_tokens", "eval_count")
_TOO_LONG = re.compile(r"context|too long|too many tokens|maximum.{0,20}tokens|exceeds?.{0,30}tokens", re.IGNORECASE)
_MIN_CONTEXT = 512  # a plug-in that names fewer tokens than this does not know (Ollama's says -1)
_DEFAULT_CONTEXT = 8_192  # what today's models have at the least
_MAX_WAIT_S = 30.0  # a provider that asks for more is down for this question


class LlamaModel:
    """Wraps an LLM of LlamaIndex.

    Args:
        llm: Any; its own settings (temperature, limits, time-outs) hold.
        name: Of the model, for people; what the LLM says of itself when None.
        context_tokens: What prompt and answer may have together; what the LLM says of itself when None.
        place: Where it is asked, for people, e.g. an address without secrets.
        keep: Held as long as the model is, e.g. the server that it asks.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        name: str | None = None,
        context_tokens: int | None = None,
        place: str | None = None,
        keep: object = None,
    ) -> None:
        self._llm = llm
        told_name, told_tokens = ("", 0) if name and context_tokens else _told(llm)
        self._name = name or told_name or type(llm).__name__
        self._context_tokens = context_tokens or (told_tokens if told_tokens >= _MIN_CONTEXT else _DEFAULT_CONTEXT)
        self._place = place or type(llm).__name__
        self._keep = keep

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Return where it is asked, and its name."""
        return f"{self._place}:{self._name}:{self._context_tokens}"

    @property
    def context_tokens(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        return self._context_tokens

    def stream(self, prompt: Prompt) -> Iterator[str | Usage]:
        """Yield text as it comes, and the provider's count of tokens last, when there is one."""
        seen, usage, ending = "", Usage(), _Ending()
        responses = self._responses(prompt)
        while True:
            response = self._next(responses)
            if response is None:
                break
            content = response.message.content or ""
            delta = response.delta if response.delta is not None else content[len(seen) :]
            seen += delta
            usage, ending = _newer(usage, response), ending.after(response.raw)
            if delta:
                yield delta
        if ending.is_early:
            raise ModelFailedError(f"The answer of the model {self._name!r} broke off.", may_pass=True)
        if usage != Usage():
            yield usage

    def _responses(self, prompt: Prompt) -> Iterator[ChatResponse]:
        messages = [ChatMessage(role=MessageRole.SYSTEM, content=prompt.system)]
        for asked, answered in prompt.examples:
            messages.append(ChatMessage(role=MessageRole.USER, content=asked))
            messages.append(ChatMessage(role=MessageRole.ASSISTANT, content=answered))
        messages.append(ChatMessage(role=MessageRole.USER, content=prompt.user))
        try:
            yield from self._llm.stream_chat(messages)
        except NotImplementedError:  # some plug-ins cannot stream
            yield self._llm.chat(messages)

    def _next(self, responses: Iterator[ChatResponse]) -> ChatResponse | None:
        try:
            return next(responses, None)
        except Exception as error:  # a plug-in may raise whatever its libraries do: each is told in our own words
            failure = explain_failure(error, self._name)
        raise failure  # outside of the handler: what the provider said must not travel along as its context


def _told(llm: LLM) -> tuple[str, int]:
    """Return the name and context window that an LLM tells of itself; plug-ins refuse models newer than they are."""
    try:
        metadata = llm.metadata
    except ValueError:
        return "", 0
    return ("" if metadata.model_name == "unknown" else metadata.model_name), metadata.context_window


class _Ending:
    """Whether a stream said that it is finished, for providers that do say so."""

    def __init__(self, tells: bool = False, told: bool = False) -> None:
        self._tells = tells
        self._told = told

    @property
    def is_early(self) -> bool:
        """Whether it stopped without saying so."""
        return self._tells and not self._told

    def after(self, raw: object) -> _Ending:
        """Return what is known after one more piece in the provider's own form."""
        choices = _field(raw, "choices")
        if isinstance(choices, list) and choices:
            return _Ending(True, self._told or _field(choices[0], "finish_reason") is not None)
        done = _field(raw, "done")
        return _Ending(True, self._told or done) if isinstance(done, bool) else self


def explain_failure(error: BaseException, model: str) -> ModelFailedError:
    """Say in one sentence of ours what went wrong, by the error's status and class; its own words are left out."""
    status, kinds = _status(error), " ".join(kind.__name__ for kind in type(error).__mro__)
    if status in (401, 403):
        return ModelFailedError(f"The provider of the model {model!r} refused the key (HTTP {status}). "
                                "Check BYLINE_LLM_API_KEY.")  # fmt: skip
    if status == 404:
        return ModelFailedError(f"The provider knows no model {model!r} at that address (HTTP 404). "
                                "Check BYLINE_LLM_MODEL and BYLINE_LLM_BASE_URL.")  # fmt: skip
    if status == 429:
        words = f"The provider of the model {model!r} takes no more requests now (HTTP 429)."
        return ModelFailedError(words, may_pass=True, wait_s=_retry_after(error))
    if status is not None and status >= 500:
        words = f"The provider of the model {model!r} failed (HTTP {status})."
        return ModelFailedError(words, may_pass=not _is_too_long(error), too_long=_is_too_long(error))
    if status is not None:
        words = f"The provider of the model {model!r} refused the request (HTTP {status})."
        return ModelFailedError(words, too_long=status == 413 or _is_too_long(error))
    if "Timeout" in kinds:
        return ModelFailedError(f"The model {model!r} did not answer in time.")
    if "Connect" in kinds or isinstance(error, ConnectionError):
        return ModelFailedError(f"The model {model!r} cannot be reached. Is its server running?", may_pass=True)
    if any(word in kinds for word in ("Protocol", "ReadError", "IncompleteRead", "TransportError", "JSONDecode")):
        return ModelFailedError(f"The answer of the model {model!r} broke off.", may_pass=True)
    return ModelFailedError(f"The model {model!r} failed ({type(error).__name__}).", too_long=_is_too_long(error))


def _status(error: BaseException) -> int | None:
    for owner in (error, getattr(error, "response", None)):
        status = getattr(owner, "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
    return None


def _is_too_long(error: BaseException) -> bool:
    return bool(_TOO_LONG.search(str(error)))


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        wait_s = float(headers.get("retry-after", ""))
    except ValueError:  # absent, or a date
        return None
    return min(max(wait_s, 0.0), _MAX_WAIT_S) if math.isfinite(wait_s) else None


def _newer(usage: Usage, response: ChatResponse) -> Usage:
    """Take the provider's running counts, wherever the plug-in put them."""
    owners = (_field(response.raw, "usage"), response.raw, response.additional_kwargs)
    counts = [usage.prompt_tokens], [usage.completion_tokens]
    for owner in owners:
        for names, into in zip((_PROMPT_COUNTS, _COMPLETION_COUNTS), counts, strict=True):
            into += [value for name in names if isinstance(value := _field(owner, name), int)]
    return Usage(max(counts[0]), max(counts[1]))


def _field(owner: object, name: str) -> object:
    return owner.get(name) if isinstance(owner, Mapping) else getattr(owner, name, None)
