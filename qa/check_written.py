"""A statement that a model wrote -> the span of an article that should carry it, and whether it does (DESIGN 2.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.types import Span
from index.types import Hit
from qa.gives_orders import gives_orders
from qa.locate_quote import locate_quote, plain_form, whole_sentences
from qa.plain_words import plain_words
from qa.reading_input import make_header
from qa.support import Evidence, SupportChecker, share_held
from qa.types import Support, flat
from qa.words import split_words
from qa.written import Written

_FRAGMENT_WORDS = 4  # what is no longer than this is a name or a figure, not a claim
_CLAIM_WORDS = 3  # what has fewer and stands in no sentence by itself claims nothing that could be checked
_MOST_WORDS = 45  # the network reads 64 word pieces of a statement: what a longer one ends with is not judged
_LOOP_WORDS, _LOOP_TIMES = 3, 3  # so many words, so many times, is a model that has lost its way
_SENTENCES_READ = 8  # of those most alike by words; each takes the network some 5 ms
_CARRIED = (Support.VERBATIM, Support.SUPPORTED)
_MISQUOTED = "The words it quotes are not in the passage."


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """A statement with the one span that speaks for it.

    Args:
        text: Without links and markup; the span's own words when `verbatim`.
    """

    text: str
    hit: Hit
    span: Span
    support: Support
    problems: tuple[str, ...] = ()


class WrittenChecker:
    """Checks what a model wrote against the passages it was given.

    Args:
        checker: Compares figures, names and negation, and judges meaning.
    """

    def __init__(self, checker: SupportChecker) -> None:
        self._checker = checker

    def check(self, written: Written, hits: Sequence[Hit]) -> CheckedStatement | None:
        """Find the span and judge the statement against that span alone.

        The span is where the quote stands, widened to whole sentences. When there is no such place, it is the
        sentence of the named passage that speaks most for the statement, or, when that does not carry it, of the
        others, for small models often name the wrong one: what is shown as proof was found by us.

        Returns:
            None when nothing can be shown: no words are left, the statement names no passage that is there and no
            sentence carries it, it is no claim that can be judged, or all that speaks for it is an order to whoever
            reads the article.
        """
        text = plain_words(written.text, " ".join(hit.passage.text for hit in hits))
        if not hits or not any(letter.isalnum() for letter in text):
            return None
        named = [hits[n - 1] for n in written.passages if 1 <= n <= len(hits)]
        nearest_first = [*named, *(hit for hit in hits if hit not in named)]
        literal = _find_literal(text, nearest_first)
        if literal is not None:
            return None if _is_order(literal.hit, literal.span) else literal
        quoted = _find_quote(written.quote, nearest_first)
        hit, span = quoted or self._best_sentence(text, named or hits)
        if gives_orders(text) or _is_order(hit, span) or not _is_claim(text):
            return None
        checked = self._judge(text, hit, span)
        if checked.support in _CARRIED:
            return checked
        others = [hit for hit in hits if hit not in named]
        if quoted is None and named and others:
            elsewhere = self._best_sentence(text, others)
            found = None if _is_order(*elsewhere) else self._judge(text, *elsewhere)
            if found and found.support in _CARRIED:
                return found
        if not named and quoted is None:
            return None
        problems = checked.problems if quoted or not written.quote else (*checked.problems, _MISQUOTED)
        return CheckedStatement(text, hit, checked.span, checked.support, problems)

    def _best_sentence(self, text: str, hits: Sequence[Hit]) -> tuple[Hit, Span]:
        places = [(hit, span) for hit in hits for span in hit.passage.sentences]
        places.sort(key=lambda place: -share_held(text, place[1].slice(place[0].article.text)))
        read = places[:_SENTENCES_READ]
        chances = self._checker.chances(text, [_evidence(hit, span) for hit, span in read])
        return read[max(range(len(read)), key=lambda i: chances[i])]

    def _judge(self, text: str, hit: Hit, span: Span) -> CheckedStatement:
        """Check against the span; when it does not carry the statement, against the span and its neighbours.

        "He resigned on Monday" says who only together with the sentence before it, and then both are the proof.
        """
        first: CheckedStatement | None = None
        for wider in _widened(span, hit):
            if _is_order(hit, wider):
                continue
            checked = self._checker.check(text, [_evidence(hit, wider)])
            found = CheckedStatement(text, hit, wider, checked.support, checked.problems)
            if checked.support in _CARRIED:
                return found
            first = first or found
        if first is None:
            raise ValueError("A span is its own first widening.")
        return first


def _find_literal(text: str, hits: Sequence[Hit]) -> CheckedStatement | None:
    """Find a statement that is whole sentences of a passage, or a name or figure, which its sentence is given for."""
    words = split_words(text)
    named = [word for word in words if not word.is_stop and word.text.lower() != "yes"]
    is_fragment = bool(named) and len(words) <= _FRAGMENT_WORDS
    for hit in hits:
        place = locate_quote(text, hit)
        if place is None:
            continue
        span = whole_sentences(place, hit)
        quote = span.slice(hit.article.text)
        if is_fragment or plain_form(text).rstrip(".") == plain_form(quote).rstrip("."):
            return CheckedStatement(flat(quote), hit, span, Support.VERBATIM)
    return None


def _find_quote(quote: str | None, hits: Sequence[Hit]) -> tuple[Hit, Span] | None:
    """Return where the quote stands: in the passage that was named if it is there, else in the best that holds it."""
    if quote is None:
        return None
    for hit in hits:
        place = locate_quote(quote, hit)
        if place is not None:
            return hit, whole_sentences(place, hit)
    return None


def _widened(span: Span, hit: Hit) -> list[Span]:
    """Return the span, then with one and two sentences before it, then with the one after it, inside the passage."""
    before = [s.start for s in hit.passage.sentences if s.start < span.start]
    after = [s.end for s in hit.passage.sentences if s.end > span.end]
    spans = [span, *(Span(start, span.end) for start in reversed(before[-2:]))]
    return [*spans, *(Span(span.start, end) for end in after[:1])]


def _is_claim(text: str) -> bool:
    """Say whether a statement is neither a word or two, nor a loop, nor more than the network reads."""
    stems = [word.stem for word in split_words(text)]
    runs = Counter(zip(*(stems[i:] for i in range(_LOOP_WORDS)), strict=False))
    return _CLAIM_WORDS <= len(stems) <= _MOST_WORDS and max(runs.values()) < _LOOP_TIMES


def _is_order(hit: Hit, span: Span) -> bool:
    return gives_orders(span.slice(hit.article.text))


def _evidence(hit: Hit, span: Span) -> Evidence:
    text = span.slice(hit.article.text)
    return Evidence(text, text, make_header(hit.article))
