"""What an answer costs: `python -m evals.benchmarks.reading_cost SET LIBRARY [QUESTIONS]`.

Processor and wall milliseconds a question, as medians; the reference is the bare encoder over the texts of the same
passages in the same run (`encode (reference)`), a network of the same size without the reader's work around it.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from evals.data import load_set
from index.embed_onnx import embedded_encoder
from index.open import open_index
from index.retrieve import Retriever
from qa.network_onnx import ReaderNetwork
from qa.read_extractive import MAX_READ, ExtractiveReader
from qa.reading_input import make_header, make_input

QUESTIONS = 60


def main() -> None:
    """Print one table: encoding, making the pairs, the network, and the whole reading of the top passages."""
    of = load_set(Path(sys.argv[1]))
    n = int(sys.argv[3]) if len(sys.argv) > 3 else QUESTIONS
    questions = [example.question for example in of.examples][:: max(1, len(of.examples) // n)][:n]
    encoder, network = embedded_encoder(), ReaderNetwork()
    reader = ExtractiveReader(network)
    stages: dict[str, list[tuple[float, float]]] = {}
    with open_index(Path(sys.argv[2]), encoder) as index:
        retriever = Retriever(index)
        reader.read(questions[0], retriever.retrieve(questions[0], k=MAX_READ))  # opens what is opened once
        for question in questions:
            start = _now()
            hits = retriever.retrieve(question, k=MAX_READ)
            _add(stages, "retrieve", start)
            start = _now()
            encoder.embed_passages([hit.passage.text for hit in hits])
            _add(stages, "encode (reference)", start)
            start = _now()
            pairs = [make_input(question, make_header(hit.article), hit.passage.text) for hit in hits]
            _add(stages, "make pairs", start)
            start = _now()
            network.score(pairs)
            _add(stages, "network", start)
            start = _now()
            reader.read(question, hits)
            _add(stages, "read (all)", start)
    reference = statistics.median(cpu for cpu, _ in stages["encode (reference)"])
    sys.stdout.write(f"{of.name}, {len(questions)} questions, {MAX_READ} passages each\n")
    sys.stdout.write(f"{'stage':<22}{'CPU ms':>9}{'wall ms':>9}{'x encode':>10}\n")
    for name, times in stages.items():
        cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
        sys.stdout.write(f"{name:<22}{cpu:>9.1f}{wall:>9.1f}{cpu / reference:>10.2f}\n")


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _add(stages: dict[str, list[tuple[float, float]]], name: str, start: tuple[float, float]) -> None:
    cpu, wall = _now()
    stages.setdefault(name, []).append(((cpu - start[0]) * 1000, (wall - start[1]) * 1000))


if __name__ == "__main__":
    main()
