"""Two names that a statement has the other way round than its text: who sued whom. The network hardly sees that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from corpus.sentences import split_sentences
from corpus.types import Span
from qa.mentions import Kind, find_mentions
from qa.words import split_words

_NAMES = frozenset({Kind.NAME, Kind.PERSON, Kind.PLACE})
_JOINED = re.compile(r"\s*(?:,|and|or|&)\s*(?:the\s+)?", re.IGNORECASE)


def turned_round(statement: str, held: str) -> tuple[str, str] | None:
    """Return two names whose exchange makes the statement what a sentence of the text says, word after word.

    Only a statement that keeps the sentence's own words in their order is told from it, and neither one that turns
    the sentence into the passive nor a list of names in another order is taken for false.
    """
    names = [mention.span for mention in find_mentions(statement) if mention.kind in _NAMES]
    if len(names) < 2:
        return None
    sentences = [span.slice(held) for span in split_sentences(held)]
    stems = [_stems(sentence) for sentence in sentences]
    own = _stems(statement)
    if any(_is_within(own, sentence) for sentence in stems):
        return None
    says_by = _says_by(statement)
    for first, second in combinations(names, 2):
        if _JOINED.fullmatch(statement[first.end : second.start]):
            continue
        other = _stems(_exchanged(statement, first, second))
        if other != own and any(
            _is_within(other, each) and _says_by(sentence) == says_by
            for sentence, each in zip(sentences, stems, strict=True)
        ):
            return first.slice(statement), second.slice(statement)
    return None


def _exchanged(text: str, first: Span, second: Span) -> str:
    between = text[first.end : second.start]
    return text[: first.start] + second.slice(text) + between + first.slice(text) + text[second.end :]


def _stems(text: str) -> list[str]:
    return [word.stem for word in split_words(text) if not word.is_stop]


def _is_within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Say whether the stems of `part` stand in `whole` in this order, with others between them or not."""
    rest = iter(whole)
    return all(stem in rest for stem in part)


def _says_by(text: str) -> bool:
    return any(word.text.lower() == "by" for word in split_words(text))
