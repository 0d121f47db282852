"""Near-duplicates in a ranking: what an article of the same story already said is folded into its hit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from corpus.types import Article, Passage
from index.shingles_rensa import NEAR_DUPLICATE, shingles_of, words_of

Ranked = tuple[Passage, Article, float]
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Folded:
    """A ranked passage, and what was left out because of it.

    Args:
        ranked: Passage, its article and its score.
        story: What the article shares with its near-duplicates, see `Library.stories`.
        copies: Ids of near-duplicates with a passage that says the same and was ranked lower, in order.
    """

    ranked: Ranked
    story: str
    copies: tuple[str, ...] = ()


@dataclass(slots=True)
class _Kept:
    """An article that has a hit: what it says, and who said the same."""

    text: str
    copies: dict[str, None] = field(default_factory=dict)


def fold(ranked: Iterable[Ranked], stories: Mapping[str, str], k: int) -> list[Folded]:
    """Return the first k passages that are not told already by a near-duplicate ranked above them.

    A passage is told when four fifths of its five-word runs, and every number beside its neighbours, are in the
    other article. What only one version of a story says is thus never left out, least of all a corrected figure.
    Copies are named at the first hit of the article that they are copies of, if they are met before the k-th hit.

    Args:
        ranked: Best first.
        stories: Article id -> story, see `Library.stories`.
        k: How many; nothing is read beyond the k-th.
    """
    shared = {story for article_id, story in stories.items() if story != article_id}
    kept: dict[str, dict[str, _Kept]] = {}  # story -> article id -> what was kept of it
    order: list[tuple[Ranked, str]] = []
    for one in _until(ranked, order, k):
        passage, article, _ = one
        story = stories.get(article.id, article.id)
        if story not in shared:
            order.append((one, story))
            continue
        members = kept.setdefault(story, {})
        others = [other for id_, other in members.items() if id_ != article.id]
        teller = next((other for other in others if _tells(other.text, passage.text)), None)
        if teller is not None:
            teller.copies[article.id] = None
        else:
            members.setdefault(article.id, _Kept(article.text))
            order.append((one, story))
    named: set[str] = set()
    folded = []
    for one, story in order:
        article_id = one[1].id
        copies = tuple(kept[story][article_id].copies) if story in kept and article_id not in named else ()
        named.add(article_id)
        folded.append(Folded(one, story, copies))
    return folded


def _until(ranked: Iterable[Ranked], order: list[tuple[Ranked, str]], k: int) -> Iterator[Ranked]:
    """Yield what is ranked until k are in the order."""
    if k > 0:
        for one in ranked:
            yield one
            if len(order) == k:
                return


def _tells(text: str, passage_text: str) -> bool:
    """Say whether an article's text says what the passage says."""
    if not _figures(passage_text) <= _figures(text):
        return False
    said = shingles_of(passage_text)
    if len(said) == 1:  # as short as one run: of a shorter one than that a longer text has no such run
        (run,) = said
        return any(f" {run} " in f" {longer} " for longer in shingles_of(text))
    return len(said & shingles_of(text)) >= NEAR_DUPLICATE * len(said)


def _figures(text: str) -> set[tuple[str, str]]:
    """Return the neighbouring words of which one holds a digit."""
    return {pair for pair in pairwise(words_of(text)) if _DIGIT.search(pair[0]) or _DIGIT.search(pair[1])}
