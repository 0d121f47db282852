"""Would the questions of several users gain from one run of the encoder? By hand: `... question_batches_onnx`.

The questions of the bundled suites in batches, as they might come together: each by itself (as it is done), padded to
the longest, and those of equal length in one run without padding. All ways take turns, round by round, each in one
thread: two cores are filled by two users, batched or not, so processor time is what counts. The shipped graph takes no
mask, so padded vectors are wrong, and a mask would only add to their time. Also shown: how far equal lengths in one run
change a vector, and what encoding is of a whole answer, which bounds what a cache of question vectors could save.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tokenizers import Tokenizer

import qa
from corpus.load import bundled_articles, load_sources
from corpus.types import Article
from evals.suite import SUITES, load_suite
from index.embed_onnx import EMBEDDED
from qa.byline import Byline
from qa.settings import Settings

Row = NDArray[np.int64]
Vectors = NDArray[np.float32]
Run = Callable[[Sequence[Row]], Vectors]
SIZES = (2, 4, 8)
ROUNDS = 9
ANSWERS = 25


class _Encoder:
    """The shipped graph in one thread, run over as many rows of equal length as it is given."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(EMBEDDED / "model.onnx", options)
        self._tokenizer = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
        self._tokenizer.no_padding()

    def tokens(self, text: str) -> Row:
        return np.array(self._tokenizer.encode(text).ids, dtype=np.int64)

    def run(self, rows: Sequence[Row]) -> Vectors:
        pooled: Vectors = self._session.run(None, {"input_ids": np.stack(rows)})[0].mean(axis=1)
        unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit

    def run_padded(self, rows: Sequence[Row]) -> Vectors:
        width = max(row.size for row in rows)
        return self.run([np.pad(row, (0, width - row.size)) for row in rows])

    def run_alike(self, rows: Sequence[Row]) -> Vectors:
        by_size: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            by_size.setdefault(row.size, []).append(place)
        vectors: dict[int, Vectors] = {}
        for places in by_size.values():
            vectors.update(zip(places, self.run([rows[place] for place in places]), strict=True))
        return np.stack([vectors[place] for place in range(len(rows))])


def main() -> None:
    """Print the table."""
    articles = [item for item in load_sources([bundled_articles()]) if isinstance(item, Article)]
    suites = [load_suite(path, articles) for path in sorted(SUITES.glob("*.jsonl"))]
    questions = list(dict.fromkeys(example.question for suite in suites for example in suite.examples))
    encoder = _Encoder()
    rows = [encoder.tokens(question) for question in questions]
    lengths = [row.size for row in rows]
    _say(f"{len(rows)} questions of {min(lengths)} to {max(lengths)} word pieces, median {statistics.median(lengths)}")
    ways: dict[str, tuple[Run, int]] = {"one by one": (encoder.run, 1)}
    for n in SIZES:
        ways[f"{n} together, padded"] = encoder.run_padded, n
        ways[f"{n} together, equal lengths"] = encoder.run_alike, n
    alone = _in_batches(encoder.run, rows, 1)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (run, n) in ways.items():
            started = time.process_time()
            _in_batches(run, rows, n)
            taken[name].append((time.process_time() - started) * 1000 / len(rows))
    reference = statistics.median(taken["one by one"])
    for name, ms in taken.items():
        ratios = statistics.median(one / base for one, base in zip(ms, taken["one by one"], strict=True))
        _say(f"{name:<28}{statistics.median(ms):>7.2f} CPU ms a question, {ratios:.2f} of one by one")
    for n in SIZES:
        off = np.abs(_in_batches(encoder.run_alike, rows, n) - alone).max(axis=1)
        _say(f"{n} together: {np.count_nonzero(off)} of {len(off)} vectors differ, by up to {off.max():.4f}")
    answer = _answer_ms(questions[:: len(questions) // ANSWERS])
    _say(f"an answer takes {answer:.0f} CPU ms, of which encoding the question is {reference / answer:.1%}")


def _answer_ms(questions: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder, qa.open(folder, settings=Settings(threads=1)) as byline:
        byline.add(bundled_articles())
        byline.ask(questions[0])
        return statistics.median(_cpu_ms(byline, question) for question in questions)


def _cpu_ms(byline: Byline, question: str) -> float:
    started = time.process_time()
    byline.ask(question)
    return (time.process_time() - started) * 1000


def _in_batches(run: Run, rows: Sequence[Row], n: int) -> Vectors:
    return np.concatenate([run(rows[start : start + n]) for start in range(0, len(rows), n)])


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
