"""Whose words a question asks for: "What does Rwanda say?", "according to the UNHCR", "How did the bank respond?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.phrases import AUXILIARIES, DETERMINERS, PREPOSITIONS, QUESTION_WORDS, word_set
from qa.seats import country_of
from qa.speaking import is_telling
from qa.words import Word, split_words

_MAX_WORDS = 8  # "the deputy foreign minister of Peru, Ramiro Quispe"; more is a clause, not a speaker
# Verbs that in a question ask for somebody's words; "want" or "blame" ask for a fact about him as often.
_VERBS = (
    r"(?:say|said|tell|claim|argue|warn|think|believe|respond|react|reply|answer|deny|admit|call|describe|promise|"
    r"insist|reckon|expect|estimate|state|explain|comment|complain|announce|put|know|feel|predict|allege|suggest|"
    r"declare|add|mention|report)"
)
_DID_SAY = re.compile(
    rf"\b(?:do|does|did|has|have)\s+(?P<who>[^?;:]{{2,80}}?)\s+(?:\w+ly\s+)?{_VERBS}\b(?!['’])", re.IGNORECASE
)
_ACCORDING = re.compile(r"\b(?:according to|in the (?:words|opinion|view) of)\s+(?P<who>[^?;:,]{2,80})", re.IGNORECASE)
_SAYING = re.compile(
    r"^\W*what\s+(?P<who>(?!\w+\s+(?:is|are|was|were)\b)[^?;:,]{2,80}?)\s+(?:says|said|told|claims|claimed)\b",
    re.IGNORECASE,
)
_RESPONSE = re.compile(
    r"\b(?:what|how)\s+(?:is|was|were|are)\s+(?P<who>[^?;:,]{2,60}?)['’]s?\s+(?:explanation|response|reaction|reply|"
    r"answer|comment|statement|view|opinion|version|account|claim|estimate|position)\b",
    re.IGNORECASE,
)
_PATTERNS = (_ACCORDING, _DID_SAY, _SAYING, _RESPONSE)
# The articles themselves, or nobody in particular: every sentence is theirs.
_ARTICLES = word_set("article articles text story stories report reports source sources passage passages newspaper")
_PRONOUNS = word_set("you it i we he she they him her them this that these those there")
_NOBODY = word_set("news library one people anyone anybody somebody someone everyone everybody author data law figures")
_JOINS = word_set("and or")
_NOT_IN_NAMES = AUXILIARIES | QUESTION_WORDS
_STOP_AT = word_set("who which that whose when where in at during after before about on over")


@dataclass(frozen=True, slots=True)
class AskedSpeaker:
    """The speaker a question names.

    Args:
        text: As the question has it.
        names: Stems of its capitalised words, a capital's being its country's.
        roles: Stems of the others ("foreign", "minister").
        head: Stem of the role the speaker goes by ("minister", "spokeswoman"); None when only a name is given.
    """

    text: str
    names: frozenset[str]
    roles: frozenset[str]
    head: str | None


def find_asked_speaker(question: str) -> AskedSpeaker | None:
    """Return whose words are asked for.

    None when nobody's are, when only a pronoun says whose, or when several speakers are set side by side.
    """
    found = [_speaker(match["who"]) for pattern in _PATTERNS for match in pattern.finditer(question)]
    speakers = {(one.names, one.roles): one for one in found if one}
    return next(iter(speakers.values())) if len(speakers) == 1 else None


def _speaker(text: str) -> AskedSpeaker | None:
    words = split_words(text)
    kept: list[Word] = []
    for word in words:
        lower = word.text.lower()
        if lower in _NOT_IN_NAMES or (kept and lower in _STOP_AT):
            break
        kept.append(word)
    lower_words = [word.text.lower() for word in kept]
    if not kept or len(kept) > _MAX_WORDS or lower_words[-1] in DETERMINERS | PREPOSITIONS:
        return None
    if _PRONOUNS & {*lower_words}:
        return None
    named = [w for w in kept if w.text.lower() not in DETERMINERS | PREPOSITIONS | _JOINS]
    named = [w for w in named if w.text.lower() not in _ARTICLES and is_telling(w)]
    if not named or all(word.text.lower() in _NOBODY for word in named):
        return None
    core = next((i for i, w in enumerate(kept) if i and w.text.lower() in ("of", "for", "from", "at")), len(kept))
    roles = [word for word in named if not word.is_capitalised]
    heads = [word for word in kept[:core] if word in roles]
    names = frozenset(country_of(word.stem) for word in named if word.is_capitalised)
    shown = text[kept[0].start : kept[-1].end]
    return AskedSpeaker(shown, names, frozenset(word.stem for word in roles), heads[-1].stem if heads else None)
