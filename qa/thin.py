"""Whether a question names too little to be about anything by itself ("How much does it cost?")."""

from __future__ import annotations

import re

from qa.mentions import Kind, find_mentions
from qa.phrases import word_set
from qa.words import rarity, split_words

_DEFINES = re.compile(
    r"^\W*(?:what\s+(?:is|are|does|do)|what['’]s|define|who\s+(?:is|was|are))\s+(?!the\b|it|that)", re.IGNORECASE
)
_ME = word_set("i me my mine we us our you your")
# Chosen with the inner half of multiturn_mtrag (evals/follow_ups.py), where 0.55 to 0.62 and 2 to 3 do as well.
_SPECIFIC = 0.62  # of `rarity`: a word commoner than this ("cost", "work", "apply") names no topic by itself
_FEW_WORDS = 2  # fewer specific words than this, and no name, leave open what is talked about


def is_thin(question: str) -> bool:
    """Say whether the question names too little to be about anything by itself."""
    if names_something(question):
        return False
    words = [word for word in split_words(question) if not word.is_stop and word.text.lower() not in _ME]
    specific = [word for word in words if rarity(word.text) >= _SPECIFIC]
    if _DEFINES.match(question) and specific:
        return False
    return len(specific) < _FEW_WORDS


def names_something(question: str) -> bool:
    """Say whether the question holds a name or a figure; a day or a quotation alone tells no topic."""
    return any(m.kind is not Kind.QUOTE and m.kind is not Kind.DATE for m in find_mentions(question))
