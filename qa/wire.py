"""Values of this project as JSON that gives them back whole, for two Byline processes to speak with each other.

Unlike `to_dict`, which is a contract with other programs, this is every field as it is: both ends are one version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from corpus.errors import QAError
from corpus.types import Article, LoadFailure
from index.types import Filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question or query as one process hands it to another.

    Args:
        options: What else the library's method takes, e.g. `k` or `rerank`; plain values only.
        as_of: The day to answer as of, for a method that takes one.
    """

    text: str
    filters: Filters
    options: dict[str, Any]
    as_of: date | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the library's method."""
        by_day = {"as_of": self.as_of} if self.as_of is not None else {}
        return {"filters": self.filters, **self.options, **by_day}


@dataclass(frozen=True, slots=True)
class Ids:
    """Articles meant by their ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of an article; the current one when None."""

    id: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Hello:
    """Who answers: process, version, and the settings it was started with (secrets masked)."""

    pid: int
    version: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Articles as they were loaded, and what could not be, apart: JSON must not have to tell them from each other."""

    articles: tuple[Article, ...]
    failures: tuple[LoadFailure, ...] = ()


def pack(kind: Any, value: object) -> bytes:  # noqa: ANN401  # a type such as `list[Hit]` has no type of its own
    """Return a value of the type `kind` as JSON."""
    return _adapter(kind).dump_json(value)


def unpack(kind: Any, data: bytes) -> Any:  # noqa: ANN401
    """Return what `pack` made JSON of.

    Raises:
        QAError: If it is not such a value, as when the two processes are of different versions.
    """
    try:
        return _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise QAError(f"The other Byline speaks of {kind!r} in another way. Restart it with this version.") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    return TypeAdapter(kind)
