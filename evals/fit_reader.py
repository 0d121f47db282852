"""Fit the extractive reader on DEV sets: sentence weights, abstention gate, threshold and margins.

Run by hand: `python -m evals.fit_reader DATA_FOLDER WORK_FOLDER`. Libraries and evidence are kept in WORK_FOLDER and
made once. Questions are parted by the article they were asked on: five tenths fit the sentence weights, three tenths
the gate, the threshold and the margins, and the last two only measure. The result, with its figures, goes to
qa/models/extractive.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from corpus.load import load_sources
from evals.data import EvalSet, load_set
from evals.types import Example
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import Retriever
from qa.evidence import FEATURES
from qa.read_extractive import GATE_FEATURES, ExtractiveReader, ReaderWeights, Weighed, choose_statements

Matrix = NDArray[np.float64]
SETS = ("wiki_squad", "clapnq", "news_multihop")
OFF_TOPIC = {"wiki_squad": "clapnq", "clapnq": "news_multihop", "news_multihop": "wiki_squad"}
MAX_QUESTIONS = 3_000  # of one set: the largest would drown the others, and its articles are few
MAX_OFF_TOPIC = 250
N_HITS = 10
L2_SENTENCE, L2_GATE = 1e-3, 3e-3
WRONG_COST = 1.0  # of a wrong answer, against 1 for an answerable question declined: both break the promise alike
MARGINS = np.linspace(0.0, 3.0, 31)
OUTPUT = Path(__file__).parent.parent / "qa" / "models" / "extractive.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One question's weighed candidates, and which of them lie on judged evidence."""

    group: str
    answerable: bool
    weighed: Weighed
    right: NDArray[np.bool_]
    articles: tuple[str, ...]
    gold: tuple[tuple[str, int, int], ...]

    @property
    def tenth(self) -> int:
        """Return which tenth of the articles the question belongs to, 0 to 9, by hash."""
        return int(hashlib.sha256(self.group.encode()).hexdigest(), 16) % 10


def collect(data: Path, work: Path) -> dict[str, list[Case]]:
    """Weigh every question's candidates once per set; the rows are kept in the work folder."""
    cases: dict[str, list[Case]] = {}
    sets = {name: load_set(data / name) for name in SETS}
    for name, of in sets.items():
        kept = work / f"{name}.cases"
        if not kept.exists():
            rng = random.Random(20261122)  # noqa: S311  a sample, not a secret
            asked = rng.sample(of.examples, min(MAX_QUESTIONS, len(of.examples)))
            strange = rng.sample(sets[OFF_TOPIC[name]].examples, MAX_OFF_TOPIC)
            strange = [replace(e, answerable=False, gold_spans=(), type="off_topic") for e in strange]
            kept.write_bytes(pickle.dumps(list(_weigh(of, [*asked, *strange], work / name))))
        cases[name] = pickle.loads(kept.read_bytes())  # noqa: S301  written above
    return cases


def _weigh(of: EvalSet, examples: Sequence[Example], folder: Path) -> Iterator[Case]:
    encoder = embedded_encoder()
    zero = ReaderWeights(np.zeros(len(FEATURES)), np.zeros(len(GATE_FEATURES)), 0.0, 0.0, 0.0, 0.0)
    reader = ExtractiveReader(encoder, weights=zero, max_hits=N_HITS)
    with open_index(folder, encoder) as index:
        if not index.library.n_passages():
            add_articles(index, load_sources([of.corpus]))
        retriever = Retriever(index)
        for done, example in enumerate(examples):
            hits = retriever.retrieve(example.question, k=N_HITS)
            weighed = reader.weigh(example.question, hits)
            if weighed is None:
                continue
            gold = tuple((g.article_id, g.span.start, g.span.end) for g in example.gold_spans)
            articles = tuple(hit.article.id for hit in hits)
            right = np.array([_is_right(articles[c.hit], c.span.start, c.span.end, gold) for c in weighed.candidates])
            group = re.sub(r"-\d+$", "", example.context) if of.name == "wiki_squad" else example.context
            yield Case(f"{of.name}:{group}", example.answerable, weighed, right, articles, gold)
            if done % 200 == 0:
                print(of.name, done, "of", len(examples), flush=True)  # noqa: T201  a script run by hand


def _is_right(article: str, start: int, end: int, gold: Sequence[tuple[str, int, int]]) -> bool:
    """Whether a sentence covers half of a judged span, or half of it lies on one."""
    shared = [(min(end, g_end) - max(start, g_start), g_end - g_start) for a, g_start, g_end in gold if a == article]
    return any(overlap > 0 and (2 * overlap >= size or 2 * overlap >= end - start) for overlap, size in shared)


