"""What a file says about its day of publication -> `date`, or None; never a guess."""

from datetime import date, datetime
from email.utils import parsedate_to_datetime


def parse_published(value: object) -> date | None:
    """Return the day that metadata names, as written (no change of time zone).

    Args:
        value: An ISO date or date-time, an RFC 2822 date, or a `date`; anything else gives None.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value.strip()).date()
    except (ValueError, IndexError, TypeError, OverflowError):  # the ways in which email.utils refuses a date
        return None
