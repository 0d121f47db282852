"""The reader that the settings name, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.types import Reader

if TYPE_CHECKING:
    from qa.language_model import LanguageModel
    from qa.read_extractive import ExtractiveReader
    from qa.read_llm import LLMReader
    from qa.settings import Settings

_SMALL_CONTEXT = 4_096  # a model with less is a small one


def make_reader(settings: Settings, *, llm: object = None) -> Reader:
    """Return the reader of the settings.

    Args:
        settings: Name the reader and, for `llm`, its model.
        llm: An LLM of LlamaIndex; then it writes, whatever the settings name.

    Raises:
        SettingsError: If no model is named, or `llm` is not an LLM.
        MissingExtraError: If the model's plug-in is not installed.
    """
    if llm is None and settings.reader == "extractive":
        return make_extractive(settings)
    return make_llm_reader(settings, llm=llm)


def make_extractive(settings: Settings) -> ExtractiveReader:
    """Return the offline reader."""
    from qa.network_onnx import ReaderNetwork
    from qa.read_extractive import ExtractiveReader

    return ExtractiveReader(ReaderNetwork(threads=settings.threads), strictness=settings.strictness)


def make_llm_reader(settings: Settings, *, llm: object = None, model: LanguageModel | None = None) -> LLMReader:
    """Return the reader that lets a language model write; `llm` or `model` take the place of the settings' model."""
    from qa.check_written import WrittenChecker
    from qa.network_onnx import ReaderNetwork
    from qa.read_extractive import ExtractiveReader
    from qa.read_llm import LLMReader
    from qa.reader_weights import load_weights
    from qa.support import SupportChecker

    network, weights = ReaderNetwork(threads=settings.threads), load_weights()
    model = model or _make_model(settings, llm)
    checker = SupportChecker(network, supported_from=weights.supported_from, weak_from=weights.weak_from)
    return LLMReader(
        ExtractiveReader(network, weights=weights, strictness=settings.strictness),
        model,
        WrittenChecker(checker),
        simple=is_simple(settings, model),
        timeout_s=settings.llm_timeout_s,
        price=settings.price,
    )


def is_simple(settings: Settings, model: LanguageModel) -> bool:
    """Say whether the model is asked in the form for small ones: when set, from a file, or with a small context."""
    if settings.llm_format == "auto":
        return settings.llm_provider == "gguf" or model.context_tokens < _SMALL_CONTEXT
    return settings.llm_format == "simple"


def _make_model(settings: Settings, llm: object) -> LanguageModel:
    from qa.make_model_llama import make_model, wrap_llm

    return make_model(settings) if llm is None else wrap_llm(llm)
