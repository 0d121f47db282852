"""From the network's logits to answer spans in characters: the best one of a passage, or of each of its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.types import Span
from qa.reading_input import ReadingInput

MAX_ANSWER_PIECES = 30  # 99 % of the answers of wiki_squad are shorter
_LOOSE = " \t\n,;:.!?()[]“”\"'’‘–—-"  # what an answer neither begins nor ends with, unless it closes what it opened


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A possible answer.

    Args:
        span: In characters of the passage; whole words.
        score: Log-odds that the answer is one of the spans among which this one is best, against "no answer here".
    """

    span: Span
    score: float


def best_spans(
    given: ReadingInput, spans: NDArray[np.float32], text: str, bounds: Sequence[Span], barred: Sequence[Span] = ()
) -> list[AnswerSpan | None]:
    """Return the best span inside each of the bounds.

    Args:
        given: The pair the logits belong to.
        spans: Shape (pieces, 2); row 0 stands for no answer.
        text: The passage.
        bounds: In characters of the passage: its sentences, say, or all of it.
        barred: In characters of the passage: what no span may touch.

    Returns:
        In the order of the bounds; None where no word piece lies inside (the input was cut before), or none that is
        not barred.
    """
    null = float(spans[0].sum())
    starts, ends = (spans[given.first : given.first + len(given.starts), side] for side in (0, 1))
    is_barred = np.zeros(len(given.starts), dtype=bool)
    for span in barred:
        is_barred |= (given.starts < span.end) & (span.start < given.ends)
    found: list[AnswerSpan | None] = []
    for bound in bounds:
        first = int(np.searchsorted(given.starts, bound.start, "left"))
        last = int(np.searchsorted(given.ends, bound.end, "right"))
        if first >= last:
            found.append(None)
            continue
        table = (starts[first:last, None] + ends[None, first:last]).astype(np.float64)
        table[~_within(last - first) | _touches(is_barred[first:last])] = -np.inf
        if np.isneginf(table).all():
            found.append(None)
            continue
        i, j = divmod(int(table.argmax()), last - first)
        span = whole_words(text, int(given.starts[first + i]), int(given.ends[first + j]), bound)
        found.append(AnswerSpan(span, float(np.logaddexp.reduce(table, axis=None)) - null))
    return found


def whole_words(text: str, start: int, end: int, bound: Span) -> Span:
    """Widen a range to whole words, then strip what no answer begins or ends with."""
    while start > bound.start and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < bound.end and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    wide = start, end
    while start < end and text[start] in _LOOSE:
        start += 1
    while start < end and text[end - 1] in _LOOSE and not _closes(text[start:end]):
        end -= 1
    return Span(start, end) if start < end else Span(*wide)


def _within(n: int) -> NDArray[np.bool_]:
    """Say, for each start and end, whether the span runs forward and is short enough; shape (n, n)."""
    places = np.arange(n)
    width = places[None, :] - places[:, None]
    return (width >= 0) & (width < MAX_ANSWER_PIECES)


def _touches(is_barred: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say, for each start and end, whether a barred piece lies between; shape (n, n)."""
    before = np.concatenate([[0], np.cumsum(is_barred)])
    return np.asarray(before[None, 1:] > before[:-1, None])


def _closes(answer: str) -> bool:
    """Whether the last character closes a bracket or ends an abbreviation that the answer holds."""
    if answer.endswith("."):
        return answer[-3:-2] == "." or answer[-3:-2].isspace() or len(answer) == 2
    opener = {")": "(", "]": "[", "”": "“", "’": "‘"}.get(answer[-1])
    return opener is not None and opener in answer
