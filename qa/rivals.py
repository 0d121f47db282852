"""Articles that answer one question differently: each position with its sentences, neither blended nor judged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from index.types import Hit
from qa.evidence import FEATURES, Candidate
from qa.mentions import Kind
from qa.question import Form
from qa.reader_weights import RIVAL_FEATURES, Matrix, ReaderWeights
from qa.said_by import OTHER
from qa.types import Citation, Disagreement, Position, flat
from qa.values import Relation, compare_values, differ_by_qualifier, parse_value
from qa.weighed import Weighed
from qa.words import rarity, split_words

MAX_POSITIONS = 5  # more than a person compares at a glance, fewer than a list of whatever was found
MAX_BACKERS = 3  # further articles cited for one position
_READ_FEATURES = ("span", "answerable", "cover", "cover_context", "cover_passage", "fits")
_COUNTED = frozenset({Kind.DATE, Kind.NUMBER, Kind.MONEY})
# Two sentences that share a whole name with its title, which the question does not hold, tell of one event: their
# dates and figures are set side by side although the network reads only one of them as the answer. Over wiki_squad,
# whose articles agree, that alone shows a false rival for 3 of 194 questions that ask for a date or a figure.
_EVENT_NAMES, _EVENT_SHARE, _EVENT_GAP = 3, 0.2, -6.0
# A passage that lacks the word the question turns on ("sign"), and shares little else with the best sentence, tells of
# something else, however sure the network is of its date. On the test half of conflict_ramdocs that costs nothing.
_LOST, _SHARED = 0.5, 0.15


@dataclass(frozen=True, slots=True)
class Rival:
    """The sentence by which another article answers otherwise.

    Args:
        place: Of the candidate.
        value: Its short answer.
        row: What speaks for it, as `RIVAL_FEATURES` names it.
        same_event: Whether it shares the best sentence's names, or its value but for a word such as "former".
    """

    place: int
    value: str
    row: Matrix
    same_event: bool


def find_positions(weighed: Weighed, hits: Sequence[Hit], weights: ReaderWeights) -> list[list[int]]:
    """Return what articles answer, each position as the candidates that say so, the stated one first.

    The best sentence's position comes first, the others by how sure they are. One position alone is no disagreement,
    and nothing is returned. Several values are what a list asks for; a yes-no question or a choice of two names none.

    An article counts once for a position, and so does a story, however many copies of it there are. A copy that gives
    another value is a position of its own: somebody changed it.
    """
    value = value_of(weighed, weighed.best, hits)
    if value is None or weighed.question.is_list or weighed.question.form in (Form.YES_NO, Form.CHOICE):
        return []
    positions, values = [[weighed.best]], [value]
    rivals = [rival for rival in find_rivals(weighed, hits) if _is_shown(rival, weights)]
    for rival in sorted(rivals, key=lambda one: (-rival_logit(one.row, weights), one.place)):
        relations = [compare_values(rival.value, known) for known in values]
        if all(relation is Relation.DIFFERENT for relation in relations) and len(positions) < MAX_POSITIONS:
            positions.append([rival.place])
            values.append(rival.value)
    if len(positions) == 1:
        return []
    for position, known in zip(positions, values, strict=True):
        position.extend(_backers(weighed, hits, position[0], known))
    return positions


def find_rivals(weighed: Weighed, hits: Sequence[Hit]) -> Iterator[Rival]:
    """Yield each other article's best sentence if its value is another than the best one's, and those of its event."""
    best = weighed.best
    value = value_of(weighed, best, hits)
    own_article = hits[weighed.candidates[best].hit].article.id
    if value is None:
        return
    seen = {own_article}
    for place in np.argsort(-weighed.scores, kind="stable"):
        candidate = weighed.candidates[place]
        article = hits[candidate.hit].article.id
        if article == own_article or (weighed.said is not None and weighed.said[place] == OTHER):
            continue  # somebody else's figure is no other answer to what the speaker asked for says
        is_first, gap = article not in seen, weighed.scores[place] - weighed.scores[best]
        seen.add(article)
        if not is_first and gap < _EVENT_GAP:
            continue
        other = value_of(weighed, int(place), hits)
        if other is None or compare_values(value, other) is not Relation.DIFFERENT:
            continue
        shared = _shared_words(weighed, candidate, value, other)
        fits = weighed.rows[place, FEATURES.index("fits")] > 0 and bool(weighed.question.wanted & _COUNTED)
        same_event = fits and gap > _EVENT_GAP and shared[1] >= _EVENT_NAMES and shared[0] >= _EVENT_SHARE
        same_event |= differ_by_qualifier(value, other) and weighed.is_sure(int(place))
        if is_first or same_event:
            yield Rival(int(place), other, _row(weighed, int(place), other, shared[0]), bool(same_event))


def rival_logit(row: Matrix, weights: ReaderWeights) -> float:
    """Return the log-odds that a rival's article answers the question, and otherwise."""
    return float(row @ weights.rival + weights.rival_bias)


