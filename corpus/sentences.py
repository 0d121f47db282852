"""Text -> sentence spans: blocks, then lines, then sentences, every span computed while cutting."""

import re
from collections.abc import Iterator

from corpus.sentence_rules import sentence_ends
from corpus.types import Span

_HEADING = re.compile(r"\s*#{1,6}\s+\S")
_OWN_LINE = re.compile(r"\s*(?:#{1,6}\s|[-*+•‣▪◦–—·]\s|\(?\d{1,3}[.)]\s|\||>|```)")
_RULE = re.compile(r"\s*[-=*_~]{3,}\s*\Z")

MAX_WRAP_CHARS = 120  # hard-wrapped text is narrower than this; longer lines are paragraphs of their own
MAX_INDENT_CHARS = 40  # before a heading; more is no indent
MIN_WRAP_CHARS = 40  # narrower blocks are headings, bylines and lists rather than wrapped prose


def split_sentences(text: str) -> list[Span]:
    """Cut `text` into sentences.

    Hard-wrapped lines of one paragraph are read as one; headings, list items and short lines that no wrapping
    explains are units of their own.

    Returns:
        Spans into `text`, in order, without blanks at either end, never across a blank line or a heading; they
        cover every character that is not blank.
    """
    return [
        span for block in _blocks(text) for start, end in _units(text, block) for span in _cut(text[start:end], start)
    ]


def is_heading(line: str) -> bool:
    """Say whether `line` begins with a Markdown heading."""
    return _HEADING.match(line) is not None


def opens_heading(text: str, sentence: Span) -> bool:
    """Say whether a sentence is a heading: it looks like one, and nothing stands before it on its line."""
    before = text[max(0, sentence.start - MAX_INDENT_CHARS) : sentence.start].rstrip(" ")
    return is_heading(sentence.slice(text)) and (not before or before.endswith("\n"))


def _blocks(text: str) -> Iterator[list[Span]]:
    """Yield the lines of each run of lines that are not blank."""
    block: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if line and not line.isspace():
            block.append(Span(start, start + len(line)))
        elif block:
            yield block
            block = []
        start += len(line) + 1
    if block:
        yield block


def _units(text: str, block: list[Span]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a block that read as one: wrapped prose together, everything else line by line."""
    width = max(len(line) for line in block)
    start = block[0].start
    for line, following in zip(block, block[1:], strict=False):
        if not _reads_on(line.slice(text), following.slice(text), width):
            yield start, line.end
            start = following.start
    yield start, block[-1].end


def _reads_on(line: str, following: str, width: int) -> bool:
    """Say whether the line end between two lines is mere wrapping, in a block whose longest line has `width`."""
    if _OWN_LINE.match(following) or _RULE.match(following) or _HEADING.match(line) or _RULE.match(line):
        return False
    if width > MAX_WRAP_CHARS or line.lstrip().startswith("|"):
        return False
    first_word = following.split(None, 1)[0]
    if first_word[0].islower():
        return True
    # Wrapping breaks a line only where the next word no longer fits.
    return width >= MIN_WRAP_CHARS and len(line) + 1 + len(first_word) > width


def _cut(unit: str, offset: int) -> Iterator[Span]:
    begin = 0
    stops = [] if is_heading(unit) else sentence_ends(unit)
    for stop in [*stops, len(unit)]:
        piece = unit[begin:stop]
        lead = len(piece) - len(piece.lstrip())
        if lead < len(piece):
            yield Span(offset + begin + lead, offset + begin + len(piece.rstrip()))
        begin = stop
