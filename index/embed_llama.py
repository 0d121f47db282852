"""Embed texts with any LlamaIndex `BaseEmbedding`: OpenAI-compatible servers, Ollama, HuggingFace and the like."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding

from corpus.errors import IndexingError
from index.types import Vectors


class LlamaIndexEmbedder:
    """An `Embedder` over a LlamaIndex embedding, which is passed in and never taken from its global settings.

    Args:
        embedding: Whatever it raises when its server is away passes through unchanged.
    """

    def __init__(self, embedding: BaseEmbedding) -> None:
        self._embedding = embedding
        self._lock = threading.Lock()
        self._dim: int | None = None

    @property
    def fingerprint(self) -> str:
        """Class and model name with the dimension: a remote model shows no file that could be hashed."""
        return f"{self._embedding.class_name()}/{self._embedding.model_name}:{self.dim}"

    @property
    def dim(self) -> int:
        """Width of a vector; the first call embeds one word to learn it."""
        with self._lock:
            if self._dim is None:
                self._dim = len(self._embedding.get_text_embedding("width"))
            return self._dim

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32, shape (len(texts), dim), rows of unit length in the order given.

        Raises:
            IndexingError: If the model gives vectors of another width than before, or an all-zero one.
        """
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        return self._unit_rows(self._embedding.get_text_embedding_batch(list(texts)))

    def embed_question(self, text: str) -> Vectors:
        """Return float32, shape (dim,), of unit length."""
        row: Vectors = self._unit_rows([self._embedding.get_query_embedding(text)])[0]
        return row

    def _unit_rows(self, rows: list[list[float]]) -> Vectors:
        widths = {len(row) for row in rows}
        if widths != {self.dim}:
            raise IndexingError(
                f"Embedding model {self._embedding.model_name!r} gave vectors of width {sorted(widths)} instead of "
                f"{self.dim}. Use a model with one fixed width."
            )
        vectors: Vectors = np.array(rows, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
            raise IndexingError(
                f"Embedding model {self._embedding.model_name!r} gave an all-zero or infinite vector. "
                "Try the text with the model itself."
            )
        vectors /= norms
        return vectors
