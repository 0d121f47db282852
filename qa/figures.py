"""Figures in a text as amounts with their units, in digits or in words, and those of a statement that a text lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qa.values import SCALES, UNITS
from qa.words import split_words

_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: n for n, word in enumerate(_COUNTED.split())} | {w: 10 * n for n, w in enumerate(_TENS.split(), 2)}
_TIMES = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ALONE = frozenset({"one", "zero"})  # "one" is mostly a pronoun, unless it counts a unit
_WORD = rf"(?:{'|'.join(sorted([*_SMALL, *_TIMES], key=len, reverse=True))})"
_SCALE = r"(?:thousand|million|billion|trillion|bn|mn|tn|[mbk](?![\w²]))"
_UNIT = r"(?:%|per cent|percent|[A-Za-z]+)"
_SIGN = r"(?:US)?[$£€¥]"
_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_FIGURE = re.compile(
    rf"(?P<sign>{_SIGN})?\s?(?<![\w.])(?P<digits>{_DIGITS})(?:st|nd|rd|th)?(?:[\s-]?(?P<scale>{_SCALE}))?"
    rf"|\b(?P<words>{_WORD}(?:(?:[\s-]+|(?:(?<=hundred)|(?<=thousand)|(?<=million))\s+and\s+){_WORD})*)\b",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(rf"[\s-]*(?P<unit>{_UNIT})", re.IGNORECASE)
# "5 to 6 million euros": what follows the second figure is meant of the first one too.
_RANGE_AFTER = re.compile(
    rf"\s*(?:[-–—]|to|or|and)\s*(?:{_SIGN})?{_DIGITS}(?:[\s-]?(?P<scale>{_SCALE}))?(?:[\s-]*(?P<unit>{_UNIT}))?",
    re.IGNORECASE,
)
_COUNTED_AFTER = re.compile(r"[\s-]+[^\W\d_]+(?:[\s-]+[^\W\d_]+){0,2}")  # three words: "12 Rwandan army officers"
_MONEY = frozenset({"$", "£", "€", "¥"})  # people leave out whose money it is, never that it is a length
# "A hundred stayed" is a figure; "hundreds", "half a dozen" and "more than a million" are not.
_AN_EXACT = re.compile(r"(?<!than )(?<!half )(?<!over )(?<!about )(?<!nearly )(?<!almost )\ba\s$", re.IGNORECASE)
_SHORT_SCALES = frozenset({"m", "b", "k"})  # "£50m" is fifty million, "50 m" may be a length

Amount = tuple[Decimal, str]  # the unit is empty for a count


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Args:
        text: As it is written, with the word after it.
        amounts: What it can mean, mostly one thing; "50m" is a length or a count.
        counted: Stems of the topic words that follow it at once, if it has no unit: what it is the number of.
        is_vague: Whether it names a size alone, as "several thousand" and "more than a dozen" do.
    """

    text: str
    amounts: frozenset[Amount]
    counted: frozenset[str]
    is_vague: bool = False

    def is_same(self, other: Figure) -> bool:
        """Say whether both can be one amount; a unit that only one names makes no difference, unless the other counts.

        "Three" may be "three hours", and "50 million" what "£50m" is; "three reporters" are not, nor is "£50" what
        "50 people" are.
        """
        return any(a == b and self._may_be_of(u, other, v) for a, u in self.amounts for b, v in other.amounts)

    def _may_be_of(self, unit: str, other: Figure, others: str) -> bool:
        if unit == others:
            return True
        if not unit:
            return not self.counted or others in _MONEY
        return not others and not other.counted


def find_figures(text: str) -> list[Figure]:
    """Return the figures of a text in order: "£50m", "50 million pounds" and "fifty million" are one amount."""
    found: list[Figure] = []
    for match in _FIGURE.finditer(text):
        if match["words"]:
            found += _in_words(text, match)
        else:
            found.append(_in_digits(text, match))
    return found


