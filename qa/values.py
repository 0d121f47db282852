"""What a short answer amounts to: its dates, figures and names, compared so that writing alone makes no difference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from qa.mentions import Kind, find_mentions
from qa.words import Word, split_words, stem_word


class Relation(StrEnum):
    """How two values for the same thing stand to each other."""

    SAME = "same"  # also where one says more than the other: "2023" and "November 2023"
    DIFFERENT = "different"
    UNRELATED = "unrelated"  # not to be compared: a figure and a name, pounds and dollars


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is said; None where it is not."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    last_year: int | None = None  # of "2021-2023", or of a decade

    def agrees(self, other: Day) -> bool:
        """Say whether one of the two only says more than the other does, or lies in its span of years."""
        told = [
            ours == theirs
            for ours, theirs in ((self.month, other.month), (self.day, other.day))
            if ours is not None and theirs is not None
        ]
        if self.year is not None and other.year is not None:
            ends = (self.last_year or self.year), (other.last_year or other.year)
            told.append(self.year <= ends[1] and other.year <= ends[0])
        return bool(told) and all(told)


@dataclass(frozen=True, slots=True)
class Value:
    """A short answer taken apart.

    Args:
        dates: Every date in it.
        figures: Every other figure, as (amount, unit); the unit is empty for a count.
        stems: Stems of its topic words, all but those of figures.
        initials: Of its capitalised words, for names that are written short elsewhere.
        acronyms: Words all in capitals.
    """

    text: str
    dates: tuple[Day, ...]
    figures: frozenset[tuple[float, str]]
    stems: frozenset[str]
    initials: str
    acronyms: frozenset[str]


# Words before a name or an office that make another of it: a former president is not the president.
_QUALIFYING = "former ex acting deputy vice interim incoming outgoing late designate alleged suspected"
QUALIFIERS = frozenset(_QUALIFYING.split())
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES.split(), 1)}
_DATE_PART = re.compile(
    r"(?P<year>\b(?:1\d{3}|20\d{2})\b(?!s))|(?P<decade>\b(?:1\d{2}|20\d)0s)"
    r"|\b(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b|\b(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?!\s+cent)"
)
SCALES = {
    **dict.fromkeys(("k", "thousand"), 1e3),
    **dict.fromkeys(("m", "mn", "million"), 1e6),
    **dict.fromkeys(("b", "bn", "billion"), 1e9),
    **dict.fromkeys(("tn", "trillion"), 1e12),
}
UNITS = {
    **dict.fromkeys(("$", "us$", "dollar", "dollars"), "$"),
    **dict.fromkeys(("£", "pound", "pounds"), "£"),
    **dict.fromkeys(("€", "euro", "euros"), "€"),
    **dict.fromkeys(("¥", "yen", "yuan"), "¥"),
    **dict.fromkeys(("%", "percent", "per cent"), "%"),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), "km"),
    **dict.fromkeys(("mi", "mile", "miles"), "mi"),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), "m"),
    **dict.fromkeys(("ft", "foot", "feet"), "ft"),
    **dict.fromkeys(("kg", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("lb", "lbs"), "lb"),
    **dict.fromkeys(("acre", "acres"), "acre"),
    **dict.fromkeys(("hectare", "hectares", "ha"), "ha"),
    **{
        f"{unit}{end}": unit
        for unit in ("second", "minute", "hour", "day", "week", "month", "year")
        for end in ("", "s")
    },
}
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_NUMBER_WORDS = {word: float(n) for n, word in enumerate(_COUNTED.split())}
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS |= {word: 10.0 * n for n, word in enumerate(_TENS.split(), 3)}
_NUMBER_WORDS |= {"once": 1.0, "twice": 2.0, "dozen": 12.0, "hundred": 100.0}
_FIGURE = re.compile(
    r"(?P<sign>(?:US)?[$£€¥])?\s?(?P<number>\d[\d,]*(?:\.\d+)?)(?:st|nd|rd|th)?"
    rf"|\b(?P<word>{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_SCALE_AFTER = re.compile(r"[\s-]?(thousand|million|billion|trillion|bn|mn|tn|[mbk](?![\w²]))", re.IGNORECASE)
_UNIT_AFTER = re.compile(r"[\s-]*(%|per cent|percent|[A-Za-z]+)", re.IGNORECASE)
_TURNING = frozenset(stem_word(word) for word in QUALIFIERS)
_SIGNED_SCALES = frozenset({"m", "b", "k"})  # "£50m" is fifty million, "50 m" is a length


@lru_cache(maxsize=8_192)
def parse_value(text: str) -> Value:
    """Take a short answer apart."""
    dates = tuple(
        day for mention in find_mentions(text) if mention.kind is Kind.DATE for day in _dates(mention.span.slice(text))
    )
    dated = [mention.span for mention in find_mentions(text) if mention.kind is Kind.DATE]
    bare = "".join(" " if any(span.start <= i < span.end for span in dated) else c for i, c in enumerate(text))
    if not dates:
        bare = text
    words = [word for word in split_words(text) if not word.is_stop or _is_acronym(word)]
    topic = [word for word in words if not word.text[0].isdigit() and word.text.lower() not in _NUMBER_WORDS]
    capitals = [word for word in split_words(text) if word.is_capitalised]
    return Value(
        text,
        dates,
        frozenset(_figures(bare)),
        frozenset(word.stem for word in topic),
        "".join(word.text[0] for word in capitals) if len(capitals) > 1 else "",
        frozenset(word.text.replace(".", "") for word in topic if _is_acronym(word)),
    )


def compare_values(left: str, right: str) -> Relation:
    """Say how two short answers to one question stand to each other.

    Dates go before figures, figures before words. Two dates are the same when one only says more than the other; a
    year and a month alone say different things. Figures are compared by amount and unit. Two names or phrases are the
    same when one holds all words of the other ("Starmer", "Keir Starmer"), or is its initials; not when what it holds
    besides makes another thing of it ("former").
    """
    ours, theirs = parse_value(left), parse_value(right)
    if ours.dates or theirs.dates:
        if not (ours.dates and theirs.dates):
            return Relation.UNRELATED
        same = any(one.agrees(other) for one in ours.dates for other in theirs.dates)
        return Relation.SAME if same else Relation.DIFFERENT
    if ours.figures or theirs.figures:
        return _compare_figures(ours, theirs)
    return _compare_words(ours, theirs)


def differ_by_qualifier(left: str, right: str) -> bool:
    """Say whether two values are one but for a word such as "former"."""
    apart = parse_value(left).stems ^ parse_value(right).stems
    return bool(apart) and apart <= _TURNING


def _compare_figures(ours: Value, theirs: Value) -> Relation:
    if not (ours.figures and theirs.figures):
        return Relation.UNRELATED
    if ours.figures & theirs.figures:
        return Relation.SAME
    units = {unit for _, unit in ours.figures} & {unit for _, unit in theirs.figures}
    return Relation.DIFFERENT if units else Relation.UNRELATED


def _compare_words(ours: Value, theirs: Value) -> Relation:
    if not ours.stems or not theirs.stems:
        return Relation.SAME if ours.text.casefold() == theirs.text.casefold() else Relation.UNRELATED
    if (ours.stems ^ theirs.stems) & _TURNING:
        return Relation.DIFFERENT
    if ours.stems <= theirs.stems or theirs.stems <= ours.stems:
        return Relation.SAME
    if ours.initials in theirs.acronyms or theirs.initials in ours.acronyms:
        return Relation.SAME
    return Relation.DIFFERENT


def _dates(text: str) -> list[Day]:
    """Return the dates of one mention; "5 May" and "May 5" are one date, "2021-2023" are two."""
    parts = list(_DATE_PART.finditer(text))
    decades = [int(part["decade"][:-1]) for part in parts if part["decade"]]
    years = [int(part["year"]) for part in parts if part["year"]]
    month = next((_MONTHS[part["month"].lower()] for part in parts if part["month"]), None)
    day = next((int(part["day"]) for part in parts if part["day"]), None) if month else None
    if len(years) == 2 and years[0] < years[1] and not month:
        return [Day(years[0], last_year=years[1])]
    if years:
        return [Day(year, month, day) for year in years]
    if decades:
        return [Day(decade, last_year=decade + 9) for decade in decades]
    return [Day(month=month, day=day)] if month else []


def _figures(text: str) -> list[tuple[float, str]]:
    found = []
    for match in _FIGURE.finditer(text):
        word = match["word"]
        amount = _NUMBER_WORDS[word.lower()] if word else float(match["number"].replace(",", ""))
        end = match.end()
        scale = _SCALE_AFTER.match(text, end)
        if scale and (match["sign"] or scale[1].lower() not in _SIGNED_SCALES):
            amount, end = amount * SCALES[scale[1].lower()], scale.end()
        after = _UNIT_AFTER.match(text, end)
        unit = UNITS.get((match["sign"] or "").lower()) or UNITS.get(after[1].lower() if after else "", "")
        found.append((amount, unit))
    return found


def _is_acronym(word: Word) -> bool:
    letters = word.text.replace(".", "")
    return len(letters) > 1 and letters.isupper()
