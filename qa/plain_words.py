"""A model's sentence without what could lead a reader away: links, images, addresses and markup it made up."""

from __future__ import annotations

import re

_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,2000}\)?")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\([^)\n]{0,2000}\)?")
_REFERENCE = re.compile(r"!?\[([^\]\n]{1,300})\]\[[^\]\n]{0,100}\]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--.{0,2000}?-->", re.DOTALL)
_ADDRESS = re.compile(r"<?\b(?:https?|ftp|file|data|javascript|mailto|vbscript):[^\s<>\"'\]]+>?|\bwww\.[^\s<>\"')\]]+",
                      re.IGNORECASE)  # fmt: skip


def plain_words(text: str, held: str = "") -> str:
    """Return the text without images, markup and addresses; a link keeps its words.

    Args:
        text: From a model.
        held: What the article says: an address that stands there stays.
    """
    words = _IMAGE.sub("", text)
    words = _LINK.sub(r"\1", words)
    words = _REFERENCE.sub(r"\1", words)
    words = _TAG.sub("", words)
    words = _ADDRESS.sub(lambda match: match.group() if match.group().strip("<>") in held else "", words)
    return re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"\s+", " ", words)).strip()
