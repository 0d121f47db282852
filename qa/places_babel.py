"""Names of countries and regions, from the Unicode tables that Babel carries: a country is an "it", never a "he"."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

# How news writes some of them, which the tables do not.
_ALSO = ("us", "u.s.", "usa", "uk", "u.k.", "eu", "u.s", "britain", "england", "scotland", "wales", "america", "congo")


@lru_cache(maxsize=1)
def place_names() -> frozenset[str]:
    """Return country and region names in lower case."""
    return frozenset([*(name.lower() for name in Locale("en").territories.values()), *_ALSO])
