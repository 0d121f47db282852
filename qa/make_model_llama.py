"""The language model that the settings name, through its LlamaIndex plug-in; each plug-in is imported when wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from llama_index.core.llms import LLM

from corpus.errors import MissingExtraError, SettingsError
from qa.language_model import ANSWER_TOKENS, SIMPLE_ANSWER_TOKENS
from qa.language_model_llama import LlamaModel

if TYPE_CHECKING:
    from qa.settings import Settings

_NO_KEY = "none"  # plug-ins want one; without this they would send the one of another service
_LOOPBACK_OLLAMA = "http://127.0.0.1:11434"
_OPENAI = "https://api.openai.com/v1"


def make_model(settings: Settings) -> LlamaModel:
    """Return the language model of the settings; nothing is asked of it yet.

    Raises:
        SettingsError: If no model is named, or its file is not there.
        MissingExtraError: If its plug-in is not installed; the message names the install command.
    """
    if not settings.llm_model:
        raise SettingsError(
            "No language model is named. Set BYLINE_LLM_MODEL to its name, or to the path of a GGUF file."
        )
    makers = {"openai": _openai, "ollama": _ollama, "anthropic": _anthropic, "gguf": _gguf}
    return makers[settings.llm_provider](settings, settings.llm_model)


def _openai(settings: Settings, model: str) -> LlamaModel:
    place = settings.llm_base_url or _OPENAI
    return _wrapped(settings, _openai_like(settings, model, place, _key(settings)), model, place)


def _openai_like(settings: Settings, model: str, base_url: str, key: str, *, answer_tokens: int = ANSWER_TOKENS) -> LLM:
    try:
        from llama_index.llms.openai_like import OpenAILike
    except ModuleNotFoundError as error:
        raise _missing("OpenAI-compatible servers", "llm") from error
    return OpenAILike(
        model=model,
        api_base=base_url,
        api_key=key,
        is_chat_model=True,
        context_window=settings.llm_context_tokens,
        max_tokens=answer_tokens,
        temperature=0.0,
        timeout=settings.llm_timeout_s,
        max_retries=0,  # asking again is the reader's part: it knows what was shown already
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


def _ollama(settings: Settings, model: str) -> LlamaModel:
    try:
        from llama_index.llms.ollama import Ollama
    except ModuleNotFoundError as error:
        raise _missing("Ollama", "llm") from error
    place = settings.llm_base_url or _LOOPBACK_OLLAMA
    llm = Ollama(
        model=model,
        base_url=place,
        temperature=0.0,
        context_window=settings.llm_context_tokens,
        request_timeout=settings.llm_timeout_s,
        additional_kwargs={"num_predict": ANSWER_TOKENS},
        headers={"authorization": f"Bearer {_key(settings)}"},
    )
    return _wrapped(settings, llm, model, place)


def _anthropic(settings: Settings, model: str) -> LlamaModel:
    try:
        from llama_index.llms.anthropic import Anthropic
    except ModuleNotFoundError as error:
        raise _missing("Anthropic's models", "anthropic") from error
    llm = Anthropic(
        model=model,
        base_url=settings.llm_base_url,
        api_key=_key(settings),
        max_tokens=ANSWER_TOKENS,
        temperature=0.0,
        timeout=settings.llm_timeout_s,
        max_retries=0,
    )
    try:
        llm.metadata.context_window  # noqa: B018  # the plug-in looks the name up in its own list, here as in each request
    except ValueError as error:
        raise SettingsError(
            f"The installed plug-in for Anthropic does not know the model {model!r}. "
            "Check BYLINE_LLM_MODEL, or run: pip install -U llama-index-llms-anthropic"
        ) from error
    return _wrapped(settings, llm, model, settings.llm_base_url or "anthropic")


def _gguf(settings: Settings, model: str) -> LlamaModel:
    path = Path(model).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(f"There is no model file {str(path)!r}. Set BYLINE_LLM_MODEL to the path of a GGUF file.")
    try:
        from qa.gguf_xllamacpp import start_server
    except ModuleNotFoundError as error:
        raise _missing("GGUF files", "llm") from error
    server = start_server(path, context_tokens=settings.llm_context_tokens, threads=settings.threads or 1)
    most = ANSWER_TOKENS if settings.llm_format == "full" else SIMPLE_ANSWER_TOKENS
    llm = _openai_like(settings, path.stem, f"{server.address}/v1", server.key, answer_tokens=most)
    return _wrapped(settings, llm, path.stem, f"gguf:{path.name}:{path.stat().st_size}", keep=server)


def _wrapped(settings: Settings, llm: LLM, model: str, place: str, *, keep: object = None) -> LlamaModel:
    return LlamaModel(llm, name=model, context_tokens=settings.llm_context_tokens, place=place, keep=keep)


def _key(settings: Settings) -> str:
    return settings.llm_api_key.get_secret_value() if settings.llm_api_key else _NO_KEY


def _missing(what: str, extra: str) -> MissingExtraError:
    return MissingExtraError(f'The plug-in for {what} is not installed. Install it with: pip install "byline[{extra}]"')


def wrap_llm(llm: object) -> LlamaModel:
    """Take an LLM object of LlamaIndex as it is.

    Raises:
        SettingsError: If it is something else.
    """
    if not isinstance(llm, LLM):
        raise SettingsError(f"{type(llm).__name__!r} is not an LLM of LlamaIndex (llama_index.core.llms.LLM).")
    return LlamaModel(cast("Any", llm))
