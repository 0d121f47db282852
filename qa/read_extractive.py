"""The offline reader: points at verbatim sentences and the spans in them that answer, or abstains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corpus.types import Span
from index.types import Hit
from qa.asked_speaker import find_asked_speaker
from qa.evidence import Candidate, find_candidates, measure_evidence, same_words
from qa.joined import join_readings
from qa.parts import split_question
from qa.passage_reading import PairScorer, read_passages
from qa.question import Form, analyse_question
from qa.reader_weights import ReaderWeights, load_weights
from qa.rivals import disagreement, find_positions
from qa.said_by import OTHER, measure_speakers, prefer_speaker
from qa.spelling import mend_spelling
from qa.support import SupportChecker
from qa.types import Abstention, Citation, Disagreement, Reading, Statement, Support, flat
from qa.weighed import SAME_SENTENCE, Weighed
from qa.yes_no import YesNo

MAX_STATEMENTS = 3  # more sentences than this read as a copy of the article, not as an answer
MAX_LISTED = 5  # the same for a question that asks for a list
MAX_READ = 20  # hits beyond these are not read: about 10 ms each on two cores
_MIN_STATEMENT_WORDS = 3


class ExtractiveReader:
    """Reads every hit with the network, weighs the sentences, and states only what stands in an article.

    Args:
        network: Scores (question, passage) pairs; the shipped one is `qa.network_onnx.ReaderNetwork`.
        weights: The shipped ones when None.
        max_hits: Hits beyond these are not read, and rank below those that were.
        strictness: One of `STRICTNESS_COST`: how sure it must be before it answers.
    """

    def __init__(
        self,
        network: PairScorer,
        *,
        weights: ReaderWeights | None = None,
        max_hits: int = MAX_READ,
        strictness: str = "balanced",
    ) -> None:
        self._network = network
        self._weights = weights or load_weights()
        self._max_hits = max_hits
        self._threshold = self._weights.thresholds[strictness]
        facts = self._weights.supported_from, self._weights.weak_from
        self._yes_no = YesNo(SupportChecker(network, supported_from=facts[0], weak_from=facts[1]))

    @property
    def name(self) -> str:
        """Return `extractive`."""
        return "extractive"

    @property
    def fingerprint(self) -> str:
        """Return the name and the hashes of network and weights."""
        return f"{self.name}:{self._network.fingerprint}:{self._weights.fingerprint}:{self._max_hits}:{self._threshold}"

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Choose the sentences that answer, in reading order, or abstain with the reason.

        A question that asks several things is read part by part, and answered so when every part has an answer;
        otherwise it is read whole, and when that gives none, the parts that have one are answered, with a note.
        """
        parts = split_question(question)
        if len(parts) == 1 or not hits:
            return self._read_one(question, hits)
        by_part = {part: self._read_one(part, hits) for part in parts}
        answered = [reading for reading in by_part.values() if reading.abstention is None]
        if len(answered) == len(parts):
            return join_readings(question, answered)
        whole = self._read_one(question, hits)
        if whole.abstention is None or not answered:
            return whole
        left = " and ".join(f"“{part}”" for part, reading in by_part.items() if reading.abstention is not None)
        note = f"Only a part of the question is answered: the articles do not say {left}"
        return replace(join_readings(question, answered), degraded=note)

    def _read_one(self, question: str, hits: Sequence[Hit]) -> Reading:
        weighed = self.weigh(question, hits)
        if weighed is None:
            return Reading((), (), 0.0, (0.0,) * len(hits), abstention=Abstention("No passage was found to read."))
        hit_scores = weighed.hit_scores(hits, self._weights)
        confidence = weighed.confidence(self._weights)
        if confidence < self._threshold:
            reason = explain_abstention(weighed, confidence)
            return Reading((), (), confidence, hit_scores, abstention=Abstention(reason))
        positions = find_positions(weighed, hits, self._weights)
        stated = choose_statements(weighed, self._weights)
        stated += [side[0] for side in positions if side[0] not in stated]
        backing = [place for side in positions for place in side if place not in stated]
        citations = cite(weighed, stated, hits, backing)
        return Reading(
            tuple(Statement(flat(c.quote), (c.n,), Support.VERBATIM) for c in citations[: len(stated)]),
            citations,
            confidence,
            hit_scores,
            None if positions else self._short_answer(weighed, stated, hits),
            disagreements=_disagreements(weighed, positions, citations, hits),
        )

    def _short_answer(self, weighed: Weighed, chosen: Sequence[int], hits: Sequence[Hit]) -> str | None:
        """Return "Yes" or "No" to such a question, the values of a list, else the best sentence's span."""
        candidates = [weighed.candidates[place] for place in chosen]
        if weighed.question.form is Form.YES_NO:
            return self._yes_no.answer(weighed.question.text, [(hits[c.hit], c.span) for c in candidates])
        if weighed.question.form is Form.CHOICE:
            return None  # which of the two it is, the sentence says; a span of it mostly names neither
        spans = [weighed.answer_span(candidate) for candidate in candidates]
        texts = [flat(span.slice(hits[c.hit].article.text)) for c, span in zip(candidates, spans, strict=True) if span]
        if weighed.question.is_list and len(texts) > 1:
            return "; ".join({text.casefold(): text for text in texts}.values())
        return texts[0] if spans[0] else None

    def weigh(self, question: str, hits: Sequence[Hit]) -> Weighed | None:
        """Score every sentence of the hits; None when there is none."""
        read = hits[: self._max_hits]
        candidates = find_candidates(read)
        if not candidates:
            return None
        asked = analyse_question(mend_spelling(question, (word for c in candidates for word in c.words)))
        readings = read_passages(self._network, asked.text, read)
        rows = measure_evidence(asked, read, candidates, readings, is_few=len(hits) < self._max_hits)
        scores = rows @ self._weights.sentence
        speaker = find_asked_speaker(asked.text)
        if speaker is None:
            return Weighed(asked, candidates, readings, rows, scores)
        said = measure_speakers(speaker, read, candidates)
        return Weighed(asked, candidates, readings, rows, scores + prefer_speaker(said), said, speaker)


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
        if chosen and weighed.said is not None and weighed.said[place] == OTHER:
            continue  # somebody else's words beside those asked for would pass for theirs
        if chosen and len(candidate.words) < _MIN_STATEMENT_WORDS:
            continue
        if chosen and is_list and not weighed.is_sure(int(place)):
            continue  # what such a sentence holds would be listed among the answers
        if all(same_words(candidate, weighed.candidates[other]) < SAME_SENTENCE for other in chosen):
            chosen.append(int(place))
    return chosen


