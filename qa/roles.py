"""Who somebody is, as a sentence says it beside the name: "X, the foreign minister," or "former President X"."""

from __future__ import annotations

import re

from corpus.types import Span
from qa.phrases import PERSON_HEADS
from qa.values import QUALIFIERS

_WORD = r"[^\W\d_][\w’'.-]*"
_OWNED = r"(?:an?|the|[Oo]ne of the|[A-Z][\w.-]*[’']s?)"  # what a role may begin with and keep
_ENDS = r"(?=\s*(?:[,;:()]|[.!?”\"]*$|\s(?:who|whom|which|that|said|says|told|tells)\b))"
_TITLE_OF = re.compile(r"((?:[A-Z][\w.-]*\s+)*[A-Z][\w-]*\s+(?:of|for)\s+(?:the\s+)?[A-Z][\w-]*)\s+$")
_GIVEN_NAME = re.compile(r"[A-Z][\w’'.-]*\s+$")
_OPENS_TITLE = frozenset({"prime", "vice", "foreign", "first", "chief", "home"})  # also where a sentence begins
_MOST_WORDS = 14  # a longer stretch between commas is a clause, no role
_LOOKED_BACK = 5  # words before a name that can belong to its title


def find_role(person: str, sentence: str) -> Span | None:
    """Return what the sentence says that a person is, in offsets of the sentence.

    Args:
        person: The name as it is asked for; its last word must stand in the sentence.
        sentence: One sentence.

    Returns:
        The words beside the name that hold an office or a relation; None when there are none.
    """
    names = re.findall(_WORD, person)
    if not names:
        return None
    before = "".join(rf"(?:{re.escape(word)}\s+)?" for word in names[:-1])
    name = rf"\b{before}{re.escape(names[-1])}\b"
    for pattern in (
        rf"{name},?\s+who\s+(?:is|was)\s+(?:also\s+)?(?P<role>[^,;]+?){_ENDS}",
        rf"{name},\s+(?P<role>{_OWNED}\s[^,;]+?){_ENDS}",
        rf"(?:^|[,;]\s*)(?:[Ii]ts\s|[Hh]is\s|[Hh]er\s|[Tt]heir\s|(?=[Tt]he\s|[Aa]n?\s|\S+[’']s?\s))(?P<role>[^,;]+?),\s+{name}",
    ):
        for found in re.finditer(pattern, sentence):
            if _is_role(found["role"]):
                return Span(*found.span("role"))
    for found in re.finditer(name, sentence):
        text = sentence[: found.start()]
        title = _title_before(text) or (_title_before(_GIVEN_NAME.sub("", text)) if len(names) == 1 else None)
        if title is not None:
            return title
    return None


def _is_role(text: str) -> bool:
    words = [word.lower() for word in re.findall(_WORD, text)]
    return len(words) <= _MOST_WORDS and any(_is_head(word) for word in words)


def _is_head(word: str) -> bool:
    bare = re.sub(r"[’']s?$", "", word.lower().strip("."))
    return bare in PERSON_HEADS or bare.rsplit("-", 1)[-1] in {*PERSON_HEADS, "law", "general"}


def _title_before(text: str) -> Span | None:
    """Return the title that ends where the text ends: "former President", "U.S. Secretary of State"."""
    of_something = _TITLE_OF.search(text)
    if of_something and _is_role(of_something[1]):
        return Span(of_something.start(1), of_something.end(1))
    words = list(re.finditer(rf"{_WORD}(?=\s)", text))[-_LOOKED_BACK:]
    if not words or text[words[-1].end() :].strip() or not _is_head(words[-1][0]):
        return None
    first = words.pop()
    end = first.end()
    while words and not text[words[-1].end() : first.start()].strip():
        word = words[-1][0]
        names_office = word.lower() in QUALIFIERS or word.lower() in _OPENS_TITLE or _is_head(word)
        if not names_office and not (word[0].isupper() and words[-1].start()):
            break
        first = words.pop()
    if len(words) > 1 and words[-2][0].lower() in ("the", "a", "an") and words[-1][0].islower():
        first = words[-1]  # "the independent journalist"
    return Span(first.start(), end)
