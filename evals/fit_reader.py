"""Fit the extractive reader on DEV sets: sentence weights, abstention gate, threshold and margins.

Run by hand: `python -m evals.fit_reader DATA_FOLDER WORK_FOLDER`. Libraries and evidence are kept in WORK_FOLDER and
made once. Questions are parted by the article they were asked on: five tenths fit the sentence weights; these and
three more fit the gate, the threshold and the margins; the last two tenths only measure. news_multihop judges only
some of the sentences that would do: sentence weights and margins learn nothing from it, and for the gate a sentence
of a judged article is right. The result, with its figures, goes to qa/models/extractive.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
# The largest set would drown the others, and its articles are few; the figure of news_multihop bounds the time.
MAX_QUESTIONS = {"wiki_squad": 1_500, "clapnq": 1_500, "news_multihop": 1_000}
MAX_OFF_TOPIC = 150
N_HITS = 10
L2_SENTENCE, L2_GATE = 1e-3, 3e-3
MARGINS = np.linspace(0.0, 3.0, 31)
PLATEAU = 0.01  # smaller gains are within the noise of sets of this size
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
    def teaches(self) -> bool:
        """Say whether sentences may be learned from it: not where only some of the good ones were judged."""
        return not self.group.startswith("news_multihop:")

    @property
    def tenth(self) -> int:
        """Return which tenth of the articles the question belongs to, 0 to 9, by hash."""
        return int(hashlib.sha256(self.group.encode()).hexdigest(), 16) % 10


@dataclass(frozen=True, slots=True)
class Scored:
    """A case under some sentence weights: what the gate sees, and whether the best sentence is right.

    Where only some of the good sentences were judged, one of a judged article counts as right.
    """

    case: Case
    weighed: Weighed
    gate_row: Matrix
    is_right: bool

    @property
    def kind(self) -> str:
        """Return the set, and whether the question can be answered."""
        return f"{self.case.group.split(':')[0]}, {'answerable' if self.case.answerable else 'unanswerable'}"


def score(case: Case, sentence: Matrix) -> Scored:
    """Score a case's candidates."""
    weighed = replace(case.weighed, scores=case.weighed.rows @ sentence)
    is_right = bool(case.right[weighed.best])
    if not case.teaches:
        is_right = case.articles[weighed.candidates[weighed.best].hit] in {article for article, _, _ in case.gold}
    return Scored(case, weighed, weighed.gate_row(), is_right)


def collect(data: Path, work: Path) -> dict[str, list[Case]]:
    """Weigh every question's candidates once per set; the rows are kept in the work folder."""
    cases: dict[str, list[Case]] = {}
    sets = {name: load_set(data / name) for name in SETS}
    for name, of in sets.items():
        kept = work / f"{name}.cases"
        if not kept.exists():
            rng = random.Random(20261122)  # noqa: S311  a sample, not a secret
            asked = rng.sample(of.examples, min(MAX_QUESTIONS[name], len(of.examples)))
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


def fit_gate(scored: Sequence[Scored]) -> tuple[Matrix, float]:
    """Fit the log-odds that the best sentence is right.

    Returns:
        Weights, shape (len(GATE_FEATURES),), and the constant.
    """
    rows = np.array([one.gate_row for one in scored])
    is_right = np.array([one.is_right for one in scored], dtype=float)
    share = _shares(scored)
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


def fit_threshold(scored: Sequence[Scored], weights: ReaderWeights) -> float:
    """Choose the confidence below which to abstain.

    An answerable question declined and an unanswerable one answered cost the same; so do the sets, whatever their
    size: the best mean, over sets, of the share answered right and the share declined.
    """
    chances = _chances(scored, weights)
    is_right = np.array([one.is_right for one in scored])
    kinds = np.array([one.kind for one in scored])
    wanted = np.array([one.case.answerable for one in scored])

    def gain(threshold: float) -> float:
        done = np.where(wanted, (chances >= threshold) & is_right, chances < threshold)
        return float(np.mean([done[kinds == kind].mean() for kind in set(kinds)]))

    # Of thresholds as good, the lowest: a person can judge a quote that is shown, not one that is kept back.
    return _first_as_good(np.linspace(0.05, 0.95, 91), gain)


def fit_margin(scored: Sequence[Scored], weights: ReaderWeights, plateau: float) -> float:
    """Choose how far below the best a further sentence may score: best F1 of cited against judged spans.

    The F1 is averaged within each set first, or the set of one-sentence answers would decide alone.
    """
    usable = [one for one in scored if one.is_right]
    kinds = sorted({one.kind for one in usable})

    def mean_f1(margin: float) -> float:
        trial = replace(weights, margin=margin, list_margin=margin)
        by_kind = [[_citation_f1(one, trial) for one in usable if one.kind == kind] for kind in kinds]
        return float(np.mean([np.mean(values) for values in by_kind]))

    return _first_as_good(MARGINS, mean_f1, plateau) if usable else 0.0


