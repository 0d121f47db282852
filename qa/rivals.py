"""Articles that answer the same question with different figures or dates: both are shown, neither is blended."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.types import Hit
from qa.evidence import Candidate
from qa.mentions import Kind, find_mentions
from qa.question import Form
from qa.reader_weights import ReaderWeights
from qa.types import Citation, Disagreement, Position, flat
from qa.weighed import Weighed

# Two names, or two phrases, may both be right; two years, or two counts of the same thing, may not.
_COMPARED = frozenset({Kind.DATE, Kind.NUMBER, Kind.MONEY})
_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_UNIT = re.compile(r"[$£€¥₹%]|\b(?:percent|per cent|thousand|million|billion|trillion)\b", re.IGNORECASE)


def find_rival(weighed: Weighed, hits: Sequence[Hit], weights: ReaderWeights) -> int | None:
    """Return the best candidate of another article whose figure or date clashes with the best one's; or None.

    Both must be answers in the network's eyes (a span rather than none, in a passage that answers), and the rival's
    score no further below the best than `weights.rival_margin`.
    """
    question, best = weighed.question, weighed.best
    value = value_of(weighed, weighed.candidates[best], hits)
    if question.form is Form.YES_NO or not question.wanted & _COMPARED or value is None or not weighed.is_sure(best):
        return None
    floor = weighed.scores[best] - weights.rival_margin
    for place in sorted(range(len(weighed.candidates)), key=lambda i: -weighed.scores[i]):
        candidate = weighed.candidates[place]
        if weighed.scores[place] < floor:
            return None
        if hits[candidate.hit].article.id == hits[weighed.candidates[best].hit].article.id:
            continue
        other = value_of(weighed, candidate, hits)
        if other is not None and weighed.is_sure(place) and clash(value, other):
            return place
    return None


def disagreement(about: str, first: Citation, second: Citation) -> Disagreement:
    """Return the two positions, each with its value and its citation."""
    positions = [
        Position(flat(citation.answer_span.slice(citation.article.text)), (citation.n,))
        for citation in (first, second)
        if citation.answer_span
    ]
    return Disagreement(about, tuple(positions))


def value_of(weighed: Weighed, candidate: Candidate, hits: Sequence[Hit]) -> str | None:
    """Return a candidate's short answer, if it is a figure or a date of the kind that was asked for."""
    span = weighed.answer_span(candidate)
    if span is None:
        return None
    text = span.slice(hits[candidate.hit].article.text)
    kinds = {mention.kind for mention in find_mentions(text)}
    return text if kinds & weighed.question.wanted & _COMPARED else None


def clash(left: str, right: str) -> bool:
    """Say whether two values cannot both be right: two years, two months, or two figures of one unit.

    A year and a month do not clash, nor does a figure with one of another unit ("£50 million", "$66 million").
    """
    for pattern in (_YEAR, _MONTH):
        ours, theirs = _found(pattern, left), _found(pattern, right)
        if ours and theirs:
            return not ours & theirs
        if ours or theirs:
            return False
    if _found(_UNIT, left) != _found(_UNIT, right):
        return False
    ours, theirs = _found(_FIGURE, left), _found(_FIGURE, right)
    return bool(ours and theirs) and not ours & theirs


def _found(pattern: re.Pattern[str], text: str) -> set[str]:
    found = (match.group(1) if match.groups() else match.group() for match in pattern.finditer(text))
    return {one.lower().replace(",", "") for one in found}
