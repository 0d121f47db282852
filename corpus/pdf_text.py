"""Lines of printed pages -> flowing text: running heads dropped, words and paragraphs joined."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_PRESENTATION = re.compile(
    "[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdff\ufe70-\ufefc]+"
)  # ligatures and Arabic print forms
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?\W*", re.IGNORECASE)
_STOPPED = re.compile(r"[.!?:…。][\"'”’»)\]]*\Z")
_BROKEN_CJK = re.compile(
    "[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]"
)  # written without blanks; Korean is not
_BROKEN_WORD = re.compile(r"(?P<start>[^\W\d_]{2,})[-\u00ad\u2010]\Z")
_BULLET = re.compile(r"(?:[•▪◦‣·–—*-]|\(?\d{1,2}[.)])\s")
_WORD = re.compile(r"(?P<start>[^\W\d_]{2,})(?:[-\u2010]|\u00ad)\Z")
_CJK = re.compile("[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60]")  # written without blanks; Korean is not
_BROKEN_WORD = re.compile(r"(?P<start>[^\W\d_]{2,})[-\u00ad\u2010]\Z")
_BULLET = re.compile(r"(?:[•▪◦‣·–—*-]|\(?\d{1,2}[.)])\s")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")

MIN_PAGES_FOR_HEADS = 3  # on fewer pages a repeated line is no proof of a running head
HEAD_SHARE = 0.5  # left and right pages may carry different heads
SHORT_LINE_SHARE = 0.75  # of the usual line length; a line this short was not broken for lack of room


def flow_text(pages: Sequence[str]) -> str:
    """Join the pages' lines into paragraphs with a blank line between them.

    Args:
        pages: Text of each page, one printed line a line.
    """
    lines_by_page = [_clean_lines(page) for page in pages]
    heads = _running_heads(lines_by_page)
    lines = [line for page in lines_by_page for line in _without_heads(page, heads)]
    full = sorted(len(line) for line in lines if line)
    width = full[int(0.8 * len(full))] if full else 0  # most lines of prose are full; the longest are tables
    known = Counter(word.lower() for line in lines for word in _WORD.findall(line))
    pieces: list[str] = []
    previous = ""
    for line in lines:
        if previous and line and _goes_on(previous, line, width):
            stem, glue = _joint(previous, line, known)
            pieces[-1] = pieces[-1].removesuffix(previous) + stem
            pieces.append(glue + line)
        elif line:
            pieces.append("\n\n" + line)
        previous = line
    return "".join(pieces).strip()


def _clean_lines(page: str) -> list[str]:
    page = _PRESENTATION.sub(lambda m: unicodedata.normalize("NFKC", m[0]), page)
    return [" ".join(line.split()) for line in page.strip().split("\n")]


def _running_heads(pages: Sequence[Sequence[str]]) -> set[str]:
    """Return what stands first or last on many pages, numbers aside."""
    if len(pages) < MIN_PAGES_FOR_HEADS:
        return set()
    edges = Counter(head for page in pages for head in {_numberless(page[0]), _numberless(page[-1])})
    return {head for head, n_pages in edges.items() if head and n_pages > HEAD_SHARE * len(pages)}


def _without_heads(page: Sequence[str], heads: set[str]) -> list[str]:
    first, last = 0, len(page)
    while first < last and (_numberless(page[first]) in heads or _PAGE_NUMBER.fullmatch(page[first])):
        first += 1
    while last > first and (_numberless(page[last - 1]) in heads or _PAGE_NUMBER.fullmatch(page[last - 1])):
        last -= 1
    return list(page[first:last])


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _goes_on(previous: str, line: str, width: int) -> bool:
    """Say whether `line` continues the paragraph in which `previous` is the line before."""
    if _BULLET.match(line):
        return False
    if len(previous) >= SHORT_LINE_SHARE * width:
        return True
    return not _STOPPED.search(previous) and line[0].islower()


def _joint(previous: str, line: str, known: Counter[str]) -> tuple[str, str]:
    """Return the end of `previous` as it is to stand before `line`, and what comes between them.

    A word broken at the line end is mended, unless it is written with its hyphen elsewhere.
    """
    broken = _BROKEN_WORD.search(previous)
    rest = _WORD.match(line)
    if not broken or not rest or not line[0].islower():
        return previous, "" if _CJK.match(previous[-1]) and _CJK.match(line) else " "
    stem = previous[: broken.end("start")]
    return stem, "-" if known[f"{broken['start']}-{rest[0]}".lower()] else ""
