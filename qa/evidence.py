"""Candidate sentences of the hits and what speaks for each: the numbers the extractive reader weighs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.types import Span
from index.types import Hit
from qa.mentions import Mention, find_mentions
from qa.passage_reading import LOW_SCORE, PassageReading
from qa.question import Form, Question, Term
from qa.words import Word, split_words

FEATURES = (
    "span",
    "answerable",
    "supported",
    "span_gap",
    "answerable_gap",
    "passage_best",
    "fits",
    "cover",
    "cover_context",
    "cover_passage",
    "names",
    "names_context",
    "pairs",
    "wanted_exact",
    "wanted_loose",
    "wanted_near",
    "missing",
    "number_clash",
    "year_missing",
    "fused",
    "cosine",
    "sentence_cosine",
    "sentence_cosine_gap",
    "rank",
    "length",
    "first",
    "fragment",
    "asks",
    "cover_gap",
    "fused_few",
    "cosine_few",
    "length_few",
)
# A sentence without a date does not say when; but a name may hide behind a form that is not known for one.
_EXACT_FORMS = frozenset({Form.WHEN, Form.HOW_MANY, Form.HOW_MUCH})
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_NEAR_WORDS = 12  # a wanted mention within so many words of a matched term counts as near
_FRAGMENT_WORDS = 4  # fewer words than this make a heading or a stray line, not a statement


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence of one hit: a possible statement.

    Args:
        hit: Index into the hits that were read.
        sentence: Index into the sentences of the hit's passage.
        span: In offsets of the article's text.
        words: With places counted from `span.start`; `mentions` likewise.
    """

    hit: int
    sentence: int
    span: Span
    text: str
    words: tuple[Word, ...]
    mentions: tuple[Mention, ...]


def find_candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return every sentence of the hits once, in the order of the hits."""
    candidates = []
    for place, hit in enumerate(hits):
        for sentence, span in enumerate(hit.passage.sentences):
            text = span.slice(hit.article.text)
            words, mentions = _take_apart(text)
            if words:
                candidates.append(Candidate(place, sentence, span, text, words, mentions))
    return candidates


def measure_evidence(
    question: Question,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    readings: Sequence[PassageReading],
    *,
    is_few: bool,
) -> NDArray[np.float64]:
    """Measure what speaks for each candidate.

    Args:
        question: Taken apart, typos mended.
        hits: The hits the candidates came from.
        candidates: From `find_candidates`.
        readings: What the network made of each hit.
        is_few: Whether these are all passages there are. What retrieval says is scaled to the best and the worst of
            those it found: of a hundred that tells much, of ten little. So three features count apart then.

    Returns:
        float64, shape (len(candidates), len(FEATURES)); columns are named by `FEATURES`.
    """
    stems = [frozenset(word.stem for word in candidate.words) for candidate in candidates]
    headers = [_header_stems(hit) for hit in hits]
    in_passage = held_stems(hits, candidates)
    rows = np.zeros((len(candidates), len(FEATURES)))
    for i, candidate in enumerate(candidates):
        previous = stems[i - 1] if i and candidates[i - 1].hit == candidate.hit else frozenset()
        context = stems[i] | previous | headers[candidate.hit]
        facts = (
            _read_facts(question, candidate, readings[candidate.hit])
            | _topic_facts(question, candidate, stems[i], context, in_passage[candidate.hit])
            | _place_facts(candidate, hits[candidate.hit])
        )
        if is_few:
            facts |= {f"{name}_few": facts[name] for name in ("fused", "cosine", "length")}
        rows[i] = [facts.get(name, 0.0) for name in FEATURES]
    for of in ("span", "answerable", "cover", "sentence_cosine"):
        values = rows[:, FEATURES.index(of)]
        rows[:, FEATURES.index(f"{of}_gap")] = values - values.max(initial=-np.inf) if len(values) else values
    return rows


def held_stems(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> list[set[str]]:
    """Return the stems that each hit holds, in its title, outlet, date and sentences."""
    held = [set(_header_stems(hit)) for hit in hits]
    for candidate in candidates:
        held[candidate.hit].update(word.stem for word in candidate.words)
    return held


def _read_facts(question: Question, candidate: Candidate, reading: PassageReading) -> dict[str, float]:
    """What the network says of the sentence and its passage."""
    answer = reading.answers[candidate.sentence]
    if answer is None:
        return {"span": LOW_SCORE, "answerable": reading.answerable, "supported": reading.supported}
    inside = [m for m in candidate.mentions if _overlaps(m, answer.span, candidate.span.start)]
    fits = float(any(mention.kind in question.wanted for mention in inside)) if question.wanted else 0.5
    return {
        "span": answer.score,
        "answerable": reading.answerable,
        "supported": reading.supported,
        "passage_best": float(answer.score >= reading.best),
        "fits": fits,
    }


def _overlaps(mention: Mention, span: Span, offset: int) -> bool:
    return mention.span.start + offset < span.end and span.start < mention.span.end + offset


def _topic_facts(
    question: Question,
    candidate: Candidate,
    own: frozenset[str],
    context: frozenset[str],
    passage: set[str],
) -> dict[str, float]:
    """What the question's words and kind say for the sentence, its context and its passage."""
    names = [term for term in question.terms if term.is_name]
    numbers = {word.text.replace(",", "") for word in candidate.words if word.text[0].isdigit()}
    years = {number for number in question.numbers if _YEAR.fullmatch(number)}
    wanted, near = _wanted(question, candidate)
    kind = "wanted_exact" if question.form in _EXACT_FORMS else "wanted_loose"
    return {
        "cover": _cover(question.terms, own),
        "cover_context": _cover(question.terms, context),
        "cover_passage": _cover(question.terms, passage),
        "names": _cover(names, own),
        "names_context": _cover(names, context),
        "pairs": _pairs(question.terms, candidate.words),
        kind: wanted,
        "wanted_near": near,
        "missing": max((term.weight for term in question.terms if term.stem not in passage), default=0.0),
        "number_clash": float(bool(question.numbers - numbers) and bool(numbers)),
        "year_missing": float(bool(years - passage)),
    }


