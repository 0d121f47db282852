"""Is this statement supported by this passage: rules for figures, names and negation, and the network's judgement."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.figures import missing_figures
from qa.gathered import gather_sentences
from qa.held_dates import missing_dates, published_dates, without_days
from qa.mentions import Kind, find_mentions
from qa.passage_reading import PairScorer
from qa.reader_weights import sigmoid
from qa.reading_input import make_input
from qa.turned_round import turned_round
from qa.types import Support, flat
from qa.words import rarity, split_words

_NEGATION = re.compile(
    r"\b(?:not|never|no(?! (?:doubt|matter)\b)|neither|nor|nobody|nothing|none|without|cannot|den(?:y|ies|ied|ying)"
    r"|refus(?:e|es|ed|ing)|(?:fail(?:s|ed|ing)?|declin(?:e|es|ed|ing)) to)\b"
    r"|n[’']t\b",
    re.IGNORECASE,
)
# Log-odds that evidence supports a statement: shares of its topic words held by all of the evidence and by the best
# piece, share of its pairs of neighbouring words, the network's logit inside bounds, and what its details lack. Round
# numbers, chosen for faithfulness_wice, _mtrag and _faithbench together: word overlap is beaten on each; of the network
# alone it is not on two. What these figures owe to the choice stands in evals/RESULTS.md.
_ALL_WORDS_WEIGHT, _BEST_WORDS_WEIGHT, _PAIRS_WEIGHT, _CONSTANT = 3.0, 3.0, 4.5, -3.75
_NETWORK_WEIGHT, _NETWORK_BOUNDS = 0.6, (-3.0, 0.0)
_PROBLEM_WEIGHT, _MOST_PROBLEMS = -0.45, 2
# Of wice and mtrag, 0.76 and 0.82 of what is not fully supported falls below, 0.77 and 0.82 of the rest above.
LIKELY = 0.75
# What its words do not hold the network must vouch for: so much of a statement's topic words must be held, or so sure
# must the network be. Of partially supported claims 0.06 (wice) and 0.29 (mtrag) are then called supported, without
# this and _AGREES 0.15 and 0.44.
_MOSTLY_HELD, _SURE = 0.8, 0.95
_AGREES = 0.5  # the network's chance from which it speaks for the statement
_UNLIKELY = 0.25  # a statement less likely than that is called unsupported; chosen, not fitted
_PIECES_READ = 6  # of the evidence, those that hold most words; an article of wice has thirty, a third of a second
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
        stand in the evidence, and the network must vouch for it, the more surely the fewer of its words are held;
        when neither holds, it is unsupported.
        """
        if not evidence:
            return Checked(Support.UNSUPPORTED, 0.0, ("It cites nothing.",))
        if any(flat(statement) == flat(one.quote) for one in evidence):
            return Checked(Support.VERBATIM, 1.0, ())
        problems = find_problems(statement, [one.passage for one in evidence], [one.header for one in evidence])
        judged, chance, held = self._weigh(statement, evidence, len(problems))
        if judged < self._weak_from or chance < (LIKELY if problems else _UNLIKELY):
            return Checked(Support.UNSUPPORTED, chance, problems or _missing_words(statement, evidence))
        vouched = judged >= (max(self.supported_from, _AGREES) if held >= _MOSTLY_HELD else _SURE)
        if problems or chance < LIKELY or not vouched:  # all words may be there, turned round
            return Checked(Support.WEAK, chance, problems or _missing_words(statement, evidence))
        return Checked(Support.SUPPORTED, chance, ())

    def likelihood(self, statement: str, evidence: Sequence[Evidence]) -> float:
        """Return the chance that the evidence, all of it together, supports the statement; without any it is 0."""
        if not evidence:
            return 0.0
        problems = find_problems(statement, [one.passage for one in evidence], [one.header for one in evidence])
        return self._weigh(statement, evidence, len(problems))[1]

    def _weigh(self, statement: str, evidence: Sequence[Evidence], n_problems: int) -> tuple[float, float, float]:
        """Return the network's chance, the best of all it reads, the likelihood, and the share of words held."""
        texts = [_with_header(one) for one in evidence]
        shares = [share_held(statement, text) for text in texts]
        nearest = sorted(range(len(evidence)), key=lambda i: -shares[i])[:_PIECES_READ]
        read = [evidence[i] for i in nearest]
        if len(evidence) > 1:  # what one piece says in part, several may say together
            together = gather_sentences(statement, [one.passage for one in evidence])
            read.append(Evidence(together, together, _common_header(evidence)))
        judged = max(self.chances(statement, read))
        logit = math.log(judged / (1.0 - judged))  # `sigmoid` bounds it, so neither is 0
        low, high = _NETWORK_BOUNDS
        everything = "\n".join(texts)
        held = share_held(statement, everything)
        likelihood = sigmoid(
            _CONSTANT
            + _ALL_WORDS_WEIGHT * held
            + _BEST_WORDS_WEIGHT * max(shares)
            + _PAIRS_WEIGHT * share_of_pairs(statement, everything)
            + _NETWORK_WEIGHT * min(max(logit, low), high)
            + _PROBLEM_WEIGHT * min(n_problems, _MOST_PROBLEMS)
        )
        return judged, likelihood, held

    def chances(self, statement: str, evidence: Sequence[Evidence]) -> list[float]:
        """Return, for each piece of evidence, the chance that its passage supports the statement."""
        logits = self._network.score([make_input(statement, one.header, one.passage) for one in evidence])
        return [sigmoid(one.supported) for one in logits]


