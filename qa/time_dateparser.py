"""The days a question speaks of: "last week", "before August", "in March", "latest" -> a range of publication days.

Relative days are counted from a stated day. Whether an article was published then, or tells of then, only its author
knows; so a range that the question does not tie to publication is tried first and given up when nothing answers.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?(?!\d)"
    rf"|\d{{4}}-\d\d-\d\d)"
)
_WEEKDAY = r"(?:(?:last|this)\s+)?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTHS = rf"{_MONTH}(?:,?\s+(?:of\s+)?{_YEAR})?"
_NAMED = rf"(?P<named>{_DAY}|{_MONTHS}|{_WEEKDAY}|{_YEAR})(?!\w)"
_BY_DAY = re.compile(
    rf"\b(?P<how>in|on|during|since|from|before|after|until|till|by|up to|as of|early in|late in)\s+{_NAMED}"
)
_RELATIVE = re.compile(
    r"\b(?:(?P<how>since|before|after|until)\s+)?"
    r"(?P<which>yesterday|today|(?:this|last|the past|the last|past)\s+(?:week|month|year)|"
    r"(?:in|over|during|within)\s+the\s+(?:last|past)\s+"
    r"(?P<n>\d+|two|three|four|five|six|seven|ten)\s+(?P<unit>days|weeks|months|years))\b",
    re.IGNORECASE,
)
_LATEST = re.compile(r"\b(?<!at the )(?:latest|newest|most recent(?:ly)?)\b", re.IGNORECASE)
_PUBLICATION = re.compile(
    r"\b(?:published|articles?|news|coverage|stories|headlines?|reported|reports?|reporting)\b", re.IGNORECASE
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}


@dataclass(frozen=True, slots=True)
class TimeAsked:
    """What a question says about time.

    Args:
        since: First day of the range; None when it is open.
        until: Last day of the range; None when it is open.
        is_publication: Whether the question ties the range to when articles were published.
        is_relative: Whether the range was counted from the stated day.
        is_latest: Whether the newest articles are to come first.
        words: What names the range in the question: within it, no article need say so again.
    """

    since: date | None = None
    until: date | None = None
    is_publication: bool = False
    is_relative: bool = False
    is_latest: bool = False
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.is_latest)


def find_time(question: str, today: date) -> TimeAsked:
    """Return the publication days a question asks for; empty when it asks for none.

    A bare year ("in 2023") is taken for one only beside a word of publication: mostly it is when something happened.

    Args:
        question: Standing alone.
        today: What relative days, and months without a year, are counted from.
    """
    publication = bool(_PUBLICATION.search(question))
    latest = bool(_LATEST.search(question))
    relative = _RELATIVE.search(question)
    if relative:
        since, until = _relative_range(relative, today)
        return TimeAsked(since, until, publication, True, latest, relative[0])
    named = _BY_DAY.search(question)
    if named and (publication or not re.fullmatch(_YEAR, named["named"])):
        found = _named_range(named["named"], today)
        if found:
            since, until = _bounded(named["how"].lower(), found)
            year_given = re.search(_YEAR, named["named"]) is not None
            return TimeAsked(since, until, publication, not year_given, latest, named[0])
    return TimeAsked(is_latest=latest)


def _relative_range(match: re.Match[str], today: date) -> tuple[date | None, date | None]:
    how, which = (match["how"] or "in").lower(), match["which"].lower()
    monday = today - timedelta(days=today.weekday())
    if match["n"]:
        n = int(_NUMBERS.get(match["n"].lower(), match["n"] if match["n"].isdigit() else 1))
        days = {"days": 1, "weeks": 7, "months": 30, "years": 365}[match["unit"].lower()] * n
        found = (today - timedelta(days=days), today)
    elif which in ("yesterday", "today"):
        day = today - timedelta(days=which == "yesterday")
        found = (day, day)
    elif which.startswith(("the ", "past")):
        found = (today - timedelta(days={"week": 7, "month": 30, "year": 365}[which.split()[-1]]), today)
    elif which.endswith("week"):
        start = monday if which.startswith("this") else monday - timedelta(days=7)
        found = (start, min(today, start + timedelta(days=6)))
    elif which.endswith("month"):
        first = today.replace(day=1)
        found = (
            (first, today)
            if which.startswith("this")
            else ((first - timedelta(days=1)).replace(day=1), first - timedelta(days=1))
        )
    else:
        year = today.year - which.startswith("last")
        found = (date(year, 1, 1), min(today, date(year, 12, 31)))
    return _bounded(how, found)


def _named_range(words: str, today: date) -> tuple[date, date] | None:
    """Return the first and last day that the words name; a month or day without a year is the last one before today."""
    import dateparser  # type: ignore[import-untyped]  # a fifth of a second, for the few questions that name a day

    settings = {
        "RELATIVE_BASE": datetime.combine(today, time()),
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "first",
        "PREFER_MONTH_OF_YEAR": "first",
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    cleaned = re.sub(r"\bof\s+", "", re.sub(r"^this\s+", "", words, flags=re.IGNORECASE))
    parsed = dateparser.parse(cleaned, languages=["en"], settings=settings)
    if parsed is None:
        return None
    first = parsed.date()
    if re.fullmatch(_YEAR, words):
        return date(first.year, 1, 1), date(first.year, 12, 31)
    if re.fullmatch(_MONTHS, words):
        first = first.replace(day=1)
        return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first, first


def _bounded(how: str, found: tuple[date, date]) -> tuple[date | None, date | None]:
    first, last = found
    if how in ("before",):
        return None, first - timedelta(days=1)
    if how in ("until", "till", "by", "up to", "as of"):
        return None, last
    if how == "after":
        return last + timedelta(days=1), None
    if how in ("since", "from"):
        return first, None
    return first, last
