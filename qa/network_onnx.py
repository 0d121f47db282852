"""The reader's network in onnxruntime: scores (text, passage) pairs; read and checked when the first pair comes."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ReaderUnavailableError
from qa.reading_input import ReadingInput

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]

_SHIPPED = "reader-minilm-l6-int8"
_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Logits:
    """What the network says of one pair; bigger is more likely.

    Args:
        spans: float32, (pieces, 2), start and end; row 0 stands for no answer.
        answerable: That the passage answers the question.
        supported: That the passage supports the statement.
    """

    spans: NDArray[np.float32]
    answerable: float
    supported: float


class ReaderNetwork:
    """Scores pairs one by one, without padding, on as many threads as allowed. Thread-safe.

    Args:
        folder: Holds `model.onnx` and `card.json`; the shipped one when None.
        threads: Pairs read at the same time; None takes every processor this process may use.

    Raises:
        ReaderUnavailableError: At the first pair, if a file is missing or not the published one.
    """

    def __init__(self, folder: Path | None = None, *, threads: int | None = None) -> None:
        self._folder = folder or Path(str(resources.files("qa") / "models" / _SHIPPED))
        self._threads = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or 1
        self._lock = threading.Lock()
        self._session: onnxruntime.InferenceSession | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def fingerprint(self) -> str:
        """Name and hash of the model file."""
        card = self._card()
        return f"{card['name']}:{card['sha256']['model.onnx'][:_HASH_DIGITS]}"

    def score(self, pairs: Sequence[ReadingInput]) -> list[Logits]:
        """Score pairs in order; a pair's logits depend on it alone, to the bit."""
        session = self._load()
        if len(pairs) < 2 or self._threads < 2:
            return [_run(session, pair) for pair in pairs]
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self._threads, thread_name_prefix="reader")
        # The longest first: the last one to end is then a short one.
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i]))
        found = dict(zip(order, self._pool.map(lambda i: _run(session, pairs[i]), order), strict=True))
        return [found[i] for i in range(len(pairs))]

    def _load(self) -> onnxruntime.InferenceSession:
        with self._lock:
            if self._session is None:
                self._session = _open_session(self._folder / "model.onnx", self._card()["sha256"]["model.onnx"])
            return self._session

    def _card(self) -> dict[str, dict[str, str]]:
        try:
            card: dict[str, dict[str, str]] = json.loads((self._folder / "card.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReaderUnavailableError(
                f"The reader's folder {str(self._folder)!r} has no readable card.json: {error}. {_MEND}"
            ) from error
        return card


def _open_session(path: Path, published: str) -> onnxruntime.InferenceSession:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReaderUnavailableError(f"The reader's model {str(path)!r} cannot be read: {error}. {_MEND}") from error
    if found != published:
        raise ReaderUnavailableError(f"The reader's model {str(path)!r} is damaged. {_MEND}")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about the graph, which a person cannot mend
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, pair: ReadingInput) -> Logits:
    feed = {"input_ids": pair.ids[None], "segments": pair.segments[None], "marks": pair.marks[None]}
    spans, verdicts = session.run(["spans", "verdicts"], feed)
    return Logits(spans[0], *map(float, verdicts[0, 0]))


_MEND = "Mend it with: pip install --force-reinstall byline"
