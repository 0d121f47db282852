"""A question with its candidate sentences, weighed: the best one, what the gate sees, how the hits rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus.types import Span
from index.clauses import split_clauses
from index.types import Hit
from qa.asked_speaker import AskedSpeaker
from qa.covering import cover_terms
from qa.evidence import FEATURES, Candidate, held_stems, same_words
from qa.passage_reading import PassageReading
from qa.question import Form, Question, person_asked
from qa.reader_weights import Matrix, ReaderWeights, sigmoid
from qa.roles import find_role
from qa.said_by import OTHER
from qa.values import QUALIFIERS

MAX_ANSWER_SHARE = 0.8  # of its sentence; a longer span is no short answer, the sentence is the answer
SAME_SENTENCE = 0.8  # share of common words above which two sentences tell the reader nothing new
# "How many" is not answered by a sentence without a number. Of such cases 0 of 5 were right on the tune part,
# 1 of 4 on the test part.
FIGURE_MISSING_CHANCE = 0.1
# Nor is "what does X say" by what somebody else says: of 9 such best sentences in the train and tune parts of
# written_news none was right.
OTHER_SPEAKER_CHANCE = 0.1
_FIGURE_FORMS = frozenset({Form.HOW_MANY, Form.HOW_MUCH})
SPAN_SCALE = 4.0  # logits of a span's two ends add up; a score of 4 is a clear yes


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question, its candidate sentences, their evidence rows and their scores (bigger is better).

    Args:
        said: For each candidate, as `qa.said_by` has it, whether the speaker asked for says it; None when the question
            asks for nobody's words.
        asked: Whose words are asked for.
    """

    question: Question
    candidates: list[Candidate]
    readings: list[PassageReading]
    rows: Matrix
    scores: Matrix
    said: Matrix | None = None
    asked: AskedSpeaker | None = None

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
            if same_words(candidate, self.candidates[best]) < SAME_SENTENCE
        ]
        stems = {word.stem for candidate in self.candidates for word in candidate.words}
        yes_no = float(question.form is Form.YES_NO)
        verdicts = [reading.answerable for reading in self.readings]
        facts = (
            self.scores[best],
            self.scores[best] - max(others, default=self.scores[best] - 1.0),
            math.log(1 + len(question.terms)),
            sum(term.weight for term in question.terms),
            float(bool(question.wanted)),
            max((term.weight for term in question.terms if term.stem not in stems), default=0.0),
            yes_no,
            yes_no * self.rows[best, FEATURES.index("supported")],
            math.log(1 + sum(verdict > 0 for verdict in verdicts)),
            max(verdicts),
        )
        return np.concatenate([self.rows[best], facts])

    def confidence(self, weights: ReaderWeights) -> float:
        """Return the calibrated chance that the best sentence answers the question."""
        chance = weights.chance(self.gate_row())
        if self.said is not None and self.said[self.best] == OTHER:
            return min(chance, OTHER_SPEAKER_CHANCE)
        lacks_figure = self.rows[self.best, FEATURES.index("wanted_exact")] < 0
        return min(chance, FIGURE_MISSING_CHANCE) if self.question.form in _FIGURE_FORMS and lacks_figure else chance

    def rank_rows(self, hits: Sequence[Hit]) -> Matrix:
        """Return what ranks the hits that were read, shape (hits read, len(RANK_FEATURES))."""
        cover = np.zeros(len(self.readings))
        for candidate, row in zip(self.candidates, self.rows, strict=True):
            cover[candidate.hit] = row[FEATURES.index("cover_passage")]
        return np.array(
            [
                (
                    hit.score,
                    hit.signals.cosine or 0.0,
                    sigmoid(reading.answerable),
                    sigmoid(reading.best / SPAN_SCALE),
                    sigmoid(reading.supported),
                    covered,
                )
                for hit, reading, covered in zip(hits, self.readings, cover, strict=False)
            ]
        )

    def hit_scores(self, hits: Sequence[Hit], weights: ReaderWeights) -> tuple[float, ...]:
        """Return each hit's rank score, 0 to 1; hits that were not read follow in their old order."""
        read = [sigmoid(float(score)) for score in self.rank_rows(hits) @ weights.rank]
        if split_clauses(self.question.text):
            read = cover_terms(read, held_stems(hits[: len(read)], self.candidates), self.question.terms)
        floor = min(read, default=0.0)
        rest = len(hits) - len(read)
        return (*read, *(floor * (rest - place) / (rest + 1) for place in range(rest)))

    def is_sure(self, place: int) -> bool:
        """Say whether the network takes a candidate for an answer: its span over none, its passage over silence."""
        row = self.rows[place]
        return bool(row[FEATURES.index("span")] > 0 and row[FEATURES.index("answerable")] > 0)

    def answer_span(self, candidate: Candidate) -> Span | None:
        """Return where in its article a sentence's short answer stands; None when it is nearly the whole sentence."""
        person = person_asked(self.question.text)
        if person is not None and (role := find_role(person, candidate.text)) is not None:
            return Span(candidate.span.start + role.start, candidate.span.start + role.end)
        answer = self.readings[candidate.hit].answers[candidate.sentence]
        if answer is None or len(answer.span) > MAX_ANSWER_SHARE * len(candidate.span):
            return None
        return _with_qualifier(answer.span, candidate)


def _with_qualifier(span: Span, candidate: Candidate) -> Span:
    """Take in the word before a span that makes another thing of it, as "former" does of a president."""
    start = span.start - candidate.span.start
    before = next((word for word in reversed(candidate.words) if word.end <= start), None)
    if before is None or before.text.lower() not in QUALIFIERS or candidate.text[before.end : start].strip(" -"):
        return span
    return Span(candidate.span.start + before.start, span.end)
