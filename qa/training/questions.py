"""Questions made by rule: out of sentences (cloze), spoiled so that nothing answers them, and roughened as people type.

Cloze questions follow Lewis et al., "Unsupervised Question Answering by Cloze Translation" (2019): a mention is taken
out of a sentence, a question word of its kind is put in, and words are dropped, so that matching words alone does not
find the place. Recurring spans follow Ram et al., "Few-Shot Question Answering by Pretraining Span Selection" (2021):
the answer stands in another sentence than the one that the question is made of.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.types import Passage, Span
from qa.mentions import Kind, Mention, find_mentions
from qa.words import rarity, split_words

_WH: dict[Kind, tuple[str, ...]] = {
    Kind.PERSON: ("who", "who", "which person", "whom"),
    Kind.PLACE: ("where", "what place", "which country", "which city"),
    Kind.NAME: ("what", "who", "which", "what organization", "what is the name of"),
    Kind.DATE: ("when", "when", "what year", "what date", "in what year"),
    Kind.NUMBER: ("how many", "how much", "what number", "what percentage"),
    Kind.MONEY: ("how much", "how much money", "what sum"),
    Kind.QUOTE: ("what", "what words"),
}
_CLAUSE_MARK = re.compile(r"[,;:—–()]\s")
_MIN_LEFT_WORDS = 4  # fewer words beside the answer do not ask anything
_MAX_QUESTION_WORDS = 30
_RARE = 0.75
_MIN_SHARED = 2  # rare stems that two sentences share before one is taken to speak of the other's matter
_OPPOSITES = (
    ("first", "last"), ("before", "after"), ("most", "least"), ("largest", "smallest"), ("north", "south"),
    ("east", "west"), ("highest", "lowest"), ("increase", "decrease"), ("increased", "decreased"), ("early", "late"),
    ("more", "less"), ("older", "younger"), ("begin", "end"), ("began", "ended"), ("started", "stopped"),
    ("won", "lost"), ("win", "lose"), ("accepted", "rejected"), ("allowed", "banned"), ("included", "excluded"),
    ("above", "below"), ("inside", "outside"), ("public", "private"), ("upper", "lower"), ("male", "female"),
    ("son", "daughter"), ("father", "mother"), ("king", "queen"), ("oldest", "youngest"), ("minimum", "maximum"),
    ("top", "bottom"), ("created", "destroyed"), ("opened", "closed"), ("joined", "left"), ("strong", "weak"),
    ("northern", "southern"), ("eastern", "western"), ("always", "never"), ("long", "short"), ("large", "small"),
)  # fmt: skip
_OPPOSITE = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}
_AUXILIARY = re.compile(r"\b(is|are|was|were|did|does|do|can|could|will|would|has|have|had|should)\b", re.IGNORECASE)


@lru_cache(maxsize=65_536)
def _mentions(text: str) -> tuple[Mention, ...]:
    return tuple(find_mentions(text))


@dataclass(frozen=True, slots=True)
class Cloze:
    """A made question, and where its answer stands in the passage's own text."""

    question: str
    passage: Passage
    start: int
    end: int


def make_cloze(passage: Passage, rng: random.Random) -> Cloze | None:
    """Make a question out of one sentence of the passage; None when no sentence has a mention to ask for."""
    choices = [(span, mention) for span in passage.sentences for mention in _answers(passage, span)]
    if not choices:
        return None
    sentence, mention = rng.choice(choices)
    text = _in_passage(passage, sentence).slice(passage.text)
    question = ask_for(text, mention, rng)
    if question is None:
        return None
    offset = sentence.start - passage.span.start
    return Cloze(question, passage, offset + mention.span.start, offset + mention.span.end)


def ask_for(sentence: str, mention: Mention, rng: random.Random) -> str | None:
    """Turn a sentence into a question for one of its mentions; None when too little is left beside it."""
    start, end = _clause(sentence, mention.span) if rng.random() < 0.6 else (0, len(sentence))
    left, right = sentence[start : mention.span.start], sentence[mention.span.end : end]
    drop = rng.choice((0.1, 0.25, 0.4, 0.5))
    left_words, right_words = _thin(left, drop, rng), _thin(right, drop, rng)
    if not _MIN_LEFT_WORDS <= len(left_words) + len(right_words) <= _MAX_QUESTION_WORDS:
        return None
    wh = rng.choice(_WH[mention.kind])
    form = rng.random()
    if not left_words or form < 0.4:
        words = [*left_words, wh, *right_words]
    elif form < 0.7:
        words = [wh, *left_words, *right_words]
    else:
        words = [wh, *right_words, *left_words]
    question = " ".join(words).strip(" ,;:.")
    return question[0].upper() + question[1:] + "?"


def recurring_clozes(passages: Sequence[Passage], rng: random.Random) -> Iterator[Cloze]:
    """Yield questions whose answer stands in another sentence, of this passage or another, on the same matter."""
    by_text: dict[str, list[tuple[Passage, Span, Mention]]] = defaultdict(list)
    for passage in passages:
        for sentence in passage.sentences:
            for mention in _answers(passage, sentence):
                text = _in_passage(passage, sentence).slice(passage.text)
                by_text[mention.span.slice(text).lower()].append((passage, sentence, mention))
    for places in by_text.values():
        if not 2 <= len(places) <= 40:  # a span all over the corpus ties unrelated matters together
            continue
        for passage, sentence, mention in places:
            yield from _elsewhere(passage, sentence, mention, places, rng)


