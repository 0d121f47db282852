"""Embed texts with an ONNX encoder on the processor: the embedded MiniLM, or any folder with an exported model.

Texts are run one by one and never padded: int8 activations are scaled over the whole input, so in a batch a text's
vector would depend on its neighbours (and batch 16 was slower than batch 1). Several texts are spread over threads
that share one single-threaded session: on two cores that embedded 1.1 times as many passages as one session with
two threads, see evals/benchmarks/encoder_onnx.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from corpus.errors import SettingsError
from index.types import Vectors

EMBEDDED = Path(__file__).parent / "models" / "minilm-l6-int8"
MAX_WORD_PIECES = 512  # of a foreign model that does not say: the positions BERT has
HASH_DIGITS = 12  # of the file's sha256 in a fingerprint: chance meetings are out of the question


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the embedder must know about a model file.

    Args:
        pooling: `mean` over the tokens' vectors, or the `cls` token's vector.
        sha256: Published hashes by file name; empty for a foreign folder, whose files are taken as they are.
        question_prefix: Put before a question, as the model was trained (`query: `).
        passage_prefix: Put before a passage.
    """

    name: str
    dim: int
    max_word_pieces: int
    pooling: str
    model: Path
    tokenizer: Path
    sha256: dict[str, str]
    question_prefix: str = ""
    passage_prefix: str = ""


class OnnxEmbedder:
    """An `Embedder` over an ONNX file; the model is read and checked when the first text comes. Thread-safe.

    Args:
        folder: Holds `card.json` (ours) or `config.json` (exported by sentence-transformers or Optimum), the model
            and `tokenizer.json`.
        threads: How many texts are embedded at the same time; None takes every processor this process may use.

    Raises:
        SettingsError: If the folder lacks a file, or (at the first text) a file is not the published one.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        self._card = _read_card(folder)
        self._threads = threads or _processors()
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, onnxruntime.InferenceSession] | None = None

    @property
    def fingerprint(self) -> str:
        """Name, file hash and dimension."""
        sha256 = self._card.sha256.get("model.onnx") or _file_sha256(self._card.model)
        return f"{self._card.name}:{sha256[:HASH_DIGITS]}:{self._card.dim}"

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return self._card.dim

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32, shape (len(texts), dim), rows of unit length in the order given.

        A row depends on its own text alone, to the bit, whatever else is embedded with it.
        """
        self._load()
        prefixed = [self._card.passage_prefix + text for text in texts]
        if len(prefixed) < 2 or self._threads < 2:
            rows = [self._embed(text) for text in prefixed]
        else:
            with ThreadPoolExecutor(min(self._threads, len(prefixed))) as pool:
                rows = list(pool.map(self._embed, prefixed))
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dim)

    def embed_question(self, text: str) -> Vectors:
        """Return float32, shape (dim,), of unit length."""
        return self._embed(self._card.question_prefix + text)

    def embed_tokens(self, text: str) -> Vectors:
        """Return float32, shape (word pieces with both marks, dim): the last hidden state, not of unit length."""
        tokenizer, session = self._load()
        # A lone surrogate, as a broken file name or paste may hold, cannot be encoded: it becomes a question mark.
        ids = np.array([tokenizer.encode(text.encode("utf-8", "replace").decode()).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        wanted = {node.name: given[node.name] for node in session.get_inputs()}
        vectors: list[NDArray[np.float32]] = session.run([_token_output(session)], wanted)[0]
        return vectors[0]

    def _embed(self, text: str) -> Vectors:
        tokens = self.embed_tokens(text)
        pooled = tokens[0] if self._card.pooling == "cls" else tokens.mean(axis=0)
        return np.asarray(pooled / np.linalg.norm(pooled), dtype=np.float32)

    def _load(self) -> tuple[Tokenizer, onnxruntime.InferenceSession]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load_tokenizer(self._card), _load_session(self._card)
            return self._loaded


def embedded_encoder(*, threads: int | None = None) -> OnnxEmbedder:
    """Return the encoder that ships with the project (384 wide; see `index/models/minilm-l6-int8/MODEL_CARD.md`)."""
    return OnnxEmbedder(EMBEDDED, threads=threads)


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_card(folder: Path) -> ModelCard:
    if (folder / "card.json").exists():
        card = _read_json(folder / "card.json")
        return ModelCard(
            name=card["name"],
            dim=card["dim"],
            max_word_pieces=card["max_word_pieces"],
            pooling=card["pooling"],
            model=folder / "model.onnx",
            tokenizer=folder / "tokenizer.json",
            sha256=card["sha256"],
        )
    return _read_foreign_card(folder)


def _read_foreign_card(folder: Path) -> ModelCard:
    """Read the files that sentence-transformers and Optimum write beside an exported model."""
    models = [path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path.exists()]
    if not models or not (folder / "config.json").exists() or not (folder / "tokenizer.json").exists():
        raise SettingsError(
            f"The encoder folder {str(folder)!r} lacks model.onnx, config.json or tokenizer.json. "
            "Name a folder exported by sentence-transformers or Optimum."
        )
    config = _read_json(folder / "config.json")
    pooling = _read_json(folder / "1_Pooling" / "config.json")
    limits = _read_json(folder / "sentence_bert_config.json")
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return ModelCard(
        name=folder.resolve().name,
        dim=config["hidden_size"],
        max_word_pieces=limits.get("max_seq_length") or config.get("max_position_embeddings") or MAX_WORD_PIECES,
        pooling="cls" if pooling.get("pooling_mode_cls_token") else "mean",
        model=models[0],
        tokenizer=folder / "tokenizer.json",
        sha256={},
        question_prefix=prompts.get("query", ""),
        passage_prefix=prompts.get("document", prompts.get("passage", "")),
    )


def _read_json(path: Path) -> dict[str, Any]:
    """Return the file's object, or an empty one when the file is not there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SettingsError(f"{str(path)!r} is not JSON: {error}. Export the encoder again.") from error
    return content if isinstance(content, dict) else {}


def _load_tokenizer(card: ModelCard) -> Tokenizer:
    _check_file(card, card.tokenizer)
    tokenizer = Tokenizer.from_file(str(card.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(card.max_word_pieces)
    return tokenizer


def _load_session(card: ModelCard) -> onnxruntime.InferenceSession:
    _check_file(card, card.model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about the graph, which a person cannot mend
    session = onnxruntime.InferenceSession(str(card.model), options, providers=["CPUExecutionProvider"])
    unknown = {node.name for node in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    if unknown or not _token_output(session):
        raise SettingsError(
            f"{str(card.model)!r} wants {sorted(unknown)} or gives no token vectors. "
            "Export the encoder for feature extraction."
        )
    return session


def _token_output(session: onnxruntime.InferenceSession) -> str:
    """Return the name of the first output shaped (batch, tokens, dim), or nothing."""
    return next((str(node.name) for node in session.get_outputs() if len(node.shape) == 3), "")


def _check_file(card: ModelCard, path: Path) -> None:
    """Compare with the published hash; 23 MB take 30 ms, once a process."""
    published = card.sha256.get(path.name)
    if published is None:
        return
    if not path.exists() or _file_sha256(path) != published:
        raise SettingsError(
            f"The encoder file {str(path)!r} is missing or damaged. Mend it with: pip install --force-reinstall byline"
        )


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
