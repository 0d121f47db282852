"""JSON Lines, plain or gzipped -> one `Draft` a row; the file is streamed and never held whole."""

import gzip
import json
import zlib
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from corpus.dates import parse_published
from corpus.draft import Draft
from corpus.errors import ArticleFormatError

MAX_ROW_BYTES = 20_000_000  # the longest article is a book; a longer row is a file that is no JSON Lines
MAX_BAD_ROWS = 100  # in a row; after so many the file is not what its name says
MAX_INFLATION = 100  # JSON of prose packs 3- to 10-fold; only a gzip bomb goes beyond
FREE_BYTES = 10_000_000  # what any gzip file may inflate to


def load_jsonl(path: Path) -> Iterator[tuple[int, Draft | ArticleFormatError]]:
    """Read rows `{text, id?, title?, url?, source?, published?, author?, language?}`, one JSON object a line.

    Yields:
        The line number, from 1, and the draft or what is wrong with that row. Blank lines are passed over.

    Raises:
        ArticleFormatError: If the rest of the file cannot be read.
        OSError: If the file cannot be opened.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if packed:
            limit = FREE_BYTES + MAX_INFLATION * path.stat().st_size
            with gzip.open(raw) as unpacked, BufferedReader(cast(RawIOBase, unpacked)) as stream:  # 10 times faster
                yield from _rows(stream, limit)
        else:
            yield from _rows(raw, None)


def _rows(stream: BinaryIO, limit: int | None) -> Iterator[tuple[int, Draft | ArticleFormatError]]:
    read = number = bad = 0
    while line := _next_line(stream):
        number += 1
        read += len(line)
        if limit is not None and read > limit:
            raise ArticleFormatError(
                "It unpacks to far more than its size allows for; unpack it yourself and check it."
            )
        if len(line) > MAX_ROW_BYTES:
            raise ArticleFormatError(f"Line {number} is longer than {MAX_ROW_BYTES:,} bytes; write one article a line.")
        if not line.strip():
            continue
        row = _row(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
        yield number, row
        bad = bad + 1 if isinstance(row, ArticleFormatError) else 0
        if bad >= MAX_BAD_ROWS:
            raise ArticleFormatError(
                f"The rest is skipped after {bad} bad lines in a row; write one JSON object a line."
            )


def _next_line(stream: BinaryIO) -> bytes:
    try:
        return stream.readline(MAX_ROW_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArticleFormatError("The gzip data is damaged; what came before is kept, make the file anew.") from error


def _row(line: bytes) -> Draft | ArticleFormatError:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # ValueError covers bad JSON and bad UTF-8
        return ArticleFormatError("The line is not valid JSON in UTF-8; write one JSON object a line.")
    if not isinstance(row, dict):
        return ArticleFormatError("The line is no JSON object; write one with at least a text.")
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        return ArticleFormatError("The row has no text; give it a string under 'text'.")
    given = row.get("id")
    if isinstance(given, bool) or not isinstance(given, str | int | None):
        return ArticleFormatError("The row's id is neither text nor a whole number; give one or leave it out.")
    return Draft(
        text=text,
        id=None if given is None else str(given),
        title=_text(row.get("title")),
        source=_text(row.get("source")) or _text(row.get("outlet")),
        url=_text(row.get("url")),
        published=parse_published(row.get("published")),
        author=_text(row.get("author")),
        language=_text(row.get("language")),
    )


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str)) or None
    return value if isinstance(value, str) else None
