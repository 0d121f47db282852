"""What questions and edits cost as a library grows: `python -m evals.benchmarks.scale FOLDER SET [PASSAGES ...]`.

The library is made up over the words and vectors of a real set (see `synthetic_library`). At every size a new process
opens it and measures, in milliseconds of processor and of wall time: a whole retrieval with the real encoder, the
same under filters, an article's edit until it is found, and memory; beside them, in the same run, the bare encoder, a
raw Chroma query and an exact scan with NumPy. Results are added to FOLDER/scale.json; README.md and scale.svg beside
this file are made from it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from corpus.chunk import chunk_article
from evals.benchmarks.synthetic_library import (
    DAYS,
    FIRST_DAY,
    MadeUpEmbedder,
    Seeds,
    grow,
    make_cut,
    make_questions,
    make_seeds,
)
from evals.data import load_set
from index.embed_onnx import embedded_encoder
from index.library_manifest import current_build
from index.library_write import store_articles, store_vectors
from index.open import OpenIndex, open_index
from index.retrieve import CANDIDATES, Retriever
from index.sentence_vectors import sentence_texts
from index.types import Filters, Vectors

SIZES = (10_000, 100_000, 200_000)
N_QUESTIONS = 150
N_SENTENCES = 1_500  # of the real set
N_EDITS = 5
_WARM_UP = 20  # questions before the clock runs: pages of the files, and what is loaded once
FILTERS = {
    "one article": Filters(article_ids=("made-up-000007",)),
    "one outlet (2 %)": Filters(outlets=("Outlet 7",)),
    "a tenth of the days": Filters(since=FIRST_DAY, until=FIRST_DAY + timedelta(days=DAYS // 10 - 1)),
    "half of the days": Filters(since=FIRST_DAY + timedelta(days=DAYS // 2)),
}
Row = dict[str, float]


def real_sentences(path: Path) -> list[str]:
    """Return sentences of a set's articles, from all over it."""
    texts: list[str] = []
    for article in load_set(path).load_articles()[::4]:
        for passage in chunk_article(article)[:4]:
            texts += sentence_texts(passage)[:3]
    return texts[:N_SENTENCES]


def measure(folder: Path, seeds: Seeds) -> dict[str, Row]:
    """Return for everything measured its figures by name."""
    texts, vectors = make_questions(seeds, N_QUESTIONS)
    encoder = embedded_encoder()
    known = dict(zip(texts, vectors, strict=True))
    rows: dict[str, Row] = {}
    with open_index(folder, MadeUpEmbedder(known, vectors.shape[1], encoder)) as index:
        retriever = Retriever(index, deadline_s=600)
        started = time.perf_counter()
        retriever.retrieve(texts[0])
        rows["first question"] = {"wall": _ms(started)}
        rows["encoder alone (reference)"] = _timed(encoder.embed_question, texts)
        rows["retrieve"] = _timed(retriever.retrieve, texts)
        for name, filters in FILTERS.items():
            rows[f"retrieve, {name}"] = _timed(partial(retriever.retrieve, filters=filters), texts)
        rows["memory"] = {"MB": _resident_mb()}
        rows["BM25"] = _timed(lambda text: index.lexical.query(text, CANDIDATES, Filters()), texts)
        rows["raw Chroma, 100 nearest (reference)"] = _timed(lambda text: index.vectors.query(known[text], 100), texts)
        rows["edit of one article until found"] = _measure_edits(index, retriever, seeds)
        rows |= _measure_exact(index, vectors)
        rows["library"] = {"passages": index.library.n_passages()}
    return rows


def _measure_exact(index: OpenIndex, vectors: Vectors) -> dict[str, Row]:
    """Compare Chroma's ten nearest with those of a scan over all vectors, as float32."""
    ids, matrix = index.library.known_vectors(index.library.passage_ids())
    wall, cpu, found = [], [], 0
    for vector in vectors:
        started, used = time.perf_counter(), time.process_time()
        scores = np.einsum("ij,j->i", matrix, vector)
        nearest = np.argpartition(-scores, 10)[:10]
        wall.append(_ms(started))
        cpu.append((time.process_time() - used) * 1000)
        floor = scores[nearest].min() - 1e-5  # equal scores are equally right
        row_of = {passage_id: score for passage_id, score in zip(ids, scores.tolist(), strict=True) if score >= floor}
        found += sum(passage_id in row_of for passage_id, _ in index.vectors.query(vector, 10))
    rows = {"exact scan with NumPy (reference)": _summary(cpu, wall)}
    rows["Chroma"] = {"recall@10": found / (10 * len(vectors))}
    return rows


def _measure_edits(index: OpenIndex, retriever: Retriever, seeds: Seeds) -> Row:
    number, build = current_build(index.library.file)
    wall, cpu = [], []
    for n in range(N_EDITS):
        cut, sentences = make_cut(seeds, n * 7, edition=int(time.time()) + n)
        vectors = np.array([rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0)) for rows in sentences])
        started, used = time.perf_counter(), time.process_time()
        with index.writing():
            store_vectors(index.library.file, build, cut.hashes, vectors, sentences)
            store_articles(index.library.file, number, [cut], {})
            index.catch_up()
        hits = retriever.retrieve(cut.passages[3].text[:300])
        wall.append(_ms(started))
        cpu.append((time.process_time() - used) * 1000)
        if cut.passages[3].id not in {hit.passage.id for hit in hits}:
            raise RuntimeError("An edited article was not found.")
    return _summary(cpu, wall)


def _timed(call: Callable[[str], object], texts: Sequence[str]) -> Row:
    for text in texts[:_WARM_UP]:
        call(text)
    wall, cpu = [], []
    for text in texts:
        started, used = time.perf_counter(), time.process_time()
        call(text)
        wall.append(_ms(started))
        cpu.append((time.process_time() - used) * 1000)
    return _summary(cpu, wall)


def _summary(cpu: Sequence[float], wall: Sequence[float]) -> Row:
    p95 = statistics.quantiles(wall, n=20)[-1]
    return {"cpu": statistics.median(cpu), "wall": statistics.median(wall), "p95": p95}


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    raise RuntimeError("This system does not say how much memory a process uses.")


def main() -> None:
    """Grow the library, and measure each size in a process of its own."""
    folder, of = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[3:4] == ["--measure"]:
        sys.stdout.write(json.dumps(measure(folder, make_seeds(real_sentences(of), embedded_encoder()))))
        return
    seeds = make_seeds(real_sentences(of), embedded_encoder())
    results: list[dict[str, Row]] = []
    for size in map(int, sys.argv[3:] or SIZES):
        with open_index(folder / "library", MadeUpEmbedder({}, seeds.vectors.shape[1])) as index:
            grow(index, seeds, size)
        command = [sys.executable, "-m", "evals.benchmarks.scale", str(folder / "library"), str(of), "--measure"]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        (folder / "scale.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
        sys.stdout.write(f"{json.dumps(results[-1], indent=1)}\n")


if __name__ == "__main__":
    main()