def _elsewhere(
    passage: Passage,
    sentence: Span,
    mention: Mention,
    places: Sequence[tuple[Passage, Span, Mention]],
    rng: random.Random,
) -> Iterator[Cloze]:
    text = _in_passage(passage, sentence).slice(passage.text)
    answer = {word.stem for word in split_words(mention.span.slice(text))}
    topic = _rare_stems(text) - answer
    for other, other_sentence, other_mention in rng.sample(list(places), len(places)):
        if (other.id, other_sentence) == (passage.id, sentence):
            continue
        if other.id == passage.id or mention.kind is not other_mention.kind:
            continue
        if len(topic & _rare_stems(other.text)) < _MIN_SHARED:
            continue
        question = ask_for(text, mention, rng)
        if question:
            offset = other_sentence.start - other.span.start
            yield Cloze(question, other, offset + other_mention.span.start, offset + other_mention.span.end)
        return


def spoil_question(question: str, passage: str, others: Sequence[str], rng: random.Random) -> str | None:
    """Change one detail of a question so that the passage, which answered it, no longer does.

    A name, date or number that the passage holds gives way to one of the same kind out of `others`; or a word to its
    opposite; or the question is negated. This is how most unanswerable questions of SQuAD 2.0 were written
    (Rajpurkar, Jia and Liang, 2018).

    Returns:
        The changed question, or None when it has no detail to change.
    """
    ways = [_swap_mention, _swap_mention, _swap_opposite, _negate]
    rng.shuffle(ways)
    for way in ways:
        spoiled = way(question, passage, others, rng)
        if spoiled and spoiled != question:
            return spoiled
    return None


def spoil_statement(statement: str, passage: str, others: Sequence[str], rng: random.Random) -> str | None:
    """Change one detail of a statement that the passage supports so that it no longer does; as for questions."""
    return spoil_question(statement, passage, others, rng)


def roughen(question: str, rng: random.Random) -> str:
    """Write a question as people type: at times in lower case, without a question mark, with a slip of the finger."""
    if rng.random() < 0.2:
        question = question.lower()
    if rng.random() < 0.15:
        question = question.rstrip("?")
    if rng.random() < 0.1:
        question = _slip(question, rng)
    return question


def _slip(question: str, rng: random.Random) -> str:
    words = question.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return question
    place = rng.choice(long)
    word = words[place]
    i = rng.randrange(1, len(word) - 2)
    swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    words[place] = rng.choice((swapped, word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:]))
    return " ".join(words)


def _swap_mention(question: str, passage: str, others: Sequence[str], rng: random.Random) -> str | None:
    held = passage.lower()
    found = [m for m in _mentions(question) if m.kind is not Kind.QUOTE and m.span.start > 0]
    found = [m for m in found if m.span.slice(question).lower() in held]
    rng.shuffle(found)
    names = {Kind.NAME, Kind.PERSON, Kind.PLACE}
    for mention in found:
        kinds = names if mention.kind in names else {mention.kind}
        for other in rng.sample(list(others), min(len(others), 6)):
            fitting = [m.span.slice(other) for m in _mentions(other) if m.kind in kinds]
            fitting = [text for text in fitting if text.lower() not in held and text.lower() not in question.lower()]
            if fitting:
                return question[: mention.span.start] + rng.choice(fitting) + question[mention.span.end :]
    return None


def _swap_opposite(question: str, passage: str, others: Sequence[str], rng: random.Random) -> str | None:
    places = [m for m in re.finditer(r"\w+", question) if m.group().lower() in _OPPOSITE]
    if not places:
        return None
    place = rng.choice(places)
    return question[: place.start()] + _OPPOSITE[place.group().lower()] + question[place.end() :]


def _negate(question: str, passage: str, others: Sequence[str], rng: random.Random) -> str | None:
    place = _AUXILIARY.search(question)
    if not place or " not " in question or "n't" in question:
        return None
    word = rng.choice((" not", "n't")) if place.group().lower() not in ("will", "can") else " not"
    return question[: place.end()] + word + question[place.end() :]


def _answers(passage: Passage, sentence: Span) -> list[Mention]:
    text = _in_passage(passage, sentence).slice(passage.text)
    return [m for m in _mentions(text) if m.kind is not Kind.QUOTE and len(m.span) <= 60]


def _in_passage(passage: Passage, sentence: Span) -> Span:
    return Span(sentence.start - passage.span.start, sentence.end - passage.span.start)


def _clause(sentence: str, span: Span) -> tuple[int, int]:
    before = [m.end() for m in _CLAUSE_MARK.finditer(sentence, 0, span.start)]
    after = [m.start() for m in _CLAUSE_MARK.finditer(sentence, span.end)]
    return (before[-1] if before else 0), (after[0] if after else len(sentence))


def _thin(text: str, share: float, rng: random.Random) -> list[str]:
    return [word for word in text.split() if rng.random() >= share]


def _rare_stems(text: str) -> set[str]:
    return {word.stem for word in split_words(text) if not word.is_stop and rarity(word.text) >= _RARE}
