"""The encoder that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import SettingsError

if TYPE_CHECKING:
    from index.types import Embedder
    from qa.settings import Settings


def make_embedder(settings: Settings) -> Embedder:
    """Return the encoder that the settings name; its model is read when the first text comes.

    Raises:
        SettingsError: If its folder or a file in it is not there.
    """
    from index.embed_onnx import OnnxEmbedder, embedded_encoder

    if settings.encoder == "embedded":
        return embedded_encoder(threads=settings.threads)
    folder = Path(settings.encoder.removeprefix("onnx:")).expanduser()
    if not folder.is_dir():
        raise SettingsError(f"The encoder folder {str(folder)!r} is not there. Set BYLINE_ENCODER to onnx:FOLDER.")
    return OnnxEmbedder(folder, threads=settings.threads)
