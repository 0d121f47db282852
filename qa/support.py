"""Is this statement supported by this passage: rules for figures, names and negation, and the network's judgement."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.mentions import Kind, find_mentions
from qa.passage_reading import PairScorer
from qa.reader_weights import sigmoid
from qa.reading_input import make_input
from qa.types import Support, flat
from qa.words import Word, rarity, split_words

_NEGATION = re.compile(
    r"\b(?:not|never|no(?! (?:doubt|matter)\b)|neither|nor|nobody|nothing|none|without|cannot|denied|denies|refused"
    r"|failed to)\b"
    r"|n[’']t\b",
    re.IGNORECASE,
)
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_COUNTED.split())}
# Log-odds that evidence supports a statement: weights of the network's logit and of the share of topic words held.
# Logistic regression on one half, by hash, of 300 claims of faithfulness_wice and 212 of faithfulness_mtrag: either
# alone is beaten on one of the two sets by the other.
_NETWORK_WEIGHT, _WORDS_WEIGHT, _CONSTANT = 0.248, 4.035, -2.415
LIKELY = 0.65  # on that half nine of ten claims that are not supported fall below
_UNLIKELY = 0.25  # a statement less likely than that is called unsupported; chosen, not fitted
_NAMED_MISSING = 3  # words that are named; more would only repeat the statement
_NAMED = frozenset({Kind.NAME, Kind.PERSON, Kind.PLACE, Kind.DATE})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a statement cites: the quote, and the passage and header it stands in."""

    quote: str
    passage: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Args:
        chance: That the best piece of evidence supports the statement, 0 to 1.
        problems: One sentence for each detail of the statement that the evidence does not hold.
    """

    support: Support
    chance: float
    problems: tuple[str, ...]


class SupportChecker:
    """Checks statements against what they cite (DESIGN 2.5).

    Args:
        network: Judges meaning.
        supported_from: Chance from which a passage supports a statement.
        weak_from: Chance below which it does not at all.
    """

    def __init__(self, network: PairScorer, *, supported_from: float, weak_from: float) -> None:
        self._network = network
        self.supported_from = supported_from
        self._weak_from = weak_from

    def check(self, statement: str, evidence: Sequence[Evidence]) -> Checked:
        """Say how far the evidence, all of it together, supports the statement.

        A statement that is its quote word for word is `verbatim`. Otherwise every figure, date and name in it must
        stand in the evidence, and the network must find it supported; when neither holds, it is unsupported.
        """
        if not evidence:
            return Checked(Support.UNSUPPORTED, 0.0, ("It cites nothing.",))
        if any(flat(statement) == flat(one.quote) for one in evidence):
            return Checked(Support.VERBATIM, 1.0, ())
        chances = self.chances(statement, evidence)
        judged, chance = max(chances), max(_likelihoods(statement, evidence, chances))
        problems = find_problems(statement, [f"{one.header} {one.passage}" for one in evidence])
        if judged < self._weak_from or chance < (LIKELY if problems else _UNLIKELY):
            return Checked(Support.UNSUPPORTED, chance, problems or _missing_words(statement, evidence))
        if problems or chance < LIKELY or judged < self.supported_from:  # all words may be there, turned round
            return Checked(Support.WEAK, chance, problems or _missing_words(statement, evidence))
        return Checked(Support.SUPPORTED, chance, ())

    def likelihoods(self, statement: str, evidence: Sequence[Evidence]) -> list[float]:
        """Return, for each piece of evidence, the chance of support by the network and by the words it holds."""
        return _likelihoods(statement, evidence, self.chances(statement, evidence))

    def chances(self, statement: str, evidence: Sequence[Evidence]) -> list[float]:
        """Return, for each piece of evidence, the chance that its passage supports the statement."""
        logits = self._network.score([make_input(statement, one.header, one.passage) for one in evidence])
        return [sigmoid(one.supported) for one in logits]


def _likelihoods(statement: str, evidence: Sequence[Evidence], chances: Sequence[float]) -> list[float]:
    found = []
    for one, chance in zip(evidence, chances, strict=True):
        logit = math.log(chance / (1.0 - chance))  # `sigmoid` bounds it, so neither is 0
        held = share_held(statement, f"{one.header} {one.passage}")
        found.append(sigmoid(_NETWORK_WEIGHT * logit + _WORDS_WEIGHT * held + _CONSTANT))
    return found


def _missing_words(statement: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Name the topic words that no evidence holds, the rarest first."""
    held = {word.stem for one in evidence for word in split_words(f"{one.header} {one.passage}")}
    missing = {word.stem: word.text for word in split_words(statement) if not word.is_stop and word.stem not in held}
    rarest = sorted(missing.values(), key=lambda word: -rarity(word))[:_NAMED_MISSING]
    return (f"The cited text does not hold: {', '.join(rarest)}.",) if rarest else ()


