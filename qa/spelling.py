"""Misspelt words of a question, mended by the words of the passages found and by common English ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from qa.words import Word, common_words, is_known, split_words

_MIN_LETTERS = 4  # shorter words have too many neighbours one letter away
_SIMILARITY = 0.8  # difflib ratio; "jurnalist"/"journalist" 0.95, "Ruanda"/"Rwanda" 0.83, "Uganda"/"Rwanda" 0.67
_MAX_LENGTH_GAP = 2


def mend_spelling(question: str, found: Iterable[Word]) -> str:
    """Replace words that neither English nor the passages know by the closest spelling that one of them does.

    The passages' own words go first ("Ruanda" becomes their "Rwanda"); a capitalised word is taken for a name and
    mended by them alone, so that a name the articles do not hold stays as it is, and is missed.

    Args:
        question: As asked.
        found: Words of the passages that retrieval found.

    Returns:
        The question; the same string when nothing was mended.
    """
    words = list(found)
    spellings = {word.text.lower(): word.text for word in words}
    known_stems = {word.stem for word in words}
    parts, end = [], 0
    for place, word in enumerate(split_words(question)):
        lower = word.text.lower()
        if not word.text.isalpha() or len(lower) < _MIN_LETTERS or lower in spellings or word.stem in known_stems:
            continue
        if is_known(lower):
            continue
        is_name = word.is_capitalised and place > 0
        close = _closest(lower, spellings) or (None if is_name else _closest(lower, _common_by_letter(lower[0])))
        if close:
            parts += [question[end : word.start], close]
            end = word.end
    return "".join([*parts, question[end:]])


def _closest(word: str, spellings: Mapping[str, str]) -> str | None:
    near = [s for s in spellings if s[0] == word[0] and abs(len(s) - len(word)) <= _MAX_LENGTH_GAP]
    close = get_close_matches(word, near, n=1, cutoff=_SIMILARITY)
    return spellings[close[0]] if close else None


@lru_cache(maxsize=32)
def _common_by_letter(letter: str) -> dict[str, str]:
    return {word: word for word in common_words() if word[0] == letter}
