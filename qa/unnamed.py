"""A class of things named as if it were known ("the park", "this burger") that no turn of the chat has named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.antecedents import Exchange
from qa.mentions import Kind, find_mentions
from qa.phrases import is_person_name, word_set
from qa.words import split_words, stem_word

# Nouns that name nothing by themselves: which one is meant must have been said. Roles that an article may fill
# ("the president", "the minister", "the court", "the deal") are not among them.
_PLACES = word_set("country city state county town village park river island region neighbourhood neighborhood")
_PEOPLE = word_set("player author actor actress singer writer person celebrity athlete")
_OTHERS = word_set(
    "animal company product book novel series show movie film song album team department university school language "
    "game organization organisation program brand building event case disease burger dish car phone device"
)
_NAMED_AS_KNOWN = re.compile(
    r"\b(?:this|that|the|these|those)\s+(?:[a-z]+\s+){0,2}?(?P<noun>"
    + "|".join(sorted(_PLACES | _PEOPLE | _OTHERS))
    + r")"
    r"(?:['’]s)?\b(?!\s+(?:of\s+(?!the\b)|that|who|which|where|called|named))",
    re.IGNORECASE,
)
_LOOKED_AT = 2  # turns: what a name two turns ago was may still be called "the city"


def find_unnamed(question: str, exchanges: Sequence[Exchange]) -> str | None:
    """Return the words that leave open which one is meant; None when a turn before may have named it.

    A question without turns before is not looked at: a person who asks a library about "the city" may have one city
    in it.
    """
    match = _NAMED_AS_KNOWN.search(question) if exchanges else None
    if match is None:
        return None
    noun = match["noun"].lower()
    told = [*(text for each in exchanges for text in (each.question, *each.said)), question[: match.start()]]
    if stem_word(noun) in {word.stem for text in told for word in split_words(text)}:
        return None
    recent = [text for each in exchanges[-_LOOKED_AT:] for text in (each.question, each.short_answer or "")]
    if any(_may_be(noun, text) for text in recent):
        return None
    return match[0]


def _may_be(noun: str, text: str) -> bool:
    """Say whether the text names something that can be called so: Paris "the city", NASA "the organisation"."""
    from qa.places_babel import place_names

    found = [m for m in find_mentions(text) if m.kind in (Kind.NAME, Kind.PERSON, Kind.PLACE)]
    names = [(m.kind, m.span.slice(text)) for m in found]
    if noun in _PLACES:
        return any(kind is Kind.PLACE or name.lower() in place_names() for kind, name in names)
    if noun in _PEOPLE:
        return any(kind is Kind.PERSON or is_person_name(name) for kind, name in names)
    return bool(names)
