"""The short answer inside a chosen sentence: a verbatim span, or none when no span is clear."""

from __future__ import annotations

import math

from corpus.types import Span
from qa.evidence import Candidate, novel_mentions
from qa.mentions import Kind, Mention
from qa.question import Form, Question

# Preferred kinds first: "who" takes a person before any other name, "how much" a sum before a bare number.
_PREFERRED: dict[Form, tuple[Kind, ...]] = {
    Form.WHO: (Kind.PERSON, Kind.NAME),
    Form.WHERE: (Kind.PLACE, Kind.NAME),
    Form.HOW_MUCH: (Kind.MONEY, Kind.NUMBER),
}
_CLEAR_LEAD_WORDS = 2.0  # the nearest mention must beat the next by so many words of mean distance to be called clear


def find_short_answer(question: Question, candidate: Candidate) -> Span | None:
    """Find the span of the candidate that answers the question by itself.

    Among the mentions of a wanted kind that the question does not name, the one nearest to the question's matched
    words is taken, rare words counting more.

    Returns:
        A span in offsets of `candidate.text`, or None when nothing of the wanted kind is there or two are as near.
    """
    mentions = novel_mentions(question, candidate)
    for kind in _PREFERRED.get(question.form, ()):
        mentions = [m for m in mentions if m.kind is kind] or mentions
    mentions = [m for m in mentions if not _in_parentheses(candidate.text, m.span)] or mentions
    if not mentions:
        return None
    ranked = sorted((_distance(question, candidate, mention), mention.span.start, mention.span) for mention in mentions)
    texts = {span.slice(candidate.text) for _, _, span in ranked}
    lead = ranked[1][0] - ranked[0][0] if len(texts) > 1 else math.inf
    return ranked[0][2] if lead >= _CLEAR_LEAD_WORDS else None


def _in_parentheses(text: str, span: Span) -> bool:
    """Whether the span is an aside: "£50 million (about $66 million)" gives one sum twice."""
    before = text[: span.start]
    return before.rfind("(") > before.rfind(")") and ")" in text[span.end :]


def _distance(question: Question, candidate: Candidate, mention: Mention) -> float:
    """Mean distance in words from the mention to the question's words in the sentence, weighted by rarity."""
    weights = {term.stem: term.weight for term in question.terms}
    inside = [i for i, w in enumerate(candidate.words) if mention.span.start <= w.start < mention.span.end]
    matched = [(i, weights[w.stem]) for i, w in enumerate(candidate.words) if w.stem in weights and i not in inside]
    if not matched or not inside:
        return float(len(candidate.words))
    total = sum(weight for _, weight in matched)
    return sum(weight * min(abs(i - j) for j in inside) for i, weight in matched) / total
