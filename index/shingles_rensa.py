"""How alike two texts are: sets of five-word runs, their Jaccard similarity, and MinHash bands to find likely pairs by.

Two articles whose similarity is `s` share at least one of 20 bands of 6 hashes with probability 1 - (1 - s^6)^20:
0.998 at 0.8 and 0.9999 at 0.85, but 0.01 at 0.3, so that hardly anything is compared in vain.
"""

from __future__ import annotations

import hashlib
import re
import struct

from rensa import RMinHash  # type: ignore[import-untyped]

SHINGLE_WORDS = 5  # long enough that texts about one event do not share runs unless one was copied from the other
NEAR_DUPLICATE = 0.8  # Jaccard similarity from which on two articles tell one story (DESIGN 2.2)
BANDS = 20
_ROWS = 6
_SEED = 1
METHOD = f"{SHINGLE_WORDS} words, {BANDS} x {_ROWS}, rensa {RMinHash.ALGORITHM_VERSION}"  # another one: bands anew
# Letters of scripts without spaces count as words: Japanese and Chinese.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")

Shingles = frozenset[str]


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, without case and punctuation."""
    return _WORD.findall(text.casefold())


def shingles_of(text: str) -> Shingles:
    """Return the runs of five words of a text, without case and punctuation; of a shorter text its words as one run."""
    words = words_of(text)
    if len(words) <= SHINGLE_WORDS:
        return frozenset([" ".join(words)] if words else [])
    return frozenset(" ".join(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1))


def jaccard(one: Shingles, other: Shingles) -> float:
    """Return the shared part of the union, 0 to 1; 0 when both are empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def band_hashes(shingles: Shingles) -> list[int]:
    """Return one signed 64-bit number a band; likely near-duplicates share at least one. None for an empty set."""
    if not shingles:
        return []
    minhash = RMinHash(num_perm=BANDS * _ROWS, seed=_SEED)
    minhash.update(shingles)
    digest = minhash.digest()
    return [_hash(band, digest[band * _ROWS : (band + 1) * _ROWS]) for band in range(BANDS)]


def _hash(band: int, rows: list[int]) -> int:
    packed = struct.pack(f"<B{_ROWS}I", band, *rows)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little", signed=True)
