"""Count and cut text by tokens (`o200k_base`), without the network."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import tiktoken

from corpus.errors import MissingExtraError

ENCODING = "o200k_base"

# tiktoken keeps an encoding under the SHA-1 of its address; this is the one of o200k_base. Both hashes are
# checked here because tiktoken deletes a file that fails its check and fetches a new one from the network.
_CACHE_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

# tiktoken 0.14 dies with a PanicException on a million spaces, and older ones take quadratic time on text
# without spaces. No passage comes near this many characters, so ordinary counts are exact.
_WINDOW_CHARS = 20_000

_CHARS_PER_TOKEN = 16  # ordinary text has 2-6; a longer window would be tokenised again and again in vain
_MAX_CLUSTER = 16  # characters; the longest emoji sequence in use has ten
_ATTACHED = frozenset({"Mn", "Mc", "Me", "Cf", "Sk"})  # accents, joiners, skin tones

_loading = Lock()


def count_tokens(text: str) -> int:
    """Return how many tokens `text` has; names of special tokens count as ordinary text.

    Texts over 20,000 characters are counted in windows, which can differ by a token or two per window.
    """
    return sum(len(_encoding().encode_ordinary(text[start:end])) for start, end in _windows(text))


def cut_by_tokens(text: str, max_tokens: int) -> list[int]:
    """Return where to cut `text` so that each piece has at most `max_tokens` tokens, at blanks where there are some.

    Args:
        text: Of any length; the time taken grows with it in proportion.
        max_tokens: At least 16, so that any character with its accents fits.

    Returns:
        Strictly increasing offsets inside the text; empty when it fits whole.
    """
    cuts: list[int] = []
    start = 0
    while start < len(text):
        start += _fitting_prefix(text[start : start + max_tokens * _CHARS_PER_TOKEN], max_tokens)
        cuts.append(start)
    return cuts[:-1]


def _fitting_prefix(window: str, max_tokens: int) -> int:
    """Return the length of a prefix, at least 1, that has at most `max_tokens` tokens and breaks no word needlessly."""
    encoding = _encoding()
    tokens = encoding.encode_ordinary(window)
    if len(tokens) <= max_tokens:
        return len(window)
    # A token may end inside a character: what is left of that character goes to the next piece.
    length = len(encoding.decode_bytes(tokens[:max_tokens]).decode("utf-8", "ignore"))
    blank = window.rfind(" ", length // 2, length) + 1
    length = max(1, blank or _cluster_start(window, length))
    # A prefix may tokenise differently from the same characters inside the text: shrink until it fits.
    while length > 1 and len(encoding.encode_ordinary(window[:length])) > max_tokens:
        length = length * 9 // 10
    return length


def _cluster_start(text: str, offset: int) -> int:
    """Move `offset` back so that it separates no accent, joiner or emoji modifier from what it belongs to."""
    for start in range(offset, max(0, offset - _MAX_CLUSTER), -1):
        after, before = text[start : start + 1], text[start - 1]
        if not (unicodedata.category(after or " ") in _ATTACHED or before == "\u200d"):
            return start
    return offset


def _windows(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while len(text) - start > _WINDOW_CHARS:
        space = text.rfind(" ", start + _WINDOW_CHARS // 2, start + _WINDOW_CHARS)
        end = space if space > 0 else start + _WINDOW_CHARS
        yield start, end
        start = end
    yield start, len(text)


@cache
def _load() -> tiktoken.Encoding:
    folder = _shipped_folder()
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        return tiktoken.get_encoding(ENCODING)
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


def _encoding() -> tiktoken.Encoding:
    with _loading:  # two threads must not see each other's environment while loading
        return _load()


def _shipped_folder() -> Path:
    """Find llama-index-core's copy of the encoding; `llama_index` is a namespace, so nothing of it is imported."""
    spec = find_spec("llama_index")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "core" / "_static" / "tiktoken_cache"
        file = folder / _CACHE_NAME
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == _SHA256:
            return folder
    raise MissingExtraError(
        f"The token table {ENCODING!r} is missing or damaged. "
        "Mend it with: pip install --force-reinstall llama-index-core"
    )