def _citation_f1(one: Scored, weights: ReaderWeights) -> float:
    chosen = choose_statements(one.weighed, weights)
    true = sum(one.case.right[place] for place in chosen)
    precision, recall = true / len(chosen), _recalled(one, chosen)
    return float(2 * precision * recall / (precision + recall)) if true and recall else 0.0


def _recalled(one: Scored, chosen: Sequence[int]) -> float:
    """Share of the judged spans that a chosen sentence overlaps."""
    candidates = (one.weighed.candidates[place] for place in chosen)
    spans = [(one.case.articles[c.hit], c.span.start, c.span.end) for c in candidates]
    found = [any(a == b and s < f and g < e for b, g, f in spans) for a, s, e in one.case.gold]
    return sum(found) / len(found) if found else 0.0


def measure(scored: Sequence[Scored], weights: ReaderWeights) -> dict[str, float]:
    """Measure on questions nothing was fitted on; what has no question to be measured on is left out."""
    chances = _chances(scored, weights)
    is_right = np.array([one.is_right for one in scored])
    answerable = np.array([one.case.answerable for one in scored])
    reachable = np.array([bool(one.case.right.any()) for one in scored])
    given = chances >= weights.threshold
    bins = np.minimum((chances * 10).astype(int), 9)
    gaps = [abs(chances[bins == b].mean() - is_right[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    f1 = [_citation_f1(one, weights) for one in scored if one.is_right]
    figures = {
        "questions": float(len(scored)),
        "right sentence, when it was retrieved": _mean(is_right[reachable]),
        "answered, of answerable": _mean(given[answerable]),
        "answered right, of answerable": _mean((given & is_right)[answerable]),
        "declined, of unanswerable": _mean(~given[~answerable]),
        "right, of answered": _mean(is_right[given]),
        "citation F1, best sentence right": _mean(np.array(f1)),
        "AUROC of confidence for being right": _auroc(chances, is_right),
        "expected calibration error": round(float(sum(gaps)), 4) if answerable.any() and not answerable.all() else None,
    }
    return {name: value for name, value in figures.items() if value is not None}


def main() -> None:
    """Collect, fit, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the evaluation sets")
    parser.add_argument("work", type=Path, help="folder for libraries and kept evidence")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cases = [case for of in collect(options.data, options.work).values() for case in of]
    parts = {name: [c for c in cases if c.tenth in tenths] for name, tenths in _PARTS.items()}
    sentence = fit_sentences([case for case in parts["train"] if case.teaches])
    scored = {name: [score(case, sentence) for case in part] for name, part in parts.items()}
    fitting = [*scored["train"], *scored["tune"]]
    gate, bias = fit_gate(fitting)
    weights = ReaderWeights(sentence, gate, bias, 0.5, 0.0, 0.0)
    weights = replace(weights, threshold=fit_threshold(fitting, weights))
    plain, many = (
        fit_margin([one for one in fitting if one.case.teaches and one.weighed.question.is_list is flag], weights, most)
        for flag, most in ((False, PLATEAU), (True, 0.0))  # a list wants all, a plain question no word too many
    )
    weights = replace(weights, margin=plain, list_margin=max(plain, many))
    kinds = sorted({one.kind for one in scored["test"]})
    figures = {kind: measure([one for one in scored["test"] if one.kind == kind], weights) for kind in kinds}
    figures["all"] = measure(scored["test"], weights)
    OUTPUT.write_text(json.dumps(_stored(weights, figures), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))  # noqa: T201  a script run by hand


_PARTS = {"train": range(5), "tune": range(5, 8), "test": range(8, 10)}


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


def _first_as_good(values: Matrix, gain: Callable[[float], float], plateau: float = PLATEAU) -> float:
    """Return the first value whose gain is within the plateau of the best."""
    gains = np.array([gain(value) for value in values.tolist()])
    return float(values[int(np.argmax(gains >= gains.max() - plateau))])


def _chances(scored: Sequence[Scored], weights: ReaderWeights) -> Matrix:
    return np.array([weights.chance(one.gate_row) for one in scored])


def _shares(scored: Sequence[Scored]) -> Matrix:
    """Weights that let a small set count for more than its size, yet not as much as a large one; they sum to 1."""
    kinds = Counter(one.kind for one in scored)
    share = np.array([1.0 / np.sqrt(kinds[one.kind]) for one in scored])
    return np.asarray(share / share.sum())


def _mean(values: NDArray[Any]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


def _auroc(scores: Matrix, positive: NDArray[np.bool_]) -> float | None:
    if positive.all() or not positive.any():
        return None
    above = scores[positive][:, None] - scores[~positive][None, :]
    return round(float((above > 0).mean() + 0.5 * (above == 0).mean()), 4)


if __name__ == "__main__":
    main()
