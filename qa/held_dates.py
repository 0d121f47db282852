"""Dates of a statement that a text lacks: day, month and year are compared together, not word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from corpus.types import Span
from qa.mentions import Kind, find_mentions
from qa.values import Day, parse_value

_ISO = re.compile(r"(?<!\d)(\d{4})(-\d\d-\d\d)(?!\d)")
_DAY_NUMBER = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)?\b")


def missing_dates(statement: str, held: str) -> list[str]:
    """Return the dates with a month that the held text does not give, as the statement writes them.

    "5 March" is not held by "on 6 March five people", nor "March 2024" by "in March 2023". A part that one side does
    not say makes no difference. Years alone are figures; relative dates and days of the week are not compared here.
    """
    theirs = [*parse_value(held).dates, *map(_day_of, published_dates(held))]
    missing = []
    for span in _dated(statement):
        text = span.slice(statement)
        if not all(_is_held(day, theirs) for day in parse_value(text).dates):
            missing.append(text)
    return missing


def published_dates(text: str) -> list[str]:
    """Return the days written as 2025-05-06, as headers have them."""
    found = []
    for match in _ISO.finditer(text):
        try:
            date.fromisoformat(match.group())
        except ValueError:  # a number that only looks like one
            continue
        found.append(match.group())
    return found


def without_days(text: str) -> str:
    """Return the text with blanks for the days of its dates, which count nothing; years stay."""
    for span in _dated(text):
        bare = _DAY_NUMBER.sub(lambda day: " " * len(day.group()), span.slice(text))
        text = text[: span.start] + bare + text[span.end :]
    return _ISO.sub(lambda day: day[1] + " " * len(day[2]), text)


def _dated(text: str) -> list[Span]:
    """Return where dates that name a month stand."""
    spans = [mention.span for mention in find_mentions(text) if mention.kind is Kind.DATE]
    return [span for span in spans if any(day.month for day in parse_value(span.slice(text)).dates)]


def _is_held(day: Day, theirs: Sequence[Day]) -> bool:
    return any(
        other.month == day.month
        and (day.day is None or other.day == day.day)
        and (day.year is None or other.year is None or other.year == day.year)
        for other in theirs
    )


def _day_of(iso: str) -> Day:
    day = date.fromisoformat(iso)
    return Day(day.year, day.month, day.day)
