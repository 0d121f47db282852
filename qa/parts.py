"""A question that asks several things -> its parts, by rule: "Who A and when B?", "What jobs do X and Y have?"."""

from __future__ import annotations

import re

from qa.words import split_words

_WH = r"(?:who|whom|whose|when|where|why|how(?: (?:many|much|long|old|far|soon|often))?|what|which)"
_OPENING = re.compile(rf"^\W*(?:in |on |at |for |by )?(?P<wh>{_WH})\b", re.IGNORECASE)
# "Who ended it and when", "When was it signed, and who signed it": each side begins with its own question word.
_SECOND = re.compile(rf"(?:,\s*|;\s*|\s+)and\s+(?:also\s+)?(?P<part>(?:in |on |at |for )?{_WH}\b[^?]*)$", re.IGNORECASE)
_REFERS = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those)\b", re.IGNORECASE)
_NAME = r"(?:the\s+)?[A-Z][\w’'.-]*(?:\s+(?:of\s+)?[A-Z][\w’'.-]*)*"
_COMPARE = re.compile(
    rf"^\W*(?:[Cc]ompare|[Cc]ontrast|[Ww]hat (?:is|are) the differences? between)\s+(?P<head>.*?)"
    rf"(?P<first>{_NAME})\s+(?:and|with|to|versus|vs\.?)\s+(?P<second>{_NAME})(?P<tail>.*)$"
)
# A plural noun and two names: each name has one of its own. "What did X and Y sign" asks for one thing they share.
_EACH = re.compile(
    rf"^\W*(?P<head>(?:[Ww]hat|[Ww]hich)\s+(?:\w+\s+)?\w+s\s+(?:do|did|are|were|have|will|would)\s+)"
    rf"(?P<first>{_NAME})\s+and\s+(?P<second>{_NAME})(?P<tail>\s.*|)$"
)
_WHO_ARE = re.compile(rf"^\W*[Ww]ho\s+(?P<verb>are|were)\s+(?P<first>{_NAME})\s+and\s+(?P<second>{_NAME})\W*$")
_AUXILIARY = re.compile(r"^(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could)\s+", re.IGNORECASE)
_RELATIVE = frozenset({"who", "whom", "whose", "which"})
_MIN_WORDS = 2  # topic words that a part needs to be asked by itself


def split_question(text: str) -> tuple[str, ...]:
    """Return the parts a question asks, in order; the question alone when it asks one thing.

    A part that is a bare question word ("... and when?") takes the rest of the first; one that refers back ("... and
    who made it public?") is given the first part's words beside its own.
    """
    text = " ".join(text.split())
    for pattern in (_EACH, _COMPARE):
        found = pattern.match(text.rstrip(" ?."))
        if found:
            return tuple(_about(found, name) for name in ("first", "second"))
    people = _WHO_ARE.match(text)
    if people:
        verb = "Who is" if people["verb"] == "are" else "Who was"
        return f"{verb} {people['first']}?", f"{verb} {people['second']}?"
    opening, second = _OPENING.match(text), _SECOND.search(text.rstrip(" ?."))
    if not opening or not second or second.start() <= opening.end():
        return (text,)
    if {_kind(opening["wh"]), _kind(second["part"])} == {"who"}:
        return (text,)  # "Who is the man that ..., and whose trial ...?": one person, told more closely
    first = text[: second.start()].rstrip(" ,;")
    rest = _AUXILIARY.sub("", first[opening.end() :].strip())
    part = second["part"].strip()
    if len(_topic(part)) < _MIN_WORDS or _REFERS.search(part):
        part = f"{part} {first[opening.end() :].strip()}" if not _topic(part) else f"{part}, {rest}"
    if not _topic(first):
        return (text,)
    return f"{first}?", f"{part[0].upper()}{part[1:]}?"


def _about(found: re.Match[str], name: str) -> str:
    head, tail = found["head"].strip(), found["tail"].strip()
    opening = head if _OPENING.match(head) else f"What is said about {head}".strip()
    return f"{opening} {found[name]} {tail}".strip() + "?"


def _kind(words: str) -> str:
    """Return the question word that opens a part; those that may go on with a relative clause are one kind."""
    first = words.split()[0].lower()
    return "who" if first in _RELATIVE else first


def _topic(text: str) -> list[str]:
    return [word.stem for word in split_words(text) if not word.is_stop]
