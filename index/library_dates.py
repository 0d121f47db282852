"""When the articles of a library were published: how many within a range of days, how many without a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from index.library_file import LibraryFile


@dataclass(frozen=True, slots=True)
class DateCounts:
    """How many articles are dated, dated within a range, and without a date."""

    dated: int
    within: int
    undated: int


def count_dates(file: LibraryFile, since: date | None = None, until: date | None = None) -> DateCounts:
    """Count the visible articles by their day; both ends of the range are within it, None leaves an end open."""
    query = """
        SELECT count(published),
               count(CASE WHEN published >= ? AND published <= ? THEN 1 END),
               count(*) - count(published)
        FROM versions JOIN articles ON articles.current = versions.key
    """
    ends = ((since or date.min).isoformat(), (until or date.max).isoformat())
    with file.reading() as connection:
        dated, within, undated = connection.execute(query, ends).fetchone()
    return DateCounts(dated, within, undated)
