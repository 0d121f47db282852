"""Support checks that are compared: a claim and its passages -> how well they carry it; bigger is better.

To add one: write a function that makes a `Scorer`, and one entry in `SUPPORT_SYSTEMS`. It is made once for a set, and
asked from one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.sentences import split_sentences
from qa.words import split_words

Scorer = Callable[[str, Sequence[str]], float]
"""(claim, passages) -> score, bigger is better supported; without passages nothing is."""


@dataclass(frozen=True, slots=True)
class SupportSystem:
    """A support check by name.

    Args:
        make: Makes the scorer.
        version: Changes whenever its scores would; scores are kept by it.
        threshold: Score from which a claim counts as supported; None fits one on the other half of the claims.
    """

    make: Callable[[], Scorer]
    version: str
    threshold: float | None = None


def make_overlap() -> Scorer:
    """Return the share of the claim's words, without those that carry no topic, whose stems its passages hold."""

    def score(claim: str, passages: Sequence[str]) -> float:
        wanted = {word.stem for word in split_words(claim) if not word.is_stop}
        held = {word.stem for passage in passages for word in split_words(passage)}
        return len(wanted & held) / len(wanted) if wanted else 0.0

    return score


def make_cosine() -> Scorer:
    """Return the cosine of each sentence of the claim with the passages' most alike sentence, as a mean."""
    from index.embed_onnx import embedded_encoder

    encoder = embedded_encoder()

    def score(claim: str, passages: Sequence[str]) -> float:
        sentences = [span.slice(passage) for passage in passages for span in split_sentences(passage)]
        if not sentences:
            return 0.0
        claims = encoder.embed_passages([span.slice(claim) for span in split_sentences(claim)])
        return float(np.mean((claims @ encoder.embed_passages(sentences).T).max(axis=1)))

    return score


SUPPORT_SYSTEMS = {
    "word overlap": SupportSystem(make_overlap, "1"),
    "cosine of best sentence": SupportSystem(make_cosine, "1"),
}
