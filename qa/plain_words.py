"""A model's sentence without what could lead a reader away: links, images, addresses and markup it made up."""

from __future__ import annotations

import re

_MOST_CHARS = 4_000  # no sentence is longer, and the patterns take time by the square of it
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)?")
_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)?")
_REFERENCE = re.compile(r"!?\[([^\]\n]*)\]\[[^\]\n]*\]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.{0,2000}?-->", re.DOTALL)
_ADDRESS = re.compile(r"<?\b(?:https?|ftp|file|data|javascript|mailto|vbscript):[^\s<>\"'\]]+>?|\bwww\.[^\s<>\"')\]]+",
                      re.IGNORECASE)  # fmt: skip


def plain_words(text: str, held: str = "") -> str:
    """Return the text without images, markup and addresses; a link keeps its words.

    Args:
        text: From a model.
        held: What the article says: an address that stands there stays.
    """
    text = text[:_MOST_CHARS]
    words, before = text, ""
    while words != before:  # what is taken out may have stood inside of another one
        before = words
        words = _IMAGE.sub("", words)
        words = _LINK.sub(r"\1", words)
        words = _REFERENCE.sub(r"\1", words)
        words = _TAG.sub("", words)
    words = _ADDRESS.sub(lambda match: match.group() if match.group().strip("<>") in held else "", words)
    return re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"\s+", " ", words)).strip()
