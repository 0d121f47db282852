"""A LlamaIndex response -> `Reply`. Nothing is imported from LlamaIndex: what its responses look like is enough."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from corpus.sentences import split_sentences
from corpus.tokens_tiktoken import count_tokens
from corpus.types import Span
from evals.types import CitedSpan, Reply, Retrieved, Stated

_MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_AFTER_STOP = re.compile(rf"([.!?…][\"”’)]*)((?:{_MARKER.pattern})+)")
_SOURCE_HEAD = re.compile(r"\ASource \d+:\n")  # put before each chunk by CitationQueryEngine
NOTHING = ("", "Empty Response", "None")  # what an engine gives when it found nothing


class _Node(Protocol):
    @property
    def ref_doc_id(self) -> str | None: ...

    def get_content(self) -> str: ...


class SourceNode(Protocol):
    """A node with its score."""

    @property
    def node(self) -> _Node:
        """Return the node."""

    @property
    def score(self) -> float | None:
        """Return its score, bigger is better."""


class Response(Protocol):
    """What a query engine gives."""

    @property
    def response(self) -> str | None:
        """Return the text of the answer."""

    @property
    def source_nodes(self) -> Sequence[SourceNode]:
        """Return the sources, numbered from 1 in the text."""


def reply_of_response(response: Response, texts: Mapping[str, str]) -> Reply:
    """Return a response of a query engine as a reply.

    `[1]` or `[1, 2]` in its text cite its source nodes by number, from 1, and a marker belongs to the sentence before
    it. Offsets are looked for: in the article that the node names if it holds the node's text, else in the first that
    does; a node whose text is nowhere becomes a citation that does not slice back.

    Args:
        response: Has `response` (text or None) and `source_nodes`.
        texts: Of the articles, by the ids that the engine's documents carry.
    """
    sources = [locate(n, node, texts) for n, node in enumerate(response.source_nodes, 1)]
    scores = [float(node.score or 0.0) for node in response.source_nodes]
    hits = tuple(_hit(source, score) for source, score in zip(sources, scores, strict=True) if source.end)
    said = str(response.response or "").strip()
    if said in NOTHING:
        return Reply(hits=hits, abstained=True)
    statements = statements_of(said)
    used = {n for stated in statements for n in stated.citations}
    return Reply(hits=hits, statements=statements, citations=tuple(each for each in sources if each.n in used))


def locate(n: int, node: SourceNode, texts: Mapping[str, str]) -> CitedSpan:
    """Return where the text of a source node stands, as citation `n`; a span of 0..0 when it is nowhere."""
    quote = _SOURCE_HEAD.sub("", node.node.get_content()).strip()
    named = str(node.node.ref_doc_id or "")
    for article_id in (named, *texts) if quote else ():
        start = texts.get(article_id, "").find(quote)
        if start >= 0:
            return CitedSpan(n, article_id, start, start + len(quote), quote)
    return CitedSpan(n, named, 0, 0, quote)


def statements_of(said: str) -> tuple[Stated, ...]:
    """Return the sentences of a text with the numbers that stand in or right after each."""
    statements: list[Stated] = []
    inside = _AFTER_STOP.sub(r"\2\1", said)
    for span in split_sentences(inside):
        sentence = span.slice(inside)
        numbers = [int(n) for marker in _MARKER.findall(sentence) for n in marker.split(",")]
        words = _MARKER.sub("", sentence).strip()
        if any(character.isalnum() for character in words):
            statements.append(Stated(words, tuple(numbers)))
    return tuple(statements)


def _hit(source: CitedSpan, score: float) -> Retrieved:
    return Retrieved(source.article_id, Span(source.start, source.end), score, count_tokens(source.quote))
