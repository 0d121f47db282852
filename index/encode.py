"""Passages to vectors in a thread of its own, slice by slice, while the caller does something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from types import TracebackType

import numpy as np

from corpus.errors import IndexingError, IndexMismatchError
from corpus.types import Passage
from index.sentence_vectors import passage_vector, sentence_texts
from index.types import Embedder, Vectors

_AT_ONCE = 32  # passages a slice: half a second of embedding, which is how long an interrupt waits


@dataclass(frozen=True, slots=True)
class EncodedSlice:
    """The vectors of some passages.

    Args:
        hashes: Of what was embedded, one for each passage.
        vectors: A row for each passage.
        sentences: For each passage a row for each of its runs of sentences.
    """

    hashes: tuple[bytes, ...]
    vectors: Vectors
    sentences: list[Vectors]


class Encoding:
    """An embedder at work behind the caller's back; slices are done in the order in which they were started.

    It is one thread, because an embedder spreads the texts that it is given over the processors by itself. What
    becomes of a text does not depend on its slice: see `Embedder`.

    Args:
        embedder: Used by one thread at a time.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._thread = ThreadPoolExecutor(1, "encode")

    def start(self, passages: Mapping[bytes, Passage]) -> Iterator[Future[EncodedSlice]]:
        """Hand over passages by the hash of what is embedded; yield a promise for each slice, in order.

        A promise fails with `IndexMismatchError` if the vectors are not as wide as the embedder says, and with
        `IndexingError` if they hold NaN or infinity.
        """
        waiting = iter(passages.items())
        slices = iter(lambda: dict(islice(waiting, _AT_ONCE)), {})
        return iter([self._thread.submit(self._encode, one) for one in slices])

    def stop(self) -> None:
        """Drop the slices that were not begun, and wait for the one that was."""
        self._thread.shutdown(cancel_futures=True)

    def __enter__(self) -> Encoding:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _encode(self, passages: Mapping[bytes, Passage]) -> EncodedSlice:
        texts = [sentence_texts(passage) for passage in passages.values()]
        rows = _embed_longest_first(self._embedder, [text for own in texts for text in own])
        sentences = np.split(rows, np.cumsum([len(own) for own in texts])[:-1])
        vectors = np.array([passage_vector(*pair) for pair in zip(passages.values(), sentences, strict=True)])
        return EncodedSlice(tuple(passages), vectors, sentences)


def _embed_longest_first(embedder: Embedder, texts: list[str]) -> Vectors:
    """Return the rows in the order of the texts, which the embedder gets sorted by length.

    So no processor is left with a long text when the others are done, and an embedder that pads has little to pad.
    """
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]), reverse=True)
    rows = embedder.embed_passages([texts[place] for place in order])
    _check(rows, (len(texts), embedder.dim))
    back = np.empty_like(rows)
    back[order] = rows
    return back


def _check(vectors: Vectors, shape: tuple[int, int]) -> None:
    if vectors.shape != shape:
        raise IndexMismatchError(
            f"The embedder returned vectors of shape {vectors.shape} where {shape} was expected. "
            "Check the embedder that is set."
        )
    if not np.isfinite(vectors).all():
        raise IndexingError("The embedder returned NaN or infinity. Check the embedder that is set.")
