"""Bytes of unknown encoding -> text; binary files are refused."""

import codecs
import re

from corpus.errors import ArticleFormatError

_BOMS = (  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database"),
)
_CHARSET_NAME = re.compile(r"(?:utf|iso|latin|windows|cp|koi8|mac|shift|sjis|euc|gb|big5|us-ascii|ascii)[\w-]*")
_MEANT_AS_CP1252 = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii"})  # as browsers do
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")

_SAMPLE_BYTES = 200_000  # enough to recognise an encoding; detection takes time in proportion
_MAX_CONTROL_SHARE = 0.05  # text with stray control characters has far fewer, random bytes have 0.11
_MIN_UTF16_NULS = 0.3  # western text in UTF-16 has a NUL in every second byte
_FEW_ACCENTS = 0.02  # English with curly quotes stays below; languages that need another code page are above
_COHERENCE_TIE = 0.03  # charset-normalizer's language score of two western code pages differs by less on short texts
_WESTERN = frozenset(
    "‘’“”‚„«»‹›–—…•·€£¥§©®™°½¼¾\u00a0\u00ad¡¿àâäáãåæçèéêëìíîïñòóôõöøœùúûüßÿÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜŸšžŠŽ"
)


def decode_text(data: bytes, *, declared: str | None = None) -> str:
    """Decode bytes by byte order mark, as declared, as UTF-8, or by what the bytes look like.

    Args:
        data: A whole file.
        declared: What a header or the page itself says; ignored when it is unknown or wrong.

    Raises:
        ArticleFormatError: If the bytes are no text, or of no encoding that can be told.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise ArticleFormatError(f"It is {kind}, not text; convert it to .txt, .md, .html or .pdf first.")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace").removeprefix("\ufeff")
    if utf16 := _bare_utf16(data):
        return data.decode(utf16, "replace")
    if len(_CONTROLS.findall(data[:_SAMPLE_BYTES])) > _MAX_CONTROL_SHARE * len(data[:_SAMPLE_BYTES]):
        raise ArticleFormatError("It holds binary data, not text; convert it to .txt, .md, .html or .pdf first.")
    for encoding in (_trusted(declared), "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return _detect(data)


def _trusted(declared: str | None) -> str:
    """Return the codec for a declared name; only names of character sets count, not Python's other codecs."""
    name = (declared or "").strip().lower()
    if not _CHARSET_NAME.fullmatch(name):
        return "utf-8"
    if name in _MEANT_AS_CP1252:
        return "cp1252"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _bare_utf16(data: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by the NULs of its ASCII characters."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 10 > max(even, odd) or max(even, odd) < _MIN_UTF16_NULS * len(sample):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _detect(data: bytes) -> str:
    """Decode bytes that are not valid UTF-8."""
    repaired = data.decode("utf-8", "replace")
    accents = sum(char > "\x7f" for char in repaired)
    if accents > 2 * repaired.count("\ufffd"):  # more valid UTF-8 than damage: damaged UTF-8
        return repaired
    western = data.decode("cp1252", "replace")
    foreign = {char for char in western if char > "\x7f"} - _WESTERN
    if not foreign and accents <= _FEW_ACCENTS * len(data):
        return western

    from charset_normalizer import from_bytes  # takes a tenth of a second to import, and few files need it

    matches = from_bytes(data[:_SAMPLE_BYTES])
    best = matches.best()
    if best is None:
        raise ArticleFormatError("Its encoding cannot be told; save it as UTF-8.")
    ties = [match for match in matches if match.coherence >= best.coherence - _COHERENCE_TIE]
    if not foreign and any(match.encoding == "cp1252" for match in ties):
        return western
    return data.decode(best.encoding, "replace")
