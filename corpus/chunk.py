"""`Article` -> passages: whole sentences, bounded in tokens, tiling the text, never across a heading."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from corpus.long_sentences import split_long
from corpus.sentences import opens_heading, split_sentences
from corpus.tokens_tiktoken import count_tokens
from corpus.types import Article, Passage, Span

CHUNKER_VERSION = 1  # raise it when the same text and `chunk_tokens` would give other passages
MIN_CHUNK_TOKENS = 16  # below this most sentences would have to be split

# What it costs to end a passage at a place that is not the end of a paragraph, in units of the squared share of a
# passage left empty: a passage may be up to sqrt(0.1) = a third shorter to end with its paragraph.
_LINE_END_COST = 0.03
_SENTENCE_END_COST = 0.1
_INSIDE_SENTENCE_COST = 0.5


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a part of an over-long one.

    Args:
        sentence: Where its sentence begins; parts of one sentence share it.
        tokens: Of the span and the blanks before it, which is where tokens take them in.
        end_cost: Of ending a passage here.
    """

    span: Span
    sentence: int
    tokens: int
    end_cost: float


def chunk_article(article: Article, *, chunk_tokens: int = 200) -> list[Passage]:
    """Cut an article into passages.

    Passages are runs of whole sentences of at most `chunk_tokens` tokens, as even as their section allows, ending
    with a paragraph where one ends close by. A heading belongs to the passage that follows it. An over-long
    sentence is split at clause marks, then at tokens; its parts are sentence spans of their own passages.

    Returns:
        In order; starts and ends strictly increase, nothing overlaps, every character that is not blank is covered.
    """
    if chunk_tokens < MIN_CHUNK_TOKENS:
        raise ValueError(f"chunk_tokens is {chunk_tokens!r}; use at least {MIN_CHUNK_TOKENS}.")
    text = article.text
    passages: list[Passage] = []
    for section in _sections(text, split_sentences(text)):
        units = _units(text, section, chunk_tokens)
        for first, last in _cut(text, units, chunk_tokens):
            passages.append(_passage(article, len(passages), units[first:last]))
    return passages


def passage_id(article_id: str, version: str, ordinal: int) -> str:
    """Return the id of a passage: unique over all articles and versions, in reading order within a version."""
    return f"{article_id}:{version.removeprefix('sha256:')[:12]}:{ordinal:05d}"


def article_id_of(passage_id: str) -> str:
    """Return the id of the article whose passage has this id."""
    return passage_id.rsplit(":", 2)[0]


def indexed_text(article: Article, passage: Passage) -> str:
    """Return what is indexed by its words: a line "title | outlet | date" without the unknown parts, the passage."""
    published = article.published.isoformat() if article.published else None
    header = " | ".join(part for part in (article.title, article.source, published) if part)
    return f"{header}\n{passage.text}"


def _sections(text: str, sentences: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the sentences from one heading (or a run of headings) to the next."""
    section: list[Span] = []
    has_body = False
    for sentence in sentences:
        heading = opens_heading(text, sentence)
        if heading and has_body:
            yield section
            section, has_body = [], False
        section.append(sentence)
        has_body = has_body or not heading
    if section:
        yield section


def _units(text: str, sentences: Sequence[Span], max_tokens: int) -> list[_Unit]:
    units: list[_Unit] = []
    starts = [sentences[0].start, *(sentence.end for sentence in sentences)]
    ends = [*(sentence.start for sentence in sentences[1:]), sentences[-1].end]
    for start, sentence, end in zip(starts, sentences, ends, strict=False):
        tokens = count_tokens(text[start : sentence.end])
        parts = [(sentence, tokens)]
        if tokens > max_tokens and count_tokens(sentence.slice(text)) > max_tokens:
            parts = [(part, count_tokens(part.slice(text))) for part in split_long(text, sentence, max_tokens)]
        units += [_Unit(part, sentence.start, tokens, _INSIDE_SENTENCE_COST) for part, tokens in parts]
        units[-1] = replace(units[-1], end_cost=_end_cost(text[sentence.end : end]))
    return units


def _end_cost(gap: str) -> float:
    newlines = gap.count("\n")
    return 0.0 if newlines > 1 else _LINE_END_COST if newlines else _SENTENCE_END_COST


def _cut(text: str, units: Sequence[_Unit], max_tokens: int) -> list[tuple[int, int]]:
    """Return the runs of units [first, last) that become passages."""
    runs = _even_runs(units, max_tokens)
    if all(_fits(text, units, run, max_tokens) for run in runs):
        return runs
    return _full_runs(text, units, max_tokens)


def _even_runs(units: Sequence[_Unit], max_tokens: int) -> list[tuple[int, int]]:
    """Find the cheapest cut: the sum over passages of squared slack plus the cost of where each ends."""
    before = [0, *accumulate(unit.tokens for unit in units)]
    costs = [0.0]
    starts = [0]
    for last in range(1, len(units) + 1):
        cheapest, chosen = float("inf"), last - 1
        for first in range(last - 1, -1, -1):
            tokens = before[last] - before[first]
            if tokens > max_tokens and first < last - 1:
                break
            cost = costs[first] + max(0.0, 1 - tokens / max_tokens) ** 2
            if cost < cheapest:
                cheapest, chosen = cost, first
        costs.append(cheapest + units[last - 1].end_cost)
        starts.append(chosen)
    runs: list[tuple[int, int]] = []
    last = len(units)
    while last:
        runs.append((starts[last], last))
        last = starts[last]
    return runs[::-1]


def _full_runs(text: str, units: Sequence[_Unit], max_tokens: int) -> list[tuple[int, int]]:
    """Fill passages one by one by exact counts, for the rare text whose parts count less than their whole."""
    runs: list[tuple[int, int]] = []
    first = 0
    for last in range(1, len(units) + 1):
        if last == len(units) or not _fits(text, units, (first, last + 1), max_tokens):
            runs.append((first, last))
            first = last
    return runs


def _fits(text: str, units: Sequence[_Unit], run: tuple[int, int], max_tokens: int) -> bool:
    first, last = run
    return count_tokens(text[units[first].span.start : units[last - 1].span.end]) <= max_tokens


def _passage(article: Article, ordinal: int, units: Sequence[_Unit]) -> Passage:
    span = Span(units[0].span.start, units[-1].span.end)
    text = span.slice(article.text)
    sentences = [[unit.span for unit in parts] for _, parts in groupby(units, key=lambda unit: unit.sentence)]
    return Passage(
        id=passage_id(article.id, article.version, ordinal),
        article_id=article.id,
        version=article.version,
        ordinal=ordinal,
        span=span,
        text=text,
        sentences=tuple(Span(parts[0].start, parts[-1].end) for parts in sentences),
        n_tokens=count_tokens(text),
    )
