"""A stored citation compared with its article as it is now: valid, changed (with the difference), or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from corpus.sentences import split_sentences
from corpus.types import Article, Span
from qa.types import flat

_ALIKE = 0.5  # word overlap ratio: below it, no sentence of the article is the cited one, changed


class SourceState(StrEnum):
    """What has become of a cited sentence since it was cited."""

    VALID = "valid"
    CHANGED = "source changed"
    REMOVED = "source removed"


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """A stored citation compared with the article as it is now.

    Args:
        diff: Of a changed source, its words with `[-gone-]` and `{+new+}`; empty when no sentence is like it.
        now: Of a changed source, where that sentence stands in the article of now; None when no sentence is like it.
    """

    n: int
    state: SourceState
    diff: str = ""
    now: Span | None = None


def check_source(citation: Mapping[str, Any], article: Article | None) -> CheckedSource:
    """Compare a citation of the answer JSON with the article of now, None when it is gone."""
    n, quote = int(citation["n"]), str(citation["quote"])
    if article is None:
        return CheckedSource(n, SourceState.REMOVED)
    if article.text[int(citation["start"]) : int(citation["end"])] == quote:
        return CheckedSource(n, SourceState.VALID)
    now = nearest_sentence(quote, article.text)
    diff = " ".join(map(_marked, word_changes(quote, now.slice(article.text)))) if now else ""
    return CheckedSource(n, SourceState.CHANGED, diff, now)


def nearest_sentence(quote: str, text: str) -> Span | None:
    """Return the sentence of a text that shares most words with a quote; None when none is like it."""
    old = flat(quote).split()
    nearest, most = None, _ALIKE
    for span in split_sentences(text):
        ratio = SequenceMatcher(None, old, flat(span.slice(text)).split(), autojunk=False).ratio()
        if ratio >= most:
            nearest, most = span, ratio
    return nearest


def word_changes(old: str, new: str) -> list[tuple[str, str]]:
    """Return runs of words as (kind, words): `-` only in the old text, `+` only in the new one, `=` in both."""
    was, now = flat(old).split(), flat(new).split()
    parts = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("=", " ".join(was[i1:i2])))
            continue
        parts += [("-", " ".join(was[i1:i2]))] if i1 < i2 else []
        parts += [("+", " ".join(now[j1:j2]))] if j1 < j2 else []
    return parts


def _marked(change: tuple[str, str]) -> str:
    kind, words = change
    return {"-": f"[-{words}-]", "+": f"{{+{words}+}}"}.get(kind, words)
