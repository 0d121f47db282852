from datetime import UTC, date, datetime

import pytest

from corpus.dates import parse_published


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2025-05-06", date(2025, 5, 6)),
        (" 2025-05-06T23:30:00-08:00 ", date(2025, 5, 6)),
        ("2025-05-06T10:00:00Z", date(2025, 5, 6)),
        ("2025-05-06 10:00", date(2025, 5, 6)),
        ("Tue, 06 May 2025 10:00:00 GMT", date(2025, 5, 6)),
        (date(2025, 5, 6), date(2025, 5, 6)),
        (datetime(2025, 5, 6, 23, tzinfo=UTC), date(2025, 5, 6)),
    ],
)
def test_parse_published_reads_what_is_stated(value, day):
    assert parse_published(value) == day


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "06/05/2025", "May 2025", "2025", "2025-13-45", 1746500000, None, ["2025-05-06"], "99999-01-01"],
)
def test_parse_published_never_guesses(value):
    assert parse_published(value) is None
