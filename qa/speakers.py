"""Whose words each sentence of an article is: quotations over several sentences, pronouns, and who is who in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from corpus.sentences import split_sentences
from corpus.types import Span
from qa.seats import country_of, is_country
from qa.speaker_words import BODY, OF_GOVERNMENT, PERSONAL, POINTS_BACK, ROLES, SPEAKS_FOR, VERB
from qa.speaking import AND, Mention, find_speaking, lower_first, mention_of
from qa.words import split_words, stem_word

_PARAGRAPH = re.compile(r"\n\s*\n")
_BEFORE, _AFTER = 2_000, 600  # characters around a passage that may tell who "she" is and who goes on speaking
_QUOTE = re.compile(r"“[^”]*(?:”|\Z)|\"[^\"]*(?:\"|\Z)")
_SHORT_QUOTE = 4  # words: "reckless" is a word of the sentence, not a sentence of somebody's
_NAME = r"[A-ZÀ-ÖØ-Þ][\w’'\-]*(?:\s+(?:[A-ZÀ-ÖØ-Þ]\.|(?:van|von|de|of|bin|al)\s+)?\s*[A-ZÀ-ÖØ-Þ][\w’'\-]*){0,4}"
_NAME_THEN_ROLE = re.compile(rf"(?P<who>{_NAME},\s+(?:the|a|an|its|his|her|their|who|or)\s[^,.;:“\"\n]{{3,80}})[,.;]")
_ROLE_THEN_NAME = re.compile(
    rf"(?P<who>(?:\b[\w’'\-]+\s+){{0,4}}\b(?P<role>[a-z]+)(?:\s(?:for|of|at)\s(?:the\s)?{_NAME},)?,?\s+{_NAME})"
)
_FULL_NAME = re.compile(rf"(?P<who>{_NAME})")  # of more words than one, else it tells nothing new
_SUBJECT = re.compile(rf"(?:(?:The|the|A|a|An|an|Its|His|Her|Their|Some)\s)?(?:[\w’'\-]+\s|[A-Z]\w?\w?\.\s)?{_NAME}")
_ADDS = re.compile(r"\s(?:the|a|an|who|its|his|her|or)\s")
_REMEMBERED = 8  # mentions before a pronoun
_SUBJECT_END = re.compile(r"[;:“\"]|\.\s*$|\b(?:is|are|was|were|has|have|had|will|would|can|could|may|did|does|do)\b")
_MAX_CACHED = 256


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence and whose words it holds.

    Args:
        span: In offsets of the article's text.
        speakers: With what the article tells of each elsewhere; empty when the sentence is the article's own.
    """

    span: Span
    speakers: tuple[Mention, ...]


@lru_cache(maxsize=_MAX_CACHED)
def find_speakers(text: str, passage: Span) -> tuple[Spoken, ...]:
    """Return the sentences in and around a passage with their speakers, in order.

    Args:
        text: The whole article.
        passage: The stretch asked about; sentences beside it are read to know who speaks.
    """
    start = max(0, passage.start - _BEFORE)
    start = next((m.end() for m in _PARAGRAPH.finditer(text, start, passage.start)), start) if start else 0
    window = Span(start, min(len(text), passage.end + _AFTER))
    quotes = list(_quotations(text, window))
    known = introductions(text)
    spoken: list[Spoken] = []
    last: list[Mention] = []
    for paragraph in _paragraphs(text, window):
        cut = split_sentences(paragraph.slice(text))
        placed = [Span(s.start + paragraph.start, s.end + paragraph.start) for s in cut]
        own: list[tuple[Mention, ...]] = []
        for sentence in placed:
            own.append(_own_speakers(text, sentence, paragraph, quotes, last, own[-1] if own else ()))
        for place, sentence in enumerate(placed):
            found = own[place] or _carried(text, place, placed, own, quotes)
            spoken.append(Spoken(sentence, tuple(identify(one, known) for one in found)))
    return tuple(spoken)


