"""What a question leaves out: "Which country besides Rwanda" is answered neither by Rwanda nor by Kigali."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from corpus.types import Span
from qa.phrases import AUXILIARIES, PREPOSITIONS, QUESTION_WORDS
from qa.seats import country_of, is_country
from qa.words import Word, split_words

_LEAVES_OUT = re.compile(
    r"\b(?:besides|other than|apart from|aside from|except(?: for| from)?|in addition to|not counting|excluding)\s+"
    r"(?P<what>[^,;:?!()]+)",
    re.IGNORECASE,
)
_THE_US = re.compile(r"(?<=\bthe )us\b")
_ENDS = (AUXILIARIES | QUESTION_WORDS | PREPOSITIONS | {"that"}) - {"of"}
# "The East African country" is one that was named before, mostly the one left out. Cities, firms and governments are
# described so where they answer ("the federal government"), and "the country Benin" is named.
_DESCRIBES = re.compile(r"\b(?i:the|this|that)(?:\s+[\w’'-]+){0,3}?\s+(?i:country|nation)\b(?!\s+(?:of\b|[A-Z]))")


def find_left_out(question: str) -> frozenset[str]:
    """Return the stems of what the question names only to leave it out, a seat of government standing for its country.

    The other names of such a question go with it: "Which country besides Rwanda is Washington looking at" asks for
    neither. Empty when it leaves nothing out. Of a phrase only the capitalised words count, unless it is one word,
    which may be a name that was typed carelessly.
    """
    stems: set[str] = set()
    for match in _LEAVES_OUT.finditer(question):
        phrase = list(takewhile(lambda word: word.text.lower() not in _ENDS, split_words(match["what"])))
        if phrase and phrase[0].text.lower().endswith("ing"):
            continue  # "besides being a poet" leaves out a deed
        topic = [word for word in phrase if not word.is_stop]
        named = [word for word in topic if word.is_capitalised]
        stems |= {_stem(word) for word in named or (topic if len(topic) == 1 else [])}
    return frozenset(stems | _named(question)) if stems else frozenset()


def _named(question: str) -> set[str]:
    words = split_words(_THE_US.sub("US", question))
    return {_stem(word) for word in words[1:] if word.is_capitalised or is_country(word.stem)}


def spans_left_out(text: str, left_out: frozenset[str]) -> list[Span]:
    """Return where a text names what is left out and nothing more: "Rwanda", but not the "Rwanda" of "Rwanda TV".

    Where it only describes something ("the East African country") is returned as well.

    Args:
        text: A passage.
        left_out: From `find_left_out`.
    """
    if not left_out:
        return []
    named = [
        Span(name[0].start, name[-1].end) for name in _names(text) if all(_stem(word) in left_out for word in name)
    ]
    return sorted([*named, *(Span(match.start(), match.end()) for match in _DESCRIBES.finditer(text))])


def _names(text: str) -> Iterator[list[Word]]:
    """Cut names out of a text: capitalised words with nothing but a space between."""
    name: list[Word] = []
    for word in split_words(text):
        if name and not (word.is_capitalised and text[name[-1].end : word.start].isspace()):
            yield name
            name = []
        if word.is_capitalised:
            name.append(word)
    if name:
        yield name


def _stem(word: Word) -> str:
    return country_of(word.stem)
