"""Each reader that the settings can name, put together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.language_model import LanguageModel
    from qa.network_onnx import ReaderNetwork
    from qa.read_extractive import ExtractiveReader
    from qa.read_llm import LLMReader
    from qa.settings import Settings

_SMALL_CONTEXT = 4_096  # a model with less is a small one


def make_extractive(settings: Settings, *, network: ReaderNetwork | None = None) -> ExtractiveReader:
    """Return the offline reader; `network` is used in place of one of its own."""
    from qa.network_onnx import ReaderNetwork
    from qa.read_extractive import ExtractiveReader

    return ExtractiveReader(network or ReaderNetwork(threads=settings.threads), strictness=settings.strictness)


def make_llm_reader(
    settings: Settings, *, model: LanguageModel | None = None, network: ReaderNetwork | None = None
) -> LLMReader:
    """Return the reader that lets a language model write, every statement checked.

    Args:
        settings: Name the model and say how it is asked.
        model: Takes the place of that model.
        network: Is used in place of one of its own.

    Raises:
        SettingsError: If no model is named.
        MissingExtraError: If the model's plug-in is not installed.
    """
    from qa.check_written import WrittenChecker
    from qa.network_onnx import ReaderNetwork
    from qa.read_extractive import ExtractiveReader
    from qa.read_llm import LLMReader
    from qa.reader_weights import load_weights
    from qa.support import SupportChecker

    network, weights = network or ReaderNetwork(threads=settings.threads), load_weights()
    model = model or make_language_model(settings)
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


def make_language_model(settings: Settings, llm: object = None) -> LanguageModel:
    """Return the model that the settings name, or one around `llm`, an LLM of LlamaIndex.

    Raises:
        SettingsError: If no model is named, or `llm` is not an LLM.
        MissingExtraError: If the model's plug-in is not installed.
    """
    from qa.make_model_llama import make_model, wrap_llm

    return make_model(settings) if llm is None else wrap_llm(llm)
