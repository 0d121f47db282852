"""The offline reader: picks verbatim sentences from the hits by fitted weights, or abstains."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ReaderUnavailableError
from corpus.types import Span
from index.types import Hit
from qa.evidence import FEATURES, Candidate, find_candidates, measure_evidence, same_words
from qa.likeness import Likeness, TokenEncoder
from qa.question import Question, analyse_question
from qa.short_answer import find_short_answer
from qa.spelling import mend_spelling
from qa.types import Abstention, Citation, Reading, Statement, Support, flat

Matrix = NDArray[np.float64]

# What the gate sees besides the best sentence's own evidence.
GATE_FEATURES = (*FEATURES, "score", "lead", "n_terms", "weight", "asks_kind", "hits_cosine", "missing_anywhere")
MAX_STATEMENTS = 3  # more sentences than this read as a copy of the article, not as an answer
MAX_LISTED = 5  # the same for a question that asks for a list
YEAR_MISSING_CHANCE = 0.1  # over DEV, a passage without the year that the question names was right in 5 of 50 cases
_YEAR_MISSING = GATE_FEATURES.index("year_missing")
_SAME_SENTENCE = 0.8  # share of common words above which two sentences tell the reader nothing new
_MIN_STATEMENT_WORDS = 3


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """Fitted by `python -m evals.fit_reader DATA WORK`; see qa/models/extractive.md for data and figures.

    Args:
        sentence: Shape (len(FEATURES),): what each feature adds to a sentence's score.
        gate: Shape (len(GATE_FEATURES),): what each adds to the log-odds that the best sentence answers.
        gate_bias: Constant of the log-odds.
        threshold: Confidence below which the reader abstains.
        margin: How far below the best score a further sentence may lie and still be stated.
        list_margin: The same for questions that ask for several things.
        fingerprint: Hash of the file they were read from.
    """

    sentence: Matrix
    gate: Matrix
    gate_bias: float
    threshold: float
    margin: float
    list_margin: float
    fingerprint: str = ""

    def chance(self, gate_row: Matrix) -> float:
        """Return the calibrated chance that the best sentence answers, from what the gate sees."""
        chance = float(1.0 / (1.0 + math.exp(-(gate_row @ self.gate + self.gate_bias))))
        return min(chance, YEAR_MISSING_CHANCE) if gate_row[_YEAR_MISSING] else chance


def load_weights(path: Path | None = None) -> ReaderWeights:
    """Read fitted weights; the shipped ones when no path is given.

    Raises:
        ReaderUnavailableError: If the file is missing or was fitted for other features.
    """
    source = path or resources.files("qa") / "models" / "extractive.json"
    try:
        raw = source.read_bytes()
        stored = json.loads(raw)
    except (OSError, ValueError) as error:
        raise ReaderUnavailableError(f"The reader's weights {str(source)!r} cannot be read: {error}.") from error
    if tuple(stored["features"]) != FEATURES or tuple(stored["gate_features"]) != GATE_FEATURES:
        raise ReaderUnavailableError(
            f"The reader's weights {str(source)!r} were fitted for other features. Fit them again: "
            "python -m evals.fit_reader DATA WORK"
        )
    return ReaderWeights(
        np.array(stored["sentence"]),
        np.array(stored["gate"]),
        stored["gate_bias"],
        stored["threshold"],
        stored["margin"],
        stored["list_margin"],
        hashlib.sha256(raw).hexdigest()[:12],
    )


class ExtractiveReader:
    """Reads by weighing every sentence of the hits; states only sentences that stand in an article.

    Args:
        encoder: The embedded encoder, for which the weights were fitted, whatever retrieval uses.
        weights: The shipped ones when None.
        max_hits: Hits beyond these are not read; their score is that of the worst sentence read.
    """

    def __init__(self, encoder: TokenEncoder, *, weights: ReaderWeights | None = None, max_hits: int = 10) -> None:
        self._likeness = Likeness(encoder)
        self._weights = weights or load_weights()
        self._max_hits = max_hits

    @property
    def name(self) -> str:
        """Return `extractive`."""
        return "extractive"

    @property
    def fingerprint(self) -> str:
        """Return the name and the hash of the weights."""
        return f"{self.name}:{self._weights.fingerprint}:{self._max_hits}"

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Choose the sentences that answer, in reading order, or abstain with the reason."""
        weighed = self.weigh(question, hits)
        if weighed is None:
            return Reading((), (), 0.0, (0.0,) * len(hits), abstention=Abstention("No passage was found to read."))
        hit_scores = weighed.hit_scores(len(hits))
        confidence = weighed.confidence(self._weights)
        if confidence < self._weights.threshold:
            reason = explain_abstention(weighed, confidence)
            return Reading((), (), confidence, hit_scores, abstention=Abstention(reason))
        chosen = choose_statements(weighed, self._weights)
        citations, short_answer = cite(weighed, chosen, hits)
        statements = tuple(Statement(flat(c.quote), (c.n,), Support.VERBATIM) for c in citations)
        return Reading(statements, citations, confidence, hit_scores, short_answer)

    def weigh(self, question: str, hits: Sequence[Hit]) -> Weighed | None:
        """Score every sentence of the hits; None when there is none."""
        read = hits[: self._max_hits]
        candidates = find_candidates(read)
        if not candidates:
            return None
        asked = analyse_question(mend_spelling(question, (word for c in candidates for word in c.words)))
        rows = measure_evidence(asked, read, candidates, self._likeness)
        return Weighed(asked, candidates, rows, rows @ self._weights.sentence)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question, its candidate sentences, their evidence rows and their scores (bigger is better)."""

    question: Question
    candidates: list[Candidate]
    rows: Matrix
    scores: Matrix

    @property
    def best(self) -> int:
        """Return the index of the best sentence, the earlier one on a tie."""
        return int(np.argmax(self.scores))

    def gate_row(self) -> Matrix:
        """Return what the gate sees, shape (len(GATE_FEATURES),)."""
        question, best = self.question, self.best
        others = [
            score
            for candidate, score in zip(self.candidates, self.scores, strict=True)
            if same_words(candidate, self.candidates[best]) < _SAME_SENTENCE
        ]
        stems = {word.stem for candidate in self.candidates for word in candidate.words}
        facts = (
            self.scores[best],
            self.scores[best] - max(others, default=self.scores[best] - 1.0),
            math.log(1 + len(question.terms)),
            sum(term.weight for term in question.terms),
            float(bool(question.wanted)),
            float(self.rows[:, FEATURES.index("passage_cosine")].max()),
            max((term.weight for term in question.terms if term.stem not in stems), default=0.0),
        )
        return np.concatenate([self.rows[best], facts])

    def confidence(self, weights: ReaderWeights) -> float:
        """Return the calibrated chance that the best sentence answers the question."""
        return weights.chance(self.gate_row())

    def hit_scores(self, n_hits: int) -> tuple[float, ...]:
        """Return each hit's best sentence score; hits that were not read get the lowest."""
        best = [float(self.scores.min())] * n_hits
        for candidate, score in zip(self.candidates, self.scores, strict=True):
            best[candidate.hit] = max(best[candidate.hit], float(score))
        return tuple(best)


