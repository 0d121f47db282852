"""The sentences of several passages that together speak for a statement, as one text."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.sentences import split_sentences
from qa.words import rarity, split_words

MOST_CHARS = 900  # about 200 tokens, a passage of the product
_MOST_SENTENCES = 8
_AGAIN = 0.15  # worth of a topic word that a sentence taken before already holds


def gather_sentences(statement: str, passages: Sequence[str]) -> str:
    """Join the fewest sentences that hold most of the statement's topic words, in the order they stand in.

    Greedy set cover: each next sentence is the one that holds the most words not held yet, rare ones weighing more.

    Returns:
        One text of at most MOST_CHARS characters, or a single longer sentence; empty when the passages are.
    """
    wanted = {word.stem: rarity(word.text) for word in split_words(statement) if not word.is_stop}
    sentences = [span.slice(passage) for passage in passages for span in split_sentences(passage)]
    held = [wanted.keys() & {word.stem for word in split_words(sentence)} for sentence in sentences]
    left, waiting = set(wanted), set(range(len(sentences)))
    chosen: list[int] = []
    size = 0
    while waiting and len(chosen) < _MOST_SENTENCES:
        best = max(sorted(waiting), key=lambda i: sum(wanted[s] * (1.0 if s in left else _AGAIN) for s in held[i]))
        size += len(sentences[best]) + bool(chosen)
        if chosen and (size > MOST_CHARS or not held[best] & left):
            break
        chosen.append(best)
        waiting.remove(best)
        left -= held[best]
    return " ".join(sentences[i] for i in sorted(chosen))
