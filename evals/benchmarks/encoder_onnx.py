"""How fast the embedded encoder is against the model it was made from, and what spreading texts over threads gives.

Run by hand: `python -m evals.benchmarks.encoder_onnx WHEEL_OR_FOLDER [TEXTS.jsonl[.gz]]`, with the published weights as
for `index.models.build_encoder_onnx` (needs the [train] extra). The texts are the passages of the articles in the
second argument, of the bundled ones without it. All ways take turns in one run, round by round, because machines and
their other work differ; compare the ratios.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

from corpus.chunk import chunk_article
from corpus.load import bundled_articles, load_sources
from corpus.types import Article
from index.embed_onnx import EMBEDDED, OnnxEmbedder, embedded_encoder
from index.models.build_encoder_onnx import load_weights, make_graph
from index.sentence_vectors import sentence_texts

Row = NDArray[Any]
TEXTS = 60
ROUNDS = 5
BATCH = 16  # what many pipelines hand an encoder at once
QUESTION = "Which journalist revealed that an Iraqi man had been sent to Rwanda?"


def measure_encoders(source: Path, texts: list[str], sentences: list[str]) -> dict[str, tuple[float, float]]:
    """Return texts a second, by wall and by processor time, of each way to embed; medians over the rounds."""
    one, two = OnnxEmbedder(EMBEDDED, threads=1), embedded_encoder(threads=2)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder, "full.onnx")
        onnx.save(make_graph(load_weights(source)), full)
        sessions = {threads: _session(full, threads) for threads in (1, 2)}
        int8_two = _session(EMBEDDED / "model.onnx", 2)
    tokens = _token_rows(texts)
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "fp32, 1 thread": (len(texts), lambda: [_run(sessions[1], [row]) for row in tokens]),
        "fp32, 1 session of 2 threads": (len(texts), lambda: [_run(sessions[2], [row]) for row in tokens]),
        "int8, 1 thread": (len(texts), lambda: one.embed_passages(texts)),
        "int8, 1 session of 2 threads": (len(texts), lambda: [_run(int8_two, [row]) for row in tokens]),
        "int8, 2 texts at a time (ours)": (len(texts), lambda: two.embed_passages(texts)),
        f"int8, padded batches of {BATCH}": (len(texts), lambda: _run_padded(int8_two, tokens)),
        "int8, their sentences, 2 at a time": (len(texts), lambda: two.embed_passages(sentences)),
        "int8, a question": (1, lambda: one.embed_question(QUESTION)),
    }
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (n, way) in ways.items():
            rounds[name].append(_rates(n, way))
    return {name: (_median(r[0] for r in rates), _median(r[1] for r in rates)) for name, rates in rounds.items()}


def main() -> None:
    """Print the table; every rate also as a multiple of fp32 on one thread."""
    articles = [item for item in load_sources(sys.argv[2:] or [bundled_articles()]) if isinstance(item, Article)]
    passages = list(islice((p for article in articles for p in chunk_article(article)), TEXTS))
    texts = [passage.text for passage in passages]
    sentences = [text for passage in passages for text in sentence_texts(passage)]
    rates = measure_encoders(Path(sys.argv[1]), texts, sentences)
    _, fp32 = rates["fp32, 1 thread"]
    n_tokens = np.mean([row.size for row in _token_rows(texts)])
    sys.stdout.write(f"{len(texts)} passages of {n_tokens:.0f} word pieces, {len(sentences)} sentences\n")
    sys.stdout.write(f"{'':<36}{'texts/s':>10}{'/CPU s':>10}{'x fp32':>10}\n")
    for name, (wall, cpu) in rates.items():
        sys.stdout.write(f"{name:<36}{wall:>10.1f}{cpu:>10.1f}{cpu / fp32:>10.2f}\n")


def _session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _token_rows(texts: list[str]) -> list[Row]:
    tokenizer = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return [np.array(encoded.ids, dtype=np.int64) for encoded in tokenizer.encode_batch(texts)]


def _run(session: onnxruntime.InferenceSession, rows: list[Row]) -> Row:
    vectors: Row = session.run(None, {"input_ids": np.stack(rows)})[0].mean(axis=1)
    return vectors


def _run_padded(session: onnxruntime.InferenceSession, rows: list[Row]) -> None:
    """Run batches as long as their longest text; the graph knows no mask, so only the time means something."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        width = max(row.size for row in batch)
        _run(session, [np.pad(row, (0, width - row.size)) for row in batch])


def _rates(n: int, way: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return n / (time.perf_counter() - wall), n / (time.process_time() - cpu)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
