"""One (text, passage) pair as the reader's network takes it: word pieces, segments, marks, and places in the passage.

The text is a question, or a statement whose support is asked. The same code makes the input in training and at answer
time. A *mark* tells of a word piece what the lower-case vocabulary forgets (how its word is written) and what a small
network learns late (whether the other text holds the same word stem, and how rare that word is).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from corpus.types import Article
from qa.words import rarity, split_words

Ids = NDArray[np.int64]

MAX_TEXT_PIECES = 64  # a longer question is cut; three DEV questions in a thousand are
MAX_HEADER_PIECES = 40
MAX_PIECES = 384  # a passage of 200 tokens has about 250 word pieces; positions of the published weights go to 512
MATCHES = 4  # no other word like it; a function word; a common topic word; a rare one
WRITINGS = 5  # lower case, Capitalised, UPPER, digits, other
N_MARKS = MATCHES * WRITINGS
_RARE = 0.75  # the rarer half of the words of questions
_CLS, _SEP = 101, 102


@dataclass(frozen=True, slots=True)
class ReadingInput:
    """What the network takes, all of shape (pieces,), and where the passage's pieces stand in its text.

    Args:
        first: Place of the passage's first word piece.
        starts: Character offsets in the passage, shape (pieces of the passage,); `ends` likewise.
    """

    ids: Ids
    segments: Ids
    marks: Ids
    first: int
    starts: Ids
    ends: Ids

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text cut into word pieces, with the writing, stem and rarity of the word each belongs to."""

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    writings: tuple[int, ...]
    stems: tuple[str, ...]

    @property
    def stem_set(self) -> frozenset[str]:
        """Return the stems that occur."""
        return frozenset(self.stems)


def make_header(article: Article) -> str:
    """Return what is read before a passage: its article's title, outlet and date, as far as they are known."""
    facts = (article.title, article.source, article.published.isoformat() if article.published else None)
    return " | ".join(fact for fact in facts if fact)


def make_input(text: str, header: str, passage: str) -> ReadingInput:
    """Join a question or statement with a passage and its header (title, outlet, date; may be empty).

    The layout is `[CLS] text [SEP] header [SEP] passage [SEP]`; only pieces of the passage can be pointed at. What is
    longer than `MAX_PIECES` is cut at the passage's end.
    """
    asked, head, body = cut_pieces(text), cut_pieces(header), cut_pieces(passage)
    n_asked, n_head = min(len(asked.ids), MAX_TEXT_PIECES), min(len(head.ids), MAX_HEADER_PIECES)
    first = n_asked + n_head + 3
    n_body = min(len(body.ids), MAX_PIECES - first - 1)
    in_text, in_article = _matchable(asked, n_asked), head.stem_set | body.stem_set
    ids = [_CLS, *asked.ids[:n_asked], _SEP, *head.ids[:n_head], _SEP, *body.ids[:n_body], _SEP]
    marks = [0, *_marks(asked, n_asked, in_article), 0, *_marks(head, n_head, in_text), 0]
    marks += [*_marks(body, n_body, in_text), 0]
    segments = np.ones(len(ids), np.int64)
    segments[: n_asked + 2] = 0
    return ReadingInput(
        np.array(ids, np.int64),
        segments,
        np.array(marks, np.int64),
        first,
        np.array(body.starts[:n_body], np.int64),
        np.array(body.ends[:n_body], np.int64),
    )


@lru_cache(maxsize=4_096)
def cut_pieces(text: str) -> Pieces:
    """Cut a text into word pieces; kept, since the same passages are read for many questions."""
    # A lone surrogate, as a broken paste may hold, cannot be encoded: it becomes a question mark.
    encoded = _tokenizer().encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False)
    stems, writings = [""] * len(text), [WRITINGS - 1] * len(text)
    for word in split_words(text):
        size = word.end - word.start
        stems[word.start : word.end] = [word.stem] * size
        writings[word.start : word.end] = [_writing(word.text)] * size
    places = [min(start, len(text) - 1) for start, _ in encoded.offsets]
    return Pieces(
        tuple(encoded.ids),
        tuple(start for start, _ in encoded.offsets),
        tuple(end for _, end in encoded.offsets),
        tuple(writings[place] for place in places),
        tuple(stems[place] for place in places),
    )


def _matchable(pieces: Pieces, n: int) -> frozenset[str]:
    return frozenset(pieces.stems[:n])


def _marks(pieces: Pieces, n: int, others: frozenset[str]) -> Sequence[int]:
    pairs = zip(pieces.stems[:n], pieces.writings[:n], strict=True)
    return [(_match(stem) if stem and stem in others else 0) * WRITINGS + writing for stem, writing in pairs]


@lru_cache(maxsize=65_536)
def _match(stem: str) -> int:
    from qa.words import STOP_WORDS

    if stem in STOP_WORDS:
        return 1
    return 3 if rarity(stem) >= _RARE else 2


def _writing(word: str) -> int:
    if word[0].isdigit():
        return 3
    if len(word) > 1 and word.isupper():
        return 2
    return 1 if word[0].isupper() else 0


_LOCK = Lock()
_LOADED: list[Tokenizer] = []


def _tokenizer() -> Tokenizer:
    with _LOCK:
        if not _LOADED:
            source = resources.files("index") / "models" / "minilm-l6-int8" / "tokenizer.json"
            tokenizer = Tokenizer.from_str(source.read_text(encoding="utf-8"))
            tokenizer.no_padding()
            tokenizer.no_truncation()
            _LOADED.append(tokenizer)
        return _LOADED[0]
