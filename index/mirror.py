"""Making the library mirror folders: add what is there, remove what is gone, and touch nothing that is in doubt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from corpus.types import Article, LoadFailure
from index.ingest import add_articles
from index.library_write import drop_origins, origins_below
from index.open import OpenIndex
from index.types import AddProgress, AddReport


def mirror_articles(
    index: OpenIndex,
    loaded: Iterable[Article | LoadFailure],
    folders: Sequence[str],
    *,
    on_progress: Callable[[AddProgress], None] | None = None,
) -> AddReport:
    """Add articles as `add_articles` does, then remove those that came from below these folders and are gone.

    Gone is a file that is no longer there, and a row or an id that a file no longer holds though all of it was read.
    Whatever could not be read removes nothing: neither the articles of that file or folder, nor anything at all when
    the run is broken off. An article that was also loaded from elsewhere stays.

    Args:
        index: The library; other writers of this process wait until the run is over.
        loaded: All that is below the folders, and failures.
        folders: Absolute, as in `Article.origin`.
        on_progress: As in `add_articles`.
    """
    walk = _Walk()
    with index.writing():
        report = add_articles(index, walk.watch(loaded), on_progress=on_progress)
        stored = set().union(*(origins_below(index.library.file, folder) for folder in folders))
        gone = sorted(pair for pair in stored - walk.pairs if walk.misses(pair[0]))
        removed = drop_origins(index.library.file, gone) if gone else []
        if removed:
            index.catch_up()
    lost = set(removed)
    return replace(
        report,
        added=tuple(id_ for id_ in report.added if id_ not in lost),
        updated=tuple(id_ for id_ in report.updated if id_ not in lost),
        unchanged=tuple(id_ for id_ in report.unchanged if id_ not in lost),
        removed=(*report.removed, *removed),
    )


@dataclass(slots=True)
class _Walk:
    """What a load came across."""

    pairs: set[tuple[str, str]] = field(default_factory=set)  # origin and id of each article
    origins: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)  # files, folders, and rows as file:number

    def watch(self, loaded: Iterable[Article | LoadFailure]) -> Iterator[Article | LoadFailure]:
        """Pass everything on and remember where it came from."""
        for item in loaded:
            if isinstance(item, LoadFailure):
                self.failed.add(item.origin)
            else:
                self.pairs.add((item.origin, item.id))
                self.origins.add(item.origin)
            yield item

    def misses(self, origin: str) -> bool:
        """Say whether what once came from there is certainly gone."""
        if any(_concerns(failed, origin) for failed in self.failed):
            return False
        return origin in self.origins or _is_gone(origin)


def _concerns(failed: str, origin: str) -> bool:
    """Say whether a failure leaves open what is at an origin: it is its own, a row's of it, or a folder's above it."""
    return origin == failed or failed.startswith(origin + ":") or origin.startswith(failed.rstrip("/") + "/")


def _is_gone(path: str) -> bool:
    """Say whether nothing is at a path; a dangling link, or a path that cannot be looked at, is something."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