def missing_figures(statement: str, held: str) -> list[str]:
    """Return the figures of a statement that the held text lacks, or gives of something else, as they are written."""
    ours, theirs = find_figures(statement), find_figures(held)
    return [one.text for one in ours if not one.is_vague and not _is_held(one, theirs)]


def _is_held(one: Figure, theirs: Sequence[Figure]) -> bool:
    """Say whether the amount is there, and not of another thing than the statement counts.

    "12 people" is not held by "50 people and 12 soldiers". Only a text that counts both says so: of "50 people, 12 of
    them children" nothing can be told without understanding it.
    """
    same = [other for other in theirs if one.is_same(other)]
    if not same or not one.counted:
        return bool(same)
    if any(not other.counted or other.counted & one.counted for other in same):
        return True
    return not any(other.counted & one.counted for other in theirs)


def _in_digits(text: str, match: re.Match[str]) -> Figure:
    bare = Decimal(match["digits"].replace(",", ""))
    scale, end = (match["scale"] or "").lower(), match.end()
    unit = _unit_after(text, end)
    sign = UNITS.get((match["sign"] or "").lower(), "")
    amount = bare * _times(scale)
    amounts = {(amount, sign or unit)}
    if scale in _SHORT_SCALES and not sign:
        amounts.add((bare, UNITS.get(scale, "")))
    span = _RANGE_AFTER.match(text, end)
    if span and not scale:
        last = UNITS.get((span["unit"] or "").lower(), "")
        amounts = {(bare, sign or unit or last)}
        amounts.add((bare * _times((span["scale"] or "").lower()), sign or unit or last))
    counted = frozenset[str]() if sign or unit else _counted_after(text, end)
    return Figure(_shown(text, match), frozenset(amounts), counted)


def _in_words(text: str, match: re.Match[str]) -> Iterator[Figure]:
    unit = _unit_after(text, match.end())
    runs = list(_read_words(match["words"]))
    for place, (words, amount) in enumerate(runs):
        is_last = place == len(runs) - 1
        if words in _ALONE and not (is_last and unit):
            continue
        counted = _counted_after(text, match.end()) if is_last and not unit else frozenset[str]()
        shown = _shown(text, match) if len(runs) == 1 else words
        is_vague = place == 0 and words.split()[0] in _TIMES and not _AN_EXACT.search(text[: match.start()])
        yield Figure(shown, frozenset({(Decimal(amount), unit if is_last else "")}), counted, is_vague)


def _read_words(words: str) -> Iterator[tuple[str, int]]:
    """Yield each number of a run of number words: "two hundred and five" is one, "nineteen ninety" are two."""
    told: list[str] = []
    total = part = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word == "and":
            continue
        if word in _SMALL:
            n = _SMALL[word]
            fits = part % 100 == 0 or (part % 10 == 0 and part % 100 >= 20 and 0 < n < 10)
            if told and not (fits and (part or total)):
                yield " ".join(told), total + part
                told, total, part = [], 0, 0
            part += n
        elif _TIMES[word] <= 100:
            part = max(part, 1) * _TIMES[word]
        else:
            total, part = total + max(part, 1) * _TIMES[word], 0
        told.append(word)
    yield " ".join(told), total + part


def _shown(text: str, match: re.Match[str]) -> str:
    """Return the figure with the word after it: which of two hours and two days is meant."""
    after = _COUNTED_AFTER.match(text, match.end())
    words = split_words(after.group())[:1] if after else []
    end = match.end() + words[0].end if words and not words[0].is_stop else match.end()
    return (text[match.start() : end] + ("%" if text[end : end + 1] == "%" else "")).strip()


def _times(scale: str) -> int:
    return int(SCALES[scale]) if scale else 1


def _unit_after(text: str, end: int) -> str:
    after = _UNIT_AFTER.match(text, end)
    return UNITS.get(after["unit"].lower(), "") if after else ""


def _counted_after(text: str, end: int) -> frozenset[str]:
    after = _COUNTED_AFTER.match(text, end)
    stems: list[str] = []
    for word in split_words(after.group() if after else ""):
        if word.is_stop:
            break
        stems.append(word.stem)
    return frozenset(stems)