def fit_sentences(cases: Sequence[Case]) -> Matrix:
    """Fit sentence weights by softmax over each question's candidates (the right ones share the probability).

    Args:
        cases: Those with no right candidate teach nothing and are left out.

    Returns:
        Shape (len(FEATURES),), for rows as they are measured (not standardised).
    """
    usable = [case for case in cases if case.right.any()]
    rows = np.vstack([case.weighed.rows for case in usable])
    right = np.concatenate([case.right for case in usable])
    starts = np.cumsum([0, *(len(case.right) for case in usable)])[:-1]
    owner = np.repeat(np.arange(len(usable)), [len(case.right) for case in usable])
    deviation = rows.std(axis=0) + 1e-9
    scaled = rows / deviation

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        scores = scaled @ weights
        likely = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        likely /= np.add.reduceat(likely, starts)[owner]
        found = np.add.reduceat(likely * right, starts) + 1e-12
        gradient = scaled.T @ (likely - np.where(right, likely / found[owner], 0.0)) / len(usable)
        return float(-np.log(found).mean() + L2_SENTENCE * weights @ weights), gradient + 2 * L2_SENTENCE * weights

    return np.asarray(minimize(loss, np.zeros(len(FEATURES)), jac=True, method="L-BFGS-B").x / deviation)


def fit_gate(cases: Sequence[Case], sentence: Matrix) -> tuple[Matrix, float]:
    """Fit the log-odds that the best sentence is right; every set counts alike, whatever its size.

    Returns:
        Weights, shape (len(GATE_FEATURES),), and the constant.
    """
    rows = np.array([_scored(case, sentence).gate_row() for case in cases])
    is_right = np.array([_best_is_right(case, sentence) for case in cases], dtype=float)
    kinds = Counter(_kind(case) for case in cases)
    share = np.array([1.0 / np.sqrt(kinds[_kind(case)]) for case in cases])
    share /= share.sum()
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = np.hstack([(rows - mean) / deviation, np.ones((len(rows), 1))])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        chance = 1.0 / (1.0 + np.exp(-scaled @ weights))
        surprise = is_right * np.log(chance + 1e-12) + (1 - is_right) * np.log(1 - chance + 1e-12)
        gradient = scaled.T @ (share * (chance - is_right))
        gradient[:-1] += 2 * L2_GATE * weights[:-1]
        return float(-(share * surprise).sum() + L2_GATE * weights[:-1] @ weights[:-1]), gradient

    fitted = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    gate = fitted[:-1] / deviation
    return gate, float(fitted[-1] - gate @ mean)


def fit_threshold(cases: Sequence[Case], weights: ReaderWeights) -> float:
    """Choose the confidence below which to abstain: least cost, wrong answers at WRONG_COST, refusals at 1."""
    chances = np.array([_scored(case, weights.sentence).confidence(weights) for case in cases])
    is_right = np.array([_best_is_right(case, weights.sentence) for case in cases])
    answerable = np.array([case.answerable for case in cases])
    kinds = Counter(_kind(case) for case in cases)
    share = np.array([1.0 / np.sqrt(kinds[_kind(case)]) for case in cases])

    def cost(threshold: float) -> float:
        given = chances >= threshold
        return float((share * (WRONG_COST * (given & ~is_right) + (~given & answerable & is_right))).sum())

    return float(min(np.linspace(0.05, 0.95, 91), key=cost))


def fit_margin(cases: Sequence[Case], weights: ReaderWeights) -> float:
    """Choose how far below the best a further sentence may score: best mean F1 of cited against judged spans."""
    usable = [case for case in cases if case.right.any() and _best_is_right(case, weights.sentence)]

    def mean_f1(margin: float) -> float:
        trial = replace(weights, margin=margin, list_margin=margin)
        return float(np.mean([_citation_f1(case, trial) for case in usable]))

    return float(max(MARGINS, key=mean_f1))


def _citation_f1(case: Case, weights: ReaderWeights) -> float:
    weighed = _scored(case, weights.sentence)
    chosen = choose_statements(weighed, weights)
    true = sum(case.right[place] for place in chosen)
    precision, recall = true / len(chosen), _recalled(case, chosen)
    return 2 * precision * recall / (precision + recall) if true and recall else 0.0


