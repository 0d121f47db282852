"""The library on disk, its two indexes, and retrieval."""

from index.types import Embedder, Filters, Hit, LexicalIndex, Signals, VectorIndex

__all__ = ["Embedder", "Filters", "Hit", "LexicalIndex", "Signals", "VectorIndex"]