def _place_facts(candidate: Candidate, hit: Hit) -> dict[str, float]:
    """What the sentence's place and form say, and what retrieval thought of its passage."""
    return {
        "fused": hit.signals.fused or 0.0,
        "cosine": hit.signals.cosine or 0.0,
        "sentence_cosine": hit.sentence_cosines[candidate.sentence] if hit.sentence_cosines else 0.0,
        "rank": 1.0 / (1 + candidate.hit),
        "length": math.log(1 + len(candidate.words)),
        "first": float(candidate.span.start == hit.passage.span.start),
        "fragment": float(len(candidate.words) < _FRAGMENT_WORDS),
        "asks": float(candidate.text.rstrip(" ”\"'").endswith("?")),
    }


def novel_mentions(question: Question, candidate: Candidate) -> list[Mention]:
    """Return the candidate's mentions of a wanted kind that the question does not already name."""
    asked = {term.stem for term in question.terms}
    novel = []
    for mention in candidate.mentions:
        if mention.kind not in question.wanted:
            continue
        inside = [w for w in candidate.words if mention.span.start <= w.start and w.end <= mention.span.end]
        if any(word.stem not in asked and not word.is_stop for word in inside):
            novel.append(mention)
    return novel


def same_words(left: Candidate, right: Candidate) -> float:
    """Return the share of two sentences' word stems that both hold (Jaccard), 0 to 1."""
    ours, theirs = {word.stem for word in left.words}, {word.stem for word in right.words}
    return len(ours & theirs) / len(ours | theirs)


def _cover(terms: Sequence[Term], stems: set[str] | frozenset[str]) -> float:
    total = sum(term.weight for term in terms)
    return sum(term.weight for term in terms if term.stem in stems) / total if total else 1.0


def _pairs(terms: Sequence[Term], words: Sequence[Word]) -> float:
    """Share of neighbouring topic words of the question that are neighbours in the sentence too."""
    asked = list(zip((t.stem for t in terms), (t.stem for t in terms[1:]), strict=False))
    topic = [word.stem for word in words if not word.is_stop]
    there = set(zip(topic, topic[1:], strict=False))
    return sum(pair in there for pair in asked) / len(asked) if asked else 0.0


def _wanted(question: Question, candidate: Candidate) -> tuple[float, float]:
    """Whether a mention of the wanted kind is there, and whether it stands near a matched topic word."""
    if not question.wanted:
        return 0.0, 0.0
    novel = novel_mentions(question, candidate)
    asked = {term.stem for term in question.terms}
    matched = [i for i, word in enumerate(candidate.words) if word.stem in asked]
    places = [i for i, w in enumerate(candidate.words) if any(m.span.start <= w.start < m.span.end for m in novel)]
    near = any(abs(i - j) <= _NEAR_WORDS for i in matched for j in places)
    return (1.0 if novel else -1.0), float(near)


def _header_stems(hit: Hit) -> frozenset[str]:
    article = hit.article
    header = f"{article.title} {article.source or ''} {article.published or ''}"
    return frozenset(word.stem for word in _take_apart(header)[0])


@lru_cache(maxsize=8_192)
def _take_apart(text: str) -> tuple[tuple[Word, ...], tuple[Mention, ...]]:
    return tuple(split_words(text)), tuple(find_mentions(text))