@lru_cache(maxsize=_MAX_CACHED)
def introductions(text: str) -> tuple[Mention, ...]:
    """Return how an article introduces those it names: "Dr. Helen Osei, an engineer at the Institute"."""
    found: list[Mention] = []
    seen: set[str] = set()
    for match in (*_NAME_THEN_ROLE.finditer(text), *_ROLE_THEN_NAME.finditer(text), *_FULL_NAME.finditer(text)):
        who, role = match["who"], match.groupdict().get("role")
        if who in seen or (role and stem_word(role) not in SPEAKS_FOR | ROLES):
            continue
        seen.add(who)
        mention = mention_of(who)
        if mention is None or not mention.names:
            continue
        if mention.roles & (SPEAKS_FOR | ROLES) or ", or " in who or len(mention.names) > 1:
            found.append(_on_behalf(mention, text, match.end()))
    return tuple(dict.fromkeys(found))


def identify(mention: Mention, known: Sequence[Mention]) -> Mention:
    """Return a mention with what the article tells of the same person or body elsewhere."""
    names, roles, behalf = set(mention.names), set(mention.roles), set(mention.behalf)
    if all(is_country(name) for name in mention.names) and mention.names:
        return mention
    for other in known:
        same = mention.names and (mention.names <= other.names or other.names <= mention.names)
        same = same and not all(is_country(name) for name in other.names)
        if same or (not mention.names and mention.roles & BODY & other.names):
            names |= other.names
            roles |= other.roles
            behalf |= other.behalf
    return replace(mention, names=frozenset(names), roles=frozenset(roles), behalf=frozenset(behalf))


def _own_speakers(
    text: str, sentence: Span, paragraph: Span, quotes: Sequence[Span], last: list[Mention], spoke: Sequence[Mention]
) -> tuple[Mention, ...]:
    """Return whom the sentence itself names as speaking.

    Args:
        text: That the spans count in.
        sentence: To look at.
        paragraph: It stands in.
        quotes: As `find_speaking` takes them.
        last: Who was named before; is carried on.
        spoke: Who spoke in the sentence before, of the same paragraph.
    """
    found: list[Mention] = []
    earlier = tuple(last)
    subject = _subject(text, sentence, quotes)
    if subject:
        subject = _linked(subject, text, sentence.start + 1, paragraph.start, last)
        last.append(subject)
    for placed in find_speaking(text, sentence, quotes):
        mention = placed.mention
        if mention.pronoun:
            meant = subject if mention.pronoun == AND else _meant(mention.pronoun, last)
            sure = meant == subject or meant in spoke
            found.extend([replace(meant, is_sure=sure)] if meant else [])
        else:
            own = subject and (mention.names, mention.roles) == (subject.names, subject.roles)
            found.append(subject if subject and own else _linked(mention, text, placed.end, paragraph.start, earlier))
            last.append(found[-1])
    del last[:-_REMEMBERED]
    return tuple(dict.fromkeys(found))


def _linked(mention: Mention, text: str, end: int, start: int, last: Sequence[Mention]) -> Mention:
    """Add whom a speaker speaks for: "its director" and "the company" point to a body named before."""
    if not mention.is_owned and (mention.names or not mention.roles & POINTS_BACK):
        return _on_behalf(mention, text, end, start)
    if mention.is_owned and last and not _is_body(last[-1]) and not last[-1].names:  # "their association"
        return replace(mention, behalf=last[-1].roles)
    before = next((one for one in reversed(last) if _is_body(one) and one.names and one.names != mention.names), None)
    return replace(mention, behalf=before.names) if before else _on_behalf(mention, text, end, start)


def _is_body(mention: Mention) -> bool:
    body = mention.roles & BODY or mention.names & BODY or any(is_country(name) for name in mention.names)
    return bool(body or len(mention.names) == 1) and not mention.roles & (SPEAKS_FOR - BODY)


