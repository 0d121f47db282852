"""What a question asks for: the kind of answer, its topic words, its names and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from qa.mentions import Kind
from qa.words import Word, is_known, rarity, split_words


class Form(StrEnum):
    """The form of a question, from its words."""

    WHO = "who"
    WHEN = "when"
    WHERE = "where"
    HOW_MANY = "how many"
    HOW_MUCH = "how much"
    HOW_LARGE = "how large"
    WHICH = "which"
    WHAT = "what"
    WHY = "why"
    HOW = "how"
    QUOTE = "quote"
    YES_NO = "yes/no"
    CHOICE = "choice"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Term:
    """A topic word of the question: its stem and its weight, 0 to 1 by rarity, names weighing more."""

    stem: str
    text: str
    weight: float
    is_name: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    Args:
        wanted: Kinds of mention that would answer it; empty when any sentence may.
        terms: Topic words in order, each stem once.
        numbers: Digits of the question ("2023", "50"), which evidence should not contradict.
        is_list: Whether several answers are asked for.
    """

    text: str
    form: Form
    wanted: frozenset[Kind]
    terms: tuple[Term, ...]
    numbers: frozenset[str]
    is_list: bool


_NAMES = frozenset({Kind.NAME, Kind.PERSON, Kind.PLACE})
_WANTED: dict[Form, frozenset[Kind]] = {
    Form.WHO: frozenset({Kind.NAME, Kind.PERSON}),
    Form.WHEN: frozenset({Kind.DATE}),
    Form.WHERE: frozenset({Kind.PLACE, Kind.NAME}),
    Form.HOW_MANY: frozenset({Kind.NUMBER}),
    Form.HOW_MUCH: frozenset({Kind.MONEY, Kind.NUMBER}),
    Form.HOW_LARGE: frozenset({Kind.NUMBER, Kind.MONEY, Kind.DATE}),
    Form.QUOTE: frozenset({Kind.QUOTE}),
}
_DATE_NOUN = r"(?:year|date|day|month|century|decade|time|season|era|period)s?"
_AMOUNT_NOUN = (
    r"(?:percentage|percent|proportion|share|number|amount|population|age|rate|distance|height|length|size|total)"
)
_PERSON_NOUN = (
    r"(?:person|people|man|woman|minister|president|journalist|reporter|official|author|king|queen|leader|actor|actress|"
    r"singer|player|company|organi[sz]ation|group|team|country|countries|city|state|nation|agency|court|party|newspaper|"
    r"outlet|individual|executive|founder|figure|politician|judge|scientist|artist|band|school|university|region|"
    r"broadcaster|channel|network|station|magazine|site)"
)
_FORMS: tuple[tuple[Form, str], ...] = (
    (Form.HOW_MANY, r"how many"),
    (Form.HOW_LARGE, rf"(?:what|which)(?: \w+){{0,2}} {_AMOUNT_NOUN}|how (?:old|long|far|tall|big|large|often|soon)"),
    (Form.HOW_MUCH, r"how much|what (?:price|cost|sum)|(?:what|how) .{0,30}\bcosts?"),
    (Form.WHEN, rf"when|(?:what|which|in what|on what)(?: \w+)? {_DATE_NOUN}"),
    (Form.WHERE, r"where"),
    (Form.WHY, r"why|for what reason|what (?:caused|led to)"),
    (Form.WHO, r"who|whom|whose"),
    (Form.WHICH, r"which"),
    (Form.HOW, r"how"),
    (Form.WHAT, r"what"),
)
_QUOTE = re.compile(
    r"\b(?:what did .{2,60} (?:say|call|describe)|how did .{2,60} describe|in whose words|"
    r"what (?:word|phrase|term)|quote)\b",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)(?:n[’']t)?\b", re.IGNORECASE
)
# "Is he the president or a former president?" is answered by one of the two, "Was anyone hurt or killed?" by yes or no.
_CHOICE = re.compile(
    r"(?:,\s*or\b(?!\s+not\b)|\bor\s+(?:an?|the|only|just|still|merely|already|is|are|was|were|do|does|did|has|have|will)\b)",
    re.IGNORECASE,
)
# "When drops grow heavy, what do they form?" asks what, not when.
_WHEN_CLAUSE = re.compile(r"^\W*when\b[^?]*,?\s+(?=(?:what|who|which|how|where|why)\b)", re.IGNORECASE)
_WHO_IS = re.compile(r"^\W*who(?:\s+(?:is|was|are|were)|[’']s)\s+(.+?)\W*$", re.IGNORECASE)
_NAME_ASKED = re.compile(rf"\b(?:which|what)(?:\s+\w+){{0,2}}?\s+{_PERSON_NOUN}\b", re.IGNORECASE)
_LIST = re.compile(
    r"\b(?:list|name (?:all|the|two|three|some|every)|(?:which|what) (?:\w+ )?(?:countries|people|companies|states|"
    r"articles|nations|cities|groups|reasons|measures|concerns|steps|risks|causes)|what are (?:the|some)|who are|"
    r"what (?:other|two|three|\w+s) (?:are|were|have|did|do))\b",
    re.IGNORECASE,
)
_NAME_BONUS = 1.5  # a name is what tells this story from its neighbours
# "Which broadcaster" is answered by a name, "in which month" by "March": evidence seldom repeats the noun.
_ASKED_NOUN = re.compile(
    rf"\b(?:which|what)(?:\s+\w+){{0,2}}?\s+({_PERSON_NOUN}|{_DATE_NOUN}|{_AMOUNT_NOUN})\b", re.IGNORECASE
)
_ASKED_WEIGHT = 0.3
_SAYING = frozenset({"call", "describ", "word", "phrase", "term", "quot", "exact"})  # stems that make a QUOTE


def analyse_question(text: str) -> Question:
    """Take a question apart by its wording; never fails, an unknown form is a CLAIM."""
    form = _find_form(text)
    wanted = _WANTED.get(form, frozenset())
    if form in (Form.WHICH, Form.WHAT) and _NAME_ASKED.search(text):
        wanted = _NAMES
    if form is Form.WHO and person_asked(text):
        wanted = frozenset()
    words = split_words(text)
    numbers = frozenset(w.text.replace(",", "") for w in words if w.text[0].isdigit())
    return Question(text, form, wanted, _find_terms(text, words, form), numbers, bool(_LIST.search(text)))


def _find_form(text: str) -> Form:
    if _YES_NO.match(text):
        return Form.CHOICE if _CHOICE.search(text) else Form.YES_NO
    if _QUOTE.search(text):
        return Form.QUOTE
    text = _WHEN_CLAUSE.sub("", text)
    matches = ((form, re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)) for form, pattern in _FORMS)
    found = [(match.start(), place, form) for place, (form, match) in enumerate(matches) if match]
    return min(found)[2] if found else Form.CLAIM  # the first question word rules: "Who ended it and when?"


def person_asked(text: str) -> str | None:
    """Return the X of "who is X", which asks what X is: a name would only repeat the question."""
    asked = _WHO_IS.match(text)
    if not asked:
        return None
    is_name = all(word.is_capitalised or not is_known(word.text.lower()) for word in split_words(asked.group(1)))
    return asked.group(1) if is_name else None


def _find_terms(text: str, words: list[Word], form: Form) -> tuple[Term, ...]:
    asked = _ASKED_NOUN.search(text)
    terms: dict[str, Term] = {}
    for place, word in enumerate(words):
        if word.is_stop or word.stem in terms or (form is Form.QUOTE and word.stem in _SAYING):
            continue
        is_name = word.text[0].isdigit() or (word.is_capitalised and place > 0)
        weight = rarity(word.text) * (_NAME_BONUS if is_name else 1.0)
        if asked and asked.start(1) <= word.start < asked.end(1):
            weight *= _ASKED_WEIGHT
        terms[word.stem] = Term(word.stem, word.text, weight, is_name)
    return tuple(terms.values())
