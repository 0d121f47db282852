"""An over-long sentence -> parts that fit a passage: at clause marks, then at words, then at tokens."""

import re

from corpus.tokens_tiktoken import count_tokens, cut_by_tokens
from corpus.types import Span

_CLAUSE_END = re.compile(r"[;:,–—][\"'”’»)\]]*\s+|\n|\s[|•·]\s|[、，；：]")
_SHARE = 4  # parts are at most a quarter of a passage where clauses allow, so that passages can come out even
_MARGIN = 4  # tokens; without the blanks at its edges a piece may be tokenised a little differently


def split_long(text: str, sentence: Span, max_tokens: int) -> list[Span]:
    """Split a sentence into parts of at most `max_tokens` tokens.

    Returns:
        One span or more, in order, together covering every character of the sentence that is not blank.
    """
    parts: list[Span] = []
    start, filled = sentence.start, 0
    for clause in _clauses(text, sentence):
        tokens = count_tokens(clause.slice(text))
        if filled and filled + tokens > max_tokens // _SHARE:
            parts += _trimmed(text, start, clause.start)
            start, filled = clause.start, 0
        if tokens > max_tokens:
            cuts = [clause.start + cut for cut in cut_by_tokens(clause.slice(text), max_tokens - _MARGIN)]
            for cut in cuts:
                parts += _trimmed(text, start, cut)
                start = cut
        filled += tokens
    return parts + _trimmed(text, start, sentence.end)


def _clauses(text: str, sentence: Span) -> list[Span]:
    ends = [match.end() for match in _CLAUSE_END.finditer(text, sentence.start, sentence.end)]
    edges = sorted({sentence.start, *ends, sentence.end})
    return [Span(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    piece = text[start:end]
    lead = len(piece) - len(piece.lstrip())
    return [Span(start + lead, start + len(piece.rstrip()))] if lead < len(piece) else []
