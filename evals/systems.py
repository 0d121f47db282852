"""What can be evaluated: Byline, retrieval alone, the LlamaIndex starter, and anybody's own function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from corpus.errors import SettingsError
from corpus.types import Article
from evals.rankers import RANKERS, RankerSystem
from evals.types import Example, Reply
from qa.byline import Byline
from qa.make_embedder import make_embedder
from qa.settings import Settings

NAMED = ("byline", *RANKERS, "llamaindex")
_WEIGHT = "dense_weight"  # the one knob that is no setting of the product


class System(Protocol):
    """Anything that takes a question; `fingerprint` changes whenever its replies could."""

    name: str
    fingerprint: str
    reads: bool

    def reply(self, example: Example) -> Reply:
        """Reply to the question; raises `QAError` when it cannot."""


@dataclass(frozen=True, slots=True)
class Bench:
    """How a system is set up.

    Args:
        work: Folder for libraries and other indexes, which a second run finds again.
        settings: Of Byline; the encoder is used by every system.
        dense_weight: Of meaning against words in retrieval; as shipped when None.
        library: An existing library to ask, in place of one made of the articles.
        llm: `module:function` that gives a LlamaIndex LLM, for the starter.
    """

    work: Path
    settings: Settings = field(default_factory=Settings)
    dense_weight: float | None = None
    library: Path | None = None
    llm: str | None = None

    @property
    def facts(self) -> dict[str, object]:
        """Return what decides the replies, for the manifest."""
        names = ("k", "chunk_tokens", "encoder", "reader")
        facts: dict[str, object] = {name: getattr(self.settings, name) for name in names}
        return facts | {_WEIGHT: self.dense_weight, "llm": self.llm}


def make_bench(work: Path, knobs: Sequence[str] = (), *, library: Path | None = None, llm: str | None = None) -> Bench:
    """Return a bench with settings from the environment, changed by `name=value` knobs.

    Raises:
        SettingsError: If a knob is not `name=value`, or no setting has that name or takes that value.
    """
    values: dict[str, str] = {}
    for knob in knobs:
        name, sign, value = knob.partition("=")
        if not sign or not name or not value:
            raise SettingsError(f"{knob!r} is not name=value, such as k=20.")
        values[name] = value
    weight = values.pop(_WEIGHT, None)
    try:
        dense_weight = None if weight is None else float(weight)
    except ValueError as error:
        raise SettingsError(f"{_WEIGHT} must be a number from 0 to 1, not {weight!r}.") from error
    if dense_weight is not None and not 0 <= dense_weight <= 1:
        raise SettingsError(f"{_WEIGHT} must be a number from 0 to 1, not {weight!r}.")
    return Bench(work, Settings(**values), dense_weight, library, llm)


@contextmanager
def open_system(name: str, bench: Bench, set_name: str, articles: Sequence[Article]) -> Iterator[System]:
    """Open a system over these articles; what it embeds is kept in the bench's folder.

    Args:
        name: One of `NAMED`, or `module:function` (see `evals.system_callable`).
        bench: How it is set up.
        set_name: Names the library's folder.
        articles: What is asked about; already in the library when the bench names one.

    Raises:
        SettingsError: If there is no such system.
    """
    if ":" in name:
        from evals.system_callable import load_system

        yield load_system(name, articles)
    elif name == "llamaindex":
        from evals.baseline_llamaindex_chroma import open_starter

        yield open_starter(articles, make_embedder(bench.settings), bench.work / "llamaindex", bench.llm)
    elif name in NAMED:
        with _open_library(bench, set_name, articles) as byline:
            yield _over_library(name, byline)
    else:
        raise SettingsError(f"There is no system {name!r}. Known: {', '.join(NAMED)}, or module:function.")


@contextmanager
def _open_library(bench: Bench, set_name: str, articles: Sequence[Article]) -> Iterator[Byline]:
    from evals.system_byline import weighing

    folder = bench.library
    if folder is None:
        facts = [bench.settings.encoder, bench.settings.chunk_tokens, corpus_hash(articles)]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:10]
        folder = bench.work / "libraries" / f"{set_name}-{digest}"
    with weighing(bench.dense_weight), Byline(folder, bench.settings) as byline:
        if bench.library is None:
            byline.add_articles(articles)
        yield byline


def _over_library(name: str, byline: Byline) -> System:
    from evals.system_byline import BylineSystem

    return BylineSystem(byline) if name == "byline" else RankerSystem(name, byline.index)


def corpus_hash(articles: Sequence[Article]) -> str:
    """Return a hash that changes with any article; their order has no part."""
    versions: Mapping[str, str] = {article.id: article.version for article in articles}
    return hashlib.sha256(json.dumps(sorted(versions.items())).encode()).hexdigest()[:16]