def _with_header(one: Evidence) -> str:
    return f"{one.header} {one.passage}"


def _common_header(evidence: Sequence[Evidence]) -> str:
    headers = {one.header for one in evidence}
    return headers.pop() if len(headers) == 1 else ""


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


def share_of_pairs(statement: str, text: str) -> float:
    """Return the share of the statement's pairs of neighbouring words that stand so in the text, 0 to 1."""
    ours, theirs = ([word.stem for word in split_words(of)] for of in (statement, text))
    pairs, held = list(pairwise(ours)), set(pairwise(theirs))
    return sum(pair in held for pair in pairs) / len(pairs) if pairs else 0.0


def find_problems(statement: str, passages: Iterable[str], headers: Iterable[str] = ()) -> tuple[str, ...]:
    """Name the figures, dates and names of a statement that no passage holds, and a negation only one side has.

    Two names that stand the other way round are named, too.

    Figures are compared as amounts with their units ("fifty million pounds" is "£50m", "three days" is not "three
    hours"), dates whole, names by their word stems, so that "Rwandan" is found in "Rwanda". Negation is compared with
    the most alike sentence, and only when that sentence holds nearly all words of the statement: a denial elsewhere
    says nothing about this one.

    Args:
        statement: To be checked.
        passages: All that it may rest on.
        headers: Of their articles: may give names and dates, but no figures, which a reader must see in the citation.
    """
    told, known = "\n".join(passages), "\n".join(headers)
    held = f"{known}\n{told}" if known else told
    stems = {word.stem for word in split_words(held)}
    figures = "\n".join([told, *published_dates(known)])
    missing = [*missing_figures(without_days(statement), without_days(figures)), *missing_dates(statement, held)]
    for mention in find_mentions(statement):
        name = mention.span.slice(statement)
        words = [word for word in split_words(name) if not word.is_stop]
        if mention.kind is Kind.DATE:
            words = [word for word in words if word.text.endswith(("day", "days")) and word.is_capitalised]
        if mention.kind in _NAMED and any(word.stem not in stems for word in words):
            missing.append(name)
    problems = [f"{what} is not in the cited text." for what in missing]
    if (pair := turned_round(statement, told)) is not None:
        problems.append(f"{pair[0]} and {pair[1]} stand the other way round in the cited text.")
    problems.extend(_negation_problem(statement, held))
    return tuple(dict.fromkeys(problems))


# "Officials confirmed it, while declining to say more" denies nothing of what they confirmed.
_ASIDE = re.compile(r",?\s*\b(?:while|whereas|without|despite)\b[^,;.]*", re.IGNORECASE)
_ALIKE = 0.7  # share of the statement's topic words that a sentence must hold for its negation to concern it


def _without_asides(sentence: str, topic: set[str]) -> str:
    """Leave out the asides that say nothing about the topic."""

    def kept(aside: re.Match[str]) -> str:
        return aside[0] if topic & {word.stem for word in split_words(aside[0])} else ""

    return _ASIDE.sub(kept, sentence)


def _negation_problem(statement: str, held: str) -> list[str]:
    topic = {word.stem for word in split_words(statement) if not word.is_stop}
    if not topic:
        return []
    sentences = re.split(r"(?<=[.!?])\s+|\n+", held)
    alike = max(sentences, key=lambda sentence: len(topic & {word.stem for word in split_words(sentence)}))
    if len(topic & {word.stem for word in split_words(alike)}) < _ALIKE * len(topic):
        return []
    ours, theirs = bool(_NEGATION.search(statement)), bool(_NEGATION.search(_without_asides(alike, topic)))
    if ours and not theirs:
        return ["It denies what the cited text states."]
    if theirs and not ours:
        return ["It states what the cited text denies."]
    return []