def cite(
    weighed: Weighed, stated: Sequence[int], hits: Sequence[Hit], backing: Sequence[int] = ()
) -> tuple[Citation, ...]:
    """Cite the stated sentences in reading order, the article of the best one first, then the backing ones.

    Numbers start at 1.
    """
    first_article = hits[weighed.candidates[stated[0]].hit].article.id

    def reading_order(candidate: Candidate) -> tuple[bool, str, Span]:
        article = hits[candidate.hit].article.id
        return article != first_article, article, candidate.span

    order = [
        candidate
        for places in (stated, backing)
        for candidate in sorted((weighed.candidates[place] for place in places), key=reading_order)
    ]
    marks_spans = weighed.question.form not in (Form.YES_NO, Form.CHOICE)
    return tuple(
        Citation(
            n,
            hits[candidate.hit].article,
            hits[candidate.hit].passage.id,
            candidate.span,
            candidate.span.slice(hits[candidate.hit].article.text),
            weighed.answer_span(candidate) if marks_spans else None,
        )
        for n, candidate in enumerate(order, start=1)
    )


def _disagreements(
    weighed: Weighed, positions: Sequence[Sequence[int]], citations: Sequence[Citation], hits: Sequence[Hit]
) -> tuple[Disagreement, ...]:
    if not positions:
        return ()
    by_place = {(citation.article.id, citation.span): citation for citation in citations}
    sides = [
        [by_place[hits[one.hit].article.id, one.span] for one in (weighed.candidates[place] for place in side)]
        for side in positions
    ]
    return (disagreement(weighed.question.text, sorted(sides, key=lambda side: side[0].n)),)


def explain_abstention(weighed: Weighed, confidence: float) -> str:
    """Say in one sentence why nothing is stated: a word no passage holds, or nothing close enough."""
    stems = {word.stem for candidate in weighed.candidates for word in candidate.words}
    missing = [term.text for term in weighed.question.terms if term.stem not in stems and term.is_name]
    if missing:
        return f"The articles do not say: the passages found do not mention {', '.join(missing)}."
    if weighed.asked is not None and weighed.said is not None and weighed.said[weighed.best] == OTHER:
        return f"The articles do not say: what was found is said by others, not by {weighed.asked.text}."
    return f"The articles do not say: no sentence found answers this closely enough (confidence {confidence:.2f})."
