"""Fit when another article's answer is shown beside the best one, as a disagreement.

Rivals to be shown come from half of the questions of conflict_ramdocs, whose documents give several answers (also of
namesakes, and of texts that were altered); rivals not to be shown from its noise, and from the tune parts of sets
whose articles agree. The other half and the test parts only measure.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from corpus.load import load_sources
from index.embed_onnx import embedded_encoder
from index.ingest import add_articles
from index.open import open_index
from index.retrieve import Retriever
from index.types import Filters, Hit
from qa.passage_reading import PairScorer
from qa.read_extractive import MAX_READ, ExtractiveReader
from qa.reader_weights import Matrix, ReaderWeights
from qa.rivals import Rival, find_positions, find_rivals, rival_logit
from qa.training.cases import blank_weights, is_even
from qa.training.fit_figures import Scored
from qa.training.rows import Part, read_rows
from qa.values import Relation, compare_values
from qa.weighed import Weighed

SET = "conflict_ramdocs"
L2 = 3e-3
FALSE_RIVALS = 0.01  # share of answered questions whose articles agree that may be shown as a disagreement


@dataclass(frozen=True, slots=True)
class Conflict:
    """One question over documents that may disagree.

    Args:
        says: By article id, what a document that is not noise answers.
    """

    part: Part
    weighed: Weighed
    hits: tuple[Hit, ...]
    says: Mapping[str, str]

    def is_right(self, rival: Rival) -> bool:
        """Say whether a rival gives what its document answers."""
        answer = self.says.get(self.hits[self.weighed.candidates[rival.place].hit].article.id)
        return answer is not None and compare_values(rival.value, answer) is Relation.SAME

    @property
    def disagrees(self) -> bool:
        """Whether its documents give several answers."""
        return len(set(self.says.values())) > 1


def fit_rivals(
    data: Path, work: Path, network: PairScorer, weights: ReaderWeights, scored: Mapping[Part, Sequence[Scored]]
) -> tuple[ReaderWeights, dict[str, float]]:
    """Return the weights with those of rivals, and the figures of what nothing was fitted on.

    Args:
        data: Holds the set.
        work: Keeps its library and what was read.
        network: Reads the questions.
        weights: All but those of rivals.
        scored: Questions of the other sets, of both parts.
    """
    conflicts = [
        replace(one, weighed=replace(one.weighed, scores=one.weighed.rows @ weights.sentence))
        for one in collect_conflicts(data, work, network)
    ]
    conflicts = [one for one in conflicts if one.weighed.confidence(weights) >= weights.thresholds["balanced"]]
    agreeing = {part: [one for one in scored[part] if _agrees(one, weights)] for part in (Part.TUNE, Part.TEST)}
    tune = [one for one in conflicts if one.part is Part.TUNE]
    judged = [(rival.row, one.is_right(rival)) for one in tune for rival in find_rivals(one.weighed, one.hits)]
    for one in agreeing[Part.TUNE]:
        judged += [(rival.row, False) for rival in _false_rivals(one)]
    rival, bias = _fit_logistic(np.array([row for row, _ in judged]), np.array([right for _, right in judged]))
    fitted = replace(weights, rival=rival, rival_bias=bias)
    fitted = replace(fitted, rival_from=_threshold(agreeing[Part.TUNE], fitted))
    return fitted, _figures([one for one in conflicts if one.part is Part.TEST], agreeing[Part.TEST], fitted)


def collect_conflicts(data: Path, work: Path, network: PairScorer) -> list[Conflict]:
    """Read every question over its own documents; kept in the work folder, by the network's hash."""
    kept = work / f"{SET}.{network.fingerprint.rsplit(':', 1)[-1]}.cases"
    if not kept.exists():
        kept.write_bytes(pickle.dumps(list(_read(data / SET, work / SET, network))))
    conflicts: list[Conflict] = pickle.loads(kept.read_bytes())
    return conflicts


def _read(folder: Path, library: Path, network: PairScorer) -> Iterator[Conflict]:
    metas = {str(row["id"]): row["meta"] for row in read_rows(folder, "corpus")}
    reader = ExtractiveReader(network, weights=blank_weights(), max_hits=MAX_READ)
    with open_index(library, embedded_encoder()) as index:
        if not index.library.n_passages():
            add_articles(index, load_sources([next(folder.glob("corpus.jsonl*"))]))
        retriever = Retriever(index)
        for row in read_rows(folder, "queries"):
            shown = tuple(str(name) for name in row["docs"])
            hits = retriever.retrieve(row["question"], k=MAX_READ, filters=Filters(article_ids=shown))
            weighed = reader.weigh(row["question"], hits)
            says = {name: str(metas[name]["answer"]) for name in shown if metas[name]["kind"] != "noise"}
            if weighed is not None:
                yield Conflict(Part.TUNE if is_even(str(row["id"])) else Part.TEST, weighed, tuple(hits), says)


def _agrees(one: Scored, weights: ReaderWeights) -> bool:
    return one.case.asked.answerable and one.weighed.confidence(weights) >= weights.thresholds["balanced"]


def _false_rivals(one: Scored) -> list[Rival]:
    """Return rivals that are none: what lies on judged evidence may well be the better answer, and has no part."""
    return [rival for rival in find_rivals(one.weighed, one.case.hits) if not one.case.right[rival.place]]


def _fit_logistic(rows: Matrix, right: NDArray[np.bool_]) -> tuple[Matrix, float]:
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = np.hstack([(rows - mean) / deviation, np.ones((len(rows), 1))])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        chance = 1.0 / (1.0 + np.exp(-scaled @ weights))
        surprise = right * np.log(chance + 1e-12) + (1 - right) * np.log(1 - chance + 1e-12)
        gradient = scaled.T @ (chance - right) / len(rows)
        gradient[:-1] += 2 * L2 * weights[:-1]
        return float(-surprise.mean() + L2 * weights[:-1] @ weights[:-1]), gradient

    found = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    fitted = found[:-1] / deviation
    return fitted, float(found[-1] - fitted @ mean)


def _threshold(agreeing: Sequence[Scored], weights: ReaderWeights) -> float:
    """Return the log-odds that hardly a question reaches whose articles agree."""
    surest = sorted(
        (max((rival_logit(rival.row, weights) for rival in _false_rivals(one)), default=-np.inf) for one in agreeing),
        reverse=True,
    )
    return float(surest[int(FALSE_RIVALS * len(surest))]) + 1e-6


def _figures(conflicts: Sequence[Conflict], agreeing: Sequence[Scored], weights: ReaderWeights) -> dict[str, float]:
    shown = np.array([bool(find_positions(one.weighed, one.hits, weights)) for one in conflicts])
    wanted = np.array([one.disagrees for one in conflicts])
    figures = {
        "questions over documents that may disagree, answered": float(len(conflicts)),
        "shown as disagreement, of those that disagree": float(shown[wanted].mean()),
        "disagree, of those shown": float(wanted[shown].mean()),
    }
    for name in sorted({one.case.set_name for one in agreeing}):
        of_set = [one for one in agreeing if one.case.set_name == name]
        false = np.mean([bool(find_positions(one.weighed, one.case.hits, weights)) for one in of_set])
        figures[f"shown as disagreement, of {name}, whose articles agree"] = float(false)
    return {name: round(value, 4) for name, value in figures.items()}
