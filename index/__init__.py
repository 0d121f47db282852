"""The library on disk, its two indexes, and retrieval."""

import os

from index.types import Embedder, Filters, Hit, LexicalIndex, Signals, VectorIndex

__all__ = ["Embedder", "Filters", "Hit", "LexicalIndex", "Signals", "VectorIndex"]

# From 1.29 on, onnxruntime reports to its maker and leaves a device id in the home folder, unless this is set before
# it is first imported. All of it happens in native code, out of sight of Python's audit hooks.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
