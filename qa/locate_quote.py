"""Find the place of a model's quote in a passage: to the letter, or but for white space and quotation marks.

Never by likeness: a quote that is almost there is not there, nor is one that begins or ends inside of a word.
"""

from __future__ import annotations

import unicodedata

from corpus.types import Span
from index.types import Hit

_PLAIN = {
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
_AROUND = " \"'“”‘’.…"  # what models put around a quote
_MIN_LETTERS = 3
_SURE_WORDS = 4  # so many words in a row are one place; fewer must stand there once


def locate_quote(quote: str, hit: Hit) -> Span | None:
    """Return where the quote stands in the hit's article, inside its passage.

    Returns:
        The first place. None when it is not there, or is a word or two that stand there more than once.
    """
    passage = hit.passage
    written = unicodedata.normalize("NFC", quote)  # as articles are
    wanted = [part for part in (written.strip(), written.strip(_AROUND)) if len(part) >= _MIN_LETTERS]
    for find in (_exact, _but_for_form):
        for part in wanted:
            places = find(part, passage.text)
            if places and (len(places) == 1 or len(part.split()) >= _SURE_WORDS):
                start, end = places[0]
                return Span(passage.span.start + start, passage.span.start + end)
    return None


def whole_sentences(span: Span, hit: Hit) -> Span:
    """Widen a span to the sentences it touches, so that no word before or after it is hidden."""
    touched = [s for s in hit.passage.sentences if s.start < span.end and span.start < s.end]
    if not touched:
        return span
    return Span(min(span.start, touched[0].start), max(span.end, touched[-1].end))


def plain_form(text: str) -> str:
    """Return the text with single blanks and plain quotation marks and dashes."""
    return _normalise(text)[0].strip()


def _exact(part: str, text: str) -> list[tuple[int, int]]:
    return _occurrences(part, text)


def _but_for_form(part: str, text: str) -> list[tuple[int, int]]:
    wanted = plain_form(part)
    normalised, places = _normalise(text)
    if not wanted:
        return []
    return [(places[start], places[end - 1] + 1) for start, end in _occurrences(wanted, normalised)]


def _occurrences(part: str, text: str) -> list[tuple[int, int]]:
    found, start = [], text.find(part)
    while start >= 0:
        end = start + len(part)
        if not _is_cut(text, start) and not _is_cut(text, end):
            found.append((start, end))
        start = text.find(part, start + 1)
    return found


def _is_cut(text: str, place: int) -> bool:
    """Say whether a word or a figure goes on across a place: "£5" is no quote of "£50", nor "£50" of "£50,000"."""
    before, after = text[max(place - 2, 0) : place], text[place : place + 2]
    if not before or not after:
        return False
    inside_figure = (before[-1] in ".," and before[:-1].isdigit() and after[0].isdigit()) or (
        after[0] in ".," and before[-1].isdigit() and after[1:].isdigit()
    )
    return inside_figure or (before[-1].isalnum() and after[0].isalnum())


def _normalise(text: str) -> tuple[str, list[int]]:
    """Return the plain form, untrimmed, and for each of its letters the place it came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        plain = " " if letter.isspace() else _PLAIN.get(letter, letter)
        if plain == " " and letters and letters[-1] == " ":
            continue
        letters.append(plain)
        places.append(place)
    return "".join(letters), places