def value_of(weighed: Weighed, place: int, hits: Sequence[Hit]) -> str | None:
    """Return a candidate's short answer."""
    candidate = weighed.candidates[place]
    span = weighed.answer_span(candidate)
    return span.slice(hits[candidate.hit].article.text) if span else None


def disagreement(about: str, positions: Sequence[Sequence[Citation]]) -> Disagreement:
    """Return the positions with their values and citations; the first citation of each is the one that is stated."""
    sides = [
        Position(flat((first.answer_span or first.span).slice(first.article.text)), tuple(one.n for one in cited))
        for cited in positions
        for first in cited[:1]
    ]
    return Disagreement(about, tuple(sides))


def story_of(hit: Hit) -> str:
    """Return what copies of one article share: until near duplicates are linked, the article itself."""
    return hit.article.id


def _is_shown(rival: Rival, weights: ReaderWeights) -> bool:
    row = dict(zip(RIVAL_FEATURES, rival.row, strict=True))
    if rival.same_event:
        return True
    if row["lost_passage"] >= _LOST and row["shared"] < _SHARED:
        return False
    return rival_logit(rival.row, weights) >= weights.rival_from


def _backers(weighed: Weighed, hits: Sequence[Hit], stated: int, value: str) -> list[int]:
    """Return the best sentences of other stories that give the same value and that the network takes for answers."""
    stories = {story_of(hits[weighed.candidates[stated].hit])}
    found: list[int] = []
    for place in np.argsort(-weighed.scores, kind="stable"):
        story = story_of(hits[weighed.candidates[place].hit])
        if len(found) == MAX_BACKERS or story in stories or not weighed.is_sure(int(place)):
            continue
        other = value_of(weighed, int(place), hits)
        if other is not None and compare_values(value, other) is Relation.SAME:
            found.append(int(place))
            stories.add(story)
    return found


def _row(weighed: Weighed, place: int, value: str, shared: float) -> Matrix:
    """Return what speaks for a rival, shape (len(RIVAL_FEATURES),)."""
    read = [weighed.rows[place, FEATURES.index(name)] for name in _READ_FEATURES]
    parsed = parse_value(value)
    form = (
        float(bool(parsed.dates)),
        float(bool(parsed.figures) and not parsed.dates),
        float(bool(weighed.question.wanted)),
        float(not (parsed.dates or parsed.figures or weighed.question.wanted)),
    )
    facts = (
        weighed.scores[place] - weighed.scores[weighed.best],
        *form,
        *_lost_terms(weighed, weighed.candidates[place]),
        shared,
    )
    row = np.array([*read, *facts])
    if len(row) != len(RIVAL_FEATURES):
        raise ValueError("A rival's row and RIVAL_FEATURES name different things.")
    return row


def _lost_terms(weighed: Weighed, candidate: Candidate) -> tuple[float, float]:
    """Weight of the heaviest common word of the question that the best sentence holds, and not the rival's passage.

    The second number: and not the rival's sentence. "Signed in 2022" is no rival of "struck down in 2023".
    """
    best = {word.stem for word in weighed.candidates[weighed.best].words}
    own = {word.stem for word in candidate.words}
    passage = {word.stem for other in weighed.candidates if other.hit == candidate.hit for word in other.words}
    held = [term for term in weighed.question.terms if term.stem in best and not term.is_name]
    lost = (max((term.weight for term in held if term.stem not in there), default=0.0) for there in (passage, own))
    first, second = lost
    return first, second


def _shared_words(weighed: Weighed, candidate: Candidate, *values: str) -> tuple[float, int]:
    """Share, by rarity, of the best sentence's words beside question and values that a rival holds; how many names."""
    known = {term.stem for term in weighed.question.terms}
    known |= {word.stem for value in values for word in split_words(value)}
    own = {word.stem for word in candidate.words}
    words = [
        word
        for word in weighed.candidates[weighed.best].words
        if not word.is_stop and word.stem not in known and not word.text[0].isdigit()
    ]
    weight = {word.stem: rarity(word.text) for word in words}
    total = math.fsum(weight.values())
    names = {word.stem for word in words if word.is_capitalised and word.start > 0 and word.stem in own}
    shared = math.fsum(value for stem, value in weight.items() if stem in own)
    return (shared / total if total else 0.0), len(names)