def share_held(statement: str, text: str) -> float:
    """Return the share of the statement's topic words whose stems the text holds, 0 to 1."""
    wanted = {word.stem for word in split_words(statement) if not word.is_stop}
    return len(wanted & {word.stem for word in split_words(text)}) / len(wanted) if wanted else 0.0


def find_problems(statement: str, passages: Iterable[str]) -> tuple[str, ...]:
    """Name the figures, dates and names of a statement that no passage holds, and a negation only one side has.

    Figures are compared as numbers ("£50 million" holds 50; "two" is 2), names by their word stems, so that
    "Rwandan" is found in "Rwanda". Negation is compared with the most alike sentence, and only when that sentence
    holds nearly all words of the statement: a denial elsewhere says nothing about this one.
    """
    held = "\n".join(passages)
    stems = {word.stem for word in split_words(held)}
    numbers = _numbers(split_words(held))
    problems = [f"{figure} is not in the cited text." for figure in _missing_figures(statement, numbers)]
    for mention in find_mentions(statement):
        name = mention.span.slice(statement)
        words = [word for word in split_words(name) if not word.is_stop]
        if mention.kind is Kind.DATE:
            words = [word for word in words if word.is_capitalised]  # months and weekdays; years are figures
        if mention.kind in _NAMED and any(word.stem not in stems for word in words):
            problems.append(f"{name} is not in the cited text.")
    problems.extend(_negation_problem(statement, held))
    return tuple(dict.fromkeys(problems))


def _missing_figures(statement: str, held: set[str]) -> list[str]:
    missing = []
    for word in split_words(statement):
        value = _value(word)
        if value is not None and value not in held:
            missing.append(word.text)
    return missing


def _numbers(words: Iterable[Word]) -> set[str]:
    return {value for word in words if (value := _value(word)) is not None}


def _value(word: Word) -> str | None:
    if word.text[0].isdigit():
        plain = re.sub(r"(?<=\d)(?:st|nd|rd|th|s)$", "", word.text.replace(",", ""))
        return plain.rstrip(".")
    lower = word.text.lower()
    return _NUMBER_WORDS.get(lower) if lower not in ("one", "zero") else None  # "one" is mostly a pronoun


_ALIKE = 0.7  # share of the statement's topic words that a sentence must hold for its negation to concern it


def _negation_problem(statement: str, held: str) -> list[str]:
    topic = {word.stem for word in split_words(statement) if not word.is_stop}
    if not topic:
        return []
    sentences = re.split(r"(?<=[.!?])\s+|\n+", held)
    alike = max(sentences, key=lambda sentence: len(topic & {word.stem for word in split_words(sentence)}))
    if len(topic & {word.stem for word in split_words(alike)}) < _ALIKE * len(topic):
        return []
    ours, theirs = bool(_NEGATION.search(statement)), bool(_NEGATION.search(alike))
    if ours and not theirs:
        return ["It denies what the cited text states."]
    if theirs and not ours:
        return ["It states what the cited text denies."]
    return []