def _carried(
    text: str, place: int, placed: Sequence[Span], own: Sequence[tuple[Mention, ...]], quotes: Sequence[Span]
) -> tuple[Mention, ...]:
    """Return the speaker of a quotation that the sentence is part of: named before it, else after it."""
    if not _is_quoted(text, placed[place], quotes):
        return ()
    for step in (-1, 1):
        other = place + step
        while 0 <= other < len(placed):
            if own[other] and any(
                quote.start < placed[other].end and placed[other].start < quote.end for quote in quotes
            ):
                return own[other][-1:] if step < 0 else own[other][:1]
            if own[other] and step < 0:
                return own[other][-1:]
            if not _is_quoted(text, placed[other], quotes):
                break
            other += step
    return ()


def _is_quoted(text: str, sentence: Span, quotes: Sequence[Span]) -> bool:
    """Say whether nearly the whole sentence stands in quotation marks."""
    inside = sum(max(0, min(q.end, sentence.end) - max(q.start, sentence.start)) for q in quotes)
    return inside >= 0.8 * len(sentence)


def _meant(pronoun: str, last: Sequence[Mention]) -> Mention | None:
    """Return whom "he", "she", "it" or "they" means: the last one named who can be called so."""
    for mention in reversed(last):
        body = bool(mention.roles & BODY or mention.names & BODY or any(is_country(n) for n in mention.names))
        if (body and not mention.roles & (SPEAKS_FOR - BODY)) != (pronoun in PERSONAL):
            return mention
    return last[-1] if last else None


def _subject(text: str, sentence: Span, quotes: Sequence[Span]) -> Mention | None:
    """Return whom a sentence begins with, if that is a name or somebody's role."""
    if any(quote.start <= sentence.start < quote.end for quote in quotes):
        return None
    words = lower_first(text, sentence.start, sentence.end)
    ends = (match.start() for match in (_SUBJECT_END.search(words), VERB.search(words)) if match)
    pieces = words[: min(ends, default=len(words))].split(",")
    opens = _SUBJECT.match(pieces[0])
    if opens is None:
        role = [word for word in split_words(pieces[0])[:4] if word.stem in SPEAKS_FOR | BODY | ROLES]
        return _named(words[: role[-1].end]) if role else None
    more = pieces[1] if len(pieces) > 2 and _ADDS.match(pieces[1]) else ""
    return _named(opens.group() + ("," + more if more else ""))


def _named(text: str) -> Mention | None:
    mention = mention_of(text)
    return mention if mention and not mention.pronoun else None


def _on_behalf(mention: Mention, text: str, end: int, start: int | None = None) -> Mention:
    """Add the country whose government speaks: its own name, else the one named before in the paragraph."""
    if not (mention.roles | mention.names) & OF_GOVERNMENT:
        return mention
    own = frozenset(name for name in mention.names if is_country(name))
    if own:
        return replace(mention, behalf=own)
    start = text.rfind("\n\n", 0, end) + 1 if start is None else start
    stems = [country_of(word.stem) for word in split_words(text[max(0, start) : end]) if word.is_capitalised]
    named = [stem for stem in stems if is_country(stem)]
    return replace(mention, behalf=frozenset(named[:1] if mention.is_owned else named[-1:]))


def _quotations(text: str, window: Span) -> Iterator[Span]:
    for paragraph in _paragraphs(text, window):
        for match in _QUOTE.finditer(paragraph.slice(text)):
            if len(match.group().split()) >= _SHORT_QUOTE:
                yield Span(paragraph.start + match.start(), paragraph.start + match.end())


def _paragraphs(text: str, window: Span) -> Iterator[Span]:
    place = window.start
    for match in _PARAGRAPH.finditer(text, window.start, window.end):
        if match.start() > place:
            yield Span(place, match.start())
        place = match.end()
    if place < window.end:
        yield Span(place, window.end)
