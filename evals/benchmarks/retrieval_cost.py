"""What a search costs, stage by stage: `python -m evals.benchmarks.retrieval_cost SET LIBRARY [QUESTIONS]`.

Processor and wall milliseconds a question, as medians; the reference is the bare encoder over the same questions in
the same run, which no search with vectors can go below. Composed questions (with clauses) are shown apart.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from evals.data import load_set
from index.clauses import split_clauses
from index.embed_onnx import embedded_encoder
from index.fuse import best_first
from index.open import OpenIndex, open_index
from index.retrieve import CANDIDATES, EVERYTHING, EXACT_PASSAGES, Retriever, fuse_candidates
from index.types import Vectors

QUESTIONS = 200
Stages = dict[str, list[tuple[float, float]]]
ResultT = TypeVar("ResultT")


def measure_stages(index: OpenIndex, questions: list[str]) -> Stages:
    """Return (processor, wall) milliseconds of every stage and question."""
    retriever = Retriever(index)
    retriever.retrieve(questions[0])  # opens what is opened once
    near = index.exact if index.library.n_passages() <= EXACT_PASSAGES else index.vectors
    stages: Stages = defaultdict(list)
    for question in questions:
        texts = [question, *split_clauses(question)]
        vector = _timed(stages, "encode (reference)", index.embedder.embed_question, question)
        _timed(stages, "BM25", _search_words, index, texts)
        _timed(stages, "nearest", near.query, vector, CANDIDATES)
        candidates = retriever.find(question)
        _timed(stages, "sentences", _compare_sentences, index, sorted(candidates.cosine), vector)
        fused = _timed(stages, "fuse", fuse_candidates, candidates)
        _timed(stages, "read hits", index.library.passages_with_articles, best_first(fused)[:10])
        _timed(stages, "retrieve (all)", retriever.retrieve, question)
    return stages


def main() -> None:
    """Print one table for plain and one for composed questions."""
    of = load_set(Path(sys.argv[1]))
    n = int(sys.argv[3]) if len(sys.argv) > 3 else QUESTIONS
    asked = [example.question for example in of.examples if example.gold_articles]
    with open_index(Path(sys.argv[2]), embedded_encoder()) as index:
        n_passages = index.library.n_passages()
        for name, composed in (("plain", False), ("composed", True)):
            questions = [question for question in asked if bool(split_clauses(question)) is composed][:n]
            if questions:
                _print(f"{of.name}, {n_passages} passages, {len(questions)} {name} questions", questions, index)


def _print(title: str, questions: list[str], index: OpenIndex) -> None:
    stages = measure_stages(index, questions)
    medians = {
        name: [statistics.median(column) for column in zip(*times, strict=True)] for name, times in stages.items()
    }
    reference = medians["encode (reference)"][0]
    sys.stdout.write(f"\n{title}\n{'stage':<22}{'CPU ms':>9}{'wall ms':>9}{'x encode':>10}\n")
    for name, (cpu, wall) in medians.items():
        sys.stdout.write(f"{name:<22}{cpu:>9.2f}{wall:>9.2f}{cpu / reference:>10.2f}\n")
    p95 = statistics.quantiles([wall for _, wall in stages["retrieve (all)"]], n=20)[-1]
    sys.stdout.write(f"retrieve, p95 wall {p95:.2f} ms\n")


def _search_words(index: OpenIndex, texts: list[str]) -> None:
    for text in texts:
        index.lexical.query(text, CANDIDATES, EVERYTHING)


def _compare_sentences(index: OpenIndex, passage_ids: list[str], vector: Vectors) -> None:
    index.library.sentence_vectors(passage_ids).best_cosines(vector)


def _timed(stages: Stages, name: str, stage: Callable[..., ResultT], *given: object) -> ResultT:
    cpu, wall = time.process_time(), time.perf_counter()
    result = stage(*given)
    stages[name].append(((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000))
    return result


if __name__ == "__main__":
    main()