def _recalled(case: Case, chosen: Sequence[int]) -> float:
    """Share of the judged spans that a chosen sentence overlaps."""
    spans = [(case.articles[c.hit], c.span.start, c.span.end) for c in (case.weighed.candidates[i] for i in chosen)]
    found = [any(a == b and s < f and g < e for b, g, f in spans) for a, s, e in case.gold]
    return sum(found) / len(found) if found else 0.0


def measure(cases: Sequence[Case], weights: ReaderWeights) -> dict[str, float]:
    """Measure on cases nothing was fitted on."""
    chances = np.array([_scored(case, weights.sentence).confidence(weights) for case in cases])
    is_right = np.array([_best_is_right(case, weights.sentence) for case in cases])
    answerable = np.array([case.answerable for case in cases])
    reachable = np.array([bool(case.right.any()) for case in cases])
    given = chances >= weights.threshold
    bins = np.minimum((chances * 10).astype(int), 9)
    gaps = [abs(chances[bins == b].mean() - is_right[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return {
        "questions": len(cases),
        "right sentence, when it was retrieved": _mean(is_right[reachable]),
        "answered, of answerable": _mean(given[answerable]),
        "answered right, of answerable": _mean((given & is_right)[answerable]),
        "declined, of unanswerable": _mean(~given[~answerable]),
        "right, of answered": _mean(is_right[given]),
        "citation F1, of answerable and right": _mean(
            np.array([_citation_f1(c, weights) for c, r in zip(cases, is_right, strict=True) if r])
        ),
        "AUROC of confidence for being right": _auroc(chances, is_right),
        "expected calibration error": round(float(sum(gaps)), 4),
    }


def main() -> None:
    """Collect, fit, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the evaluation sets")
    parser.add_argument("work", type=Path, help="folder for libraries and kept evidence")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cases = [case for of in collect(options.data, options.work).values() for case in of]
    parts = {name: [c for c in cases if c.tenth in tenths] for name, tenths in _PARTS.items()}
    sentence = fit_sentences(parts["train"])
    gate, bias = fit_gate([*parts["train"], *parts["tune"]], sentence)
    weights = ReaderWeights(sentence, gate, bias, 0.5, 0.0, 0.0)
    weights = replace(weights, threshold=fit_threshold([*parts["train"], *parts["tune"]], weights))
    margins = [fit_margin([c for c in parts["tune"] if c.weighed.question.is_list is flag], weights) for flag in _FLAGS]
    weights = replace(weights, margin=margins[0], list_margin=max(margins))
    kinds = sorted({_kind(case) for case in parts["test"]})
    figures = {kind: measure([c for c in parts["test"] if _kind(c) == kind], weights) for kind in kinds}
    figures["all"] = measure(parts["test"], weights)
    OUTPUT.write_text(json.dumps(_stored(weights, figures), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))  # noqa: T201  a script run by hand


_PARTS = {"train": range(5), "tune": range(5, 8), "test": range(8, 10)}
_FLAGS = (False, True)


def _stored(weights: ReaderWeights, figures: dict[str, dict[str, float]]) -> dict[str, object]:
    return {
        "features": list(FEATURES),
        "gate_features": list(GATE_FEATURES),
        "sentence": [round(float(w), 5) for w in weights.sentence],
        "gate": [round(float(w), 5) for w in weights.gate],
        "gate_bias": round(weights.gate_bias, 5),
        "threshold": round(weights.threshold, 3),
        "margin": round(weights.margin, 3),
        "list_margin": round(weights.list_margin, 3),
        "fitted_on": f"{', '.join(SETS)} (DEV), articles of tenths 0-7 by hash; figures on tenths 8-9",
        "figures": figures,
    }


def _scored(case: Case, sentence: Matrix) -> Weighed:
    return replace(case.weighed, scores=case.weighed.rows @ sentence)


def _best_is_right(case: Case, sentence: Matrix) -> bool:
    return bool(case.right[int(np.argmax(case.weighed.rows @ sentence))])


def _kind(case: Case) -> str:
    return f"{case.group.split(':')[0]}, {'answerable' if case.answerable else 'unanswerable'}"


def _mean(values: NDArray[np.generic]) -> float:
    return round(float(values.mean()), 4) if len(values) else float("nan")


def _auroc(scores: Matrix, positive: NDArray[np.bool_]) -> float:
    if positive.all() or not positive.any():
        return float("nan")
    above = scores[positive][:, None] - scores[~positive][None, :]
    return round(float((above > 0).mean() + 0.5 * (above == 0).mean()), 4)


if __name__ == "__main__":
    main()
