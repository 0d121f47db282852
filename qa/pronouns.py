"""The pronouns of a question that nothing in it explains: what stands before it must say whom or what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.phrases import AUXILIARIES, PREPOSITIONS, Phrase, Role, Sort, find_phrases, word_set
from qa.thin import is_thin
from qa.words import split_words

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "she", "her", "hers"), Sort.PERSON),
    **dict.fromkeys(("it", "its", "this", "that"), Sort.THING),
    **dict.fromkeys(("they", "them", "their", "theirs", "these", "those"), Sort.MANY),
}
_POSSESSIVES = word_set("his its their theirs hers")
_EXPLETIVE = re.compile(
    r"\b(?:(?:is|was|isn['’]t|would|will|be)\s+it\s+(?:\w+\s+)?(?:true|possible|safe|legal|necessary|important|worth|"
    r"better|hard|easy|okay|ok|right|wrong|likely|good|bad|common|normal|required|advisable|allowed|best|that|to|"
    r"the case)\b|it\s+(?:is|was|['’]s|would be|seems|takes?|rains?|snows?)\s+(?:\w+\s+)?(?:that|to|for)\b|"
    r"does\s+it\s+make\s+sense|does\s+it\s+take\s+(?:\w+\s+){0,2}to\b|what\s+time\s+is\s+it|"
    r"make\s+it\s+(?:easy|possible|hard)|i\s+take\s+it)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;:.!?]|\b(?:and|but|that|if|when|because|who|which|while|after|before|so|since)\b", re.IGNORECASE
)
_COMMENT = re.compile(r"^\W*(?:that|this|it|which)(?:['’]s|\s+(?:is|was|sounds?|looks?|seems?))\b[^?]*$", re.IGNORECASE)
_MAX_PRONOUNS = 8  # of a question; more are of a pasted text


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A pronoun with its half-open place in the question.

    Args:
        sort: Of what it can stand for.
        role: Where it stands.
    """

    text: str
    start: int
    end: int
    sort: Sort
    is_possessive: bool
    role: Role


def find_unbound(question: str) -> list[Pronoun]:
    """Return the pronouns that nothing in the question itself explains."""
    words = split_words(question)
    if not any(word.text.lower() in PRONOUNS for word in words):
        return []
    phrases = find_phrases(question)
    explained = _explained_from(question)
    expletive = bool(_EXPLETIVE.search(question))
    found: list[Pronoun] = []
    for place, word in enumerate(words):
        lower = word.text.lower()
        sort = PRONOUNS.get(lower)
        if sort is None or not explained[0] <= word.start < explained[1] or (lower == "it" and expletive):
            continue
        following = words[place + 1].text.lower() if place + 1 < len(words) else ""
        before = words[place - 1].text.lower() if place else ""
        if lower in ("that", "this", "these", "those") and not _stands_for_noun(lower, before, following):
            continue
        possessive = lower in _POSSESSIVES or (lower == "her" and bool(following) and following not in PREPOSITIONS)
        subject = before in AUXILIARIES or place == 0 or (before not in PREPOSITIONS and following in AUXILIARIES)
        role = Role.SUBJECT if subject else Role.WITHIN if before in PREPOSITIONS else Role.OBJECT
        pronoun = Pronoun(word.text, word.start, word.end, sort, possessive, role)
        if not _is_bound(pronoun, question, phrases):
            found.append(pronoun)
            if len(found) == _MAX_PRONOUNS:
                break
    return found


def _explained_from(question: str) -> tuple[int, int]:
    """Return the part of a text whose pronouns may point outside it.

    A remark ("That is fine.") is left alone, and what follows a sentence that names its topic speaks of that.
    """
    start = 0
    for match in re.finditer(r"[.!?]+\s+", question):
        sentence = question[start : match.end()]
        if not _COMMENT.match(sentence) and not is_thin(sentence):
            return start, match.end()
        if _COMMENT.match(sentence):
            start = match.end()
    return start, len(question)


def _stands_for_noun(lower: str, before: str, following: str) -> bool:
    if not following:
        return True
    if following in AUXILIARIES or following in PREPOSITIONS:
        return before in AUXILIARIES or not before or following in PREPOSITIONS or lower != "that"
    return before in AUXILIARIES and following in ("all", "really", "mean", "happen", "true", "work")


def _is_bound(pronoun: Pronoun, question: str, phrases: Sequence[Phrase]) -> bool:
    for phrase in phrases:
        if phrase.end > pronoun.start or phrase.role is Role.ASKED:
            continue
        agrees = phrase.sort is pronoun.sort or (phrase.is_name and pronoun.sort in (Sort.PERSON, Sort.MANY))
        apart = bool(_CLAUSE.search(question[phrase.end : pronoun.start]))
        if agrees and (apart or pronoun.is_possessive):
            return True
    return False