def choose_statements(weighed: Weighed, weights: ReaderWeights) -> list[int]:
    """Return the candidates to state: the best, and others nearly as good that say something new."""
    is_list = weighed.question.is_list
    margin, most = (weights.list_margin, MAX_LISTED) if is_list else (weights.margin, MAX_STATEMENTS)
    floor = weighed.scores[weighed.best] - margin
    chosen: list[int] = []
    for place in np.argsort(-weighed.scores, kind="stable"):
        if len(chosen) == most or weighed.scores[place] < floor:
            break
        candidate = weighed.candidates[place]
        if chosen and len(candidate.words) < _MIN_STATEMENT_WORDS:
            continue
        if all(same_words(candidate, weighed.candidates[other]) < _SAME_SENTENCE for other in chosen):
            chosen.append(int(place))
    return chosen


def cite(weighed: Weighed, chosen: Sequence[int], hits: Sequence[Hit]) -> tuple[tuple[Citation, ...], str | None]:
    """Cite the chosen sentences in reading order, the article of the best one first.

    Returns:
        The citations numbered from 1, and the short answer when the best sentence holds a clear one.
    """
    best = weighed.candidates[chosen[0]]
    first_article = hits[best.hit].article.id
    order = sorted(
        (weighed.candidates[place] for place in chosen),
        key=lambda c: (hits[c.hit].article.id != first_article, hits[c.hit].article.id, c.span.start),
    )
    short = find_short_answer(weighed.question, best)
    citations = []
    for n, candidate in enumerate(order, start=1):
        hit = hits[candidate.hit]
        quote = candidate.span.slice(hit.article.text)
        inside = None
        if short is not None and candidate is best:
            inside = Span(candidate.span.start + short.start, candidate.span.start + short.end)
        citations.append(Citation(n, hit.article, hit.passage.id, candidate.span, quote, inside))
    return tuple(citations), flat(short.slice(best.text)) if short is not None else None


def explain_abstention(weighed: Weighed, confidence: float) -> str:
    """Say in one sentence why nothing is stated: a word no passage holds, or nothing close enough."""
    stems = {word.stem for candidate in weighed.candidates for word in candidate.words}
    missing = [term.text for term in weighed.question.terms if term.stem not in stems and term.is_name]
    if missing:
        return f"The articles do not say: the passages found do not mention {', '.join(missing)}."
    return f"The articles do not say: no sentence found answers this closely enough (confidence {confidence:.2f})."
