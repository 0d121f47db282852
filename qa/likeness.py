"""How alike question and sentence are in meaning: cosine of whole texts and MaxSim over token vectors."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

# About 20 kB a sentence of 25 word pieces in float16: 30 MB at most, and a second question about the same
# passages is read without the encoder.
MAX_KEPT_SENTENCES = 1_536
_MAX_THREADS = 4  # a question's sentences are a short list; more threads cost more than they save


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that shows the vectors of single word pieces."""

    def embed_tokens(self, text: str) -> NDArray[np.float32]:
        """Return float32, shape (word pieces with both marks, dim), not of unit length."""


class Likeness:
    """Compares a question with sentences; keeps the vectors of sentences seen lately. Thread-safe."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder
        self._kept: OrderedDict[str, NDArray[np.float16]] = OrderedDict()
        self._lock = Lock()

    def compare(self, question: str, sentences: Sequence[str]) -> NDArray[np.float64]:
        """Compare a question with each sentence.

        The first column is the cosine of the mean-pooled vectors, the second the mean over the question's word
        pieces of the highest cosine with any word piece of the sentence (MaxSim, Khattab and Zaharia, ColBERT, 2020).

        Returns:
            float64, shape (len(sentences), 2), -1 to 1; the same to the bit whatever was compared before.
        """
        asked = self._vectors([question], keep=False)[0].astype(np.float32)
        alike = np.zeros((len(sentences), 2))
        for place, stored in enumerate(self._vectors(sentences, keep=True)):
            vectors = stored.astype(np.float32)
            alike[place, 0] = _pool(asked) @ _pool(vectors)
            alike[place, 1] = (_rows(asked) @ _rows(vectors).T).max(axis=1).mean()
        return alike

    def _vectors(self, texts: Sequence[str], *, keep: bool) -> list[NDArray[np.float16]]:
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if len(missing) > 1:
            with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
                known |= zip(missing, pool.map(self._embed, missing), strict=True)
        elif missing:
            known[missing[0]] = self._embed(missing[0])
        if keep:
            self._keep(known)
        return [known[text] for text in texts]

    def _embed(self, text: str) -> NDArray[np.float16]:
        return self._encoder.embed_tokens(text).astype(np.float16)

    def _keep(self, known: dict[str, NDArray[np.float16]]) -> None:
        with self._lock:
            self._kept |= known
            for text in known:
                self._kept.move_to_end(text)
            while len(self._kept) > MAX_KEPT_SENTENCES:
                self._kept.popitem(last=False)


def _pool(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = vectors.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def _rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows of the word pieces, without the opening and closing marks, which are alike in every text."""
    inner = vectors[1:-1] if len(vectors) > 2 else vectors
    unit: NDArray[np.float32] = inner / np.linalg.norm(inner, axis=1, keepdims=True)
    return unit
