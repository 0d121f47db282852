"""Support checks that are compared: a claim and its passages -> how well they carry it; bigger is better.

To add one: write a function that makes a `Scorer`, and one entry in `support_systems`. It is made once for a set, and
asked from one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpus.sentences import split_sentences
from qa.words import split_words

if TYPE_CHECKING:
    from qa.support import SupportChecker

WINDOW_CHARS = 900  # about 200 tokens, a passage of the product
WINDOWS_READ = 6  # of those nearest by words; an article of wice has some thirty windows, a third of a second to read
_LEAST = 0.01  # weight of a sentence without topic words: claims of nothing else still need a mean

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


def support_systems() -> dict[str, SupportSystem]:
    """Return the checks by name; the others are compared to the first."""
    from qa.network_onnx import ReaderNetwork

    return {
        "word overlap": SupportSystem(make_overlap, "1"),
        "cosine of best sentence": SupportSystem(make_cosine, "1"),
        "support head": SupportSystem(make_support_head, ReaderNetwork().fingerprint),
        "support check": SupportSystem(make_support_check, f"2 {ReaderNetwork().fingerprint}"),
    }


def make_overlap() -> Scorer:
    """Return the share of the claim's words, without those that carry no topic, whose stems its passages hold."""
    from qa.support import share_held

    def score(claim: str, passages: Sequence[str]) -> float:
        return share_held(claim, "\n".join(passages))

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


def make_support_head() -> Scorer:
    """Return the mean, over the claim's sentences, of the best chance that a window of a passage supports it.

    A window is as long as a passage of the product; only those that share most words with the sentence are read.
    """
    from qa.support import Evidence, share_held

    checker = _checker()

    def judge(sentence: str, windows: Sequence[str]) -> float:
        nearest = sorted(windows, key=lambda window: -share_held(sentence, window))[:WINDOWS_READ]
        return max(checker.chances(sentence, [Evidence(window, window) for window in nearest]))

    return _over_sentences(judge, lambda sentence: 1.0)


def make_support_check() -> Scorer:
    """Return the product's check of each sentence, as a mean in which a sentence weighs by its topic words.

    "You are welcome!" states hardly anything, so it says hardly anything about the answer.
    """
    from qa.support import Evidence

    checker = _checker()

    def judge(sentence: str, windows: Sequence[str]) -> float:
        return checker.likelihood(sentence, [Evidence(window, window) for window in windows])

    return _over_sentences(judge, _n_topic_words)


def _checker() -> SupportChecker:
    from qa.network_onnx import ReaderNetwork
    from qa.support import SupportChecker

    return SupportChecker(ReaderNetwork(), supported_from=0.5, weak_from=0.5)  # chances alone are asked for


def _over_sentences(judge: Callable[[str, Sequence[str]], float], weigh: Callable[[str], float]) -> Scorer:
    def score(claim: str, passages: Sequence[str]) -> float:
        windows = [window for passage in passages for window in _windows(passage)]
        if not windows:
            return 0.0
        sentences = [span.slice(claim) for span in split_sentences(claim)]
        weights = [weigh(sentence) for sentence in sentences]
        return float(np.average([judge(sentence, windows) for sentence in sentences], weights=weights))

    return score


def _n_topic_words(sentence: str) -> float:
    return len({word.stem for word in split_words(sentence) if not word.is_stop}) or _LEAST


def _windows(passage: str) -> list[str]:
    """Cut a passage of any length into runs of whole sentences of about WINDOW_CHARS characters."""
    windows, start = [], 0
    spans = split_sentences(passage)
    for place, span in enumerate(spans):
        last = place == len(spans) - 1
        if last or spans[place + 1].end - spans[start].start > WINDOW_CHARS:
            windows.append(passage[spans[start].start : span.end])
            start = place + 1
    return windows
