"""Names, dates, numbers and quotations in a text: the kinds of thing a question asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from corpus.types import Span
from qa.words import STOP_WORDS, rarity


class Kind(StrEnum):
    """What a mention is, as far as its form tells."""

    NAME = "name"
    PERSON = "person"
    PLACE = "place"
    DATE = "date"
    NUMBER = "number"
    MONEY = "money"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Mention:
    """One name, date, number or quotation; `span` counts in the text it was found in."""

    kind: Kind
    span: Span


_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_YEAR = r"(?:1[0-9]{3}|20[0-9]{2})"
_COUNT_WORD = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|dozens?|half|"
    r"once|twice|both|several|none|(?:a|one)[- ](?:third|quarter|fifth)|almost all)"
)
_DATE = re.compile(
    rf"\b(?:(?:{_WEEKDAY},?\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?(?!\d)"
    rf"|{_MONTH},?\s+(?:of\s+)?{_YEAR}"
    rf"|(?:early|mid|late)?-?\s?(?:the\s+)?{_YEAR}s?(?:\s?[-–]\s?(?:{_YEAR}|\d\d))?(?:\s+(?:BC|AD|BCE|CE))?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)\s+(?:and\s+\d{{1,2}}(?:st|nd|rd|th)\s+)?centur(?:y|ies)(?:\s+(?:BC|AD|BCE|CE))?"
    rf"|{_WEEKDAY}s?|{_MONTH}|yesterday|today|tonight|tomorrow"
    rf"|(?:last|next|this|earlier this|later this)\s+(?:week|month|year|summer|spring|autumn|fall|winter|{_WEEKDAY})"
    rf"|(?:within\s+)?(?:the\s+)?(?:next|last|past)\s+(?:{_COUNT_WORD}|\d+)\s+(?:days|weeks|months|years)"
    rf"|(?:{_COUNT_WORD}|\d+)\s+(?:days|weeks|months|years)\s+(?:ago|later|earlier))(?!\w)"
)
_MONEY = re.compile(
    r"(?:(?:US|A|C|NZ|HK)?[$£€¥₹]\s?\d[\d,.]*\d?(?:\s?(?:thousand|million|billion|trillion|[mbk]n?))?\b"
    r"|\b\d[\d,.]*(?:\s(?:thousand|million|billion|trillion))?\s(?:dollars|pounds|euros|yen|yuan|francs|cents|pence)\b)"
)
_NUMBER = re.compile(
    rf"(?:(?<![\w.])\d[\d,]*(?:\.\d+)?(?:st|nd|rd|th)?(?:\s?(?:%|per\s?cent|percent|thousand|million|billion|trillion))*"
    rf"|\b{_COUNT_WORD}(?:[- ]{_COUNT_WORD})*(?:\s(?:percent|per\s?cent|million|billion|trillion))?\b)",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"“[^”]{2,400}”|\"[^\"]{2,400}\"|``.{2,400}?''|(?<!\w)‘[^’]{2,200}’(?!\w)", re.DOTALL)
_UPPER = r"[A-ZÀ-ÖØ-Þ]"
_NAME_WORD = rf"(?:{_UPPER}\.(?:{_UPPER}\.)*|{_UPPER}[\w’'\-]*[\w]|{_UPPER})"
_NAME = re.compile(rf"\b{_NAME_WORD}(?:\s+(?:(?:of|the|de|la|von|van|bin|al|and|for|du|da)\s+){{0,2}}{_NAME_WORD})*")
_TITLE_BEFORE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Sir|Lord|Lady|President|Minister|Secretary|Senator|Sen|Rep|Governor|Judge|Justice|General|King|"
    r"Queen|Prince|Princess|Pope|Captain|Professor|CEO|founder|director|journalist|reporter|author|actor|actress|"
    r"singer|coach|spokesman|spokeswoman|spokesperson|chairman|mayor|leader|lawyer|attorney|envoy)\.?,?\s+$",
    re.IGNORECASE,
)
_PERSON_AFTER = re.compile(r"^,?\s+(?:said|says|told|who|whose|added|announced|argued|wrote|himself|herself)\b")
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|to|across|outside|inside|around|into|throughout)\s+(?:the\s+)?$")
_MAX_LEAD_RARITY = 0.62  # a sentence's first word commoner than this ("These", "During") is not taken for a name


def find_mentions(text: str) -> list[Mention]:
    """Find what a question may ask for, in order of place; money wins over dates, dates over numbers."""
    found = [Mention(Kind.QUOTE, Span(m.start(), m.end())) for m in _QUOTE.finditer(text)]
    taken: list[Span] = []
    for kind, pattern in ((Kind.MONEY, _MONEY), (Kind.DATE, _DATE), (Kind.NUMBER, _NUMBER)):
        for match in pattern.finditer(text):
            span = _trim(text, match.start(), match.end())
            if span and not any(span.start < other.end and other.start < span.end for other in taken):
                taken.append(span)
                found.append(Mention(kind, span))
    for span in _find_names(text):
        if not any(span.start < other.end and other.start < span.end for other in taken):
            found.append(Mention(_kind_of_name(text, span), span))
    return sorted(found, key=lambda mention: (mention.span, mention.kind))


def _find_names(text: str) -> list[Span]:
    spans = []
    for match in _NAME.finditer(text):
        start, end = match.span()
        if _opens_sentence(text, start):
            first = re.match(r"[\w’']+", text[start:end])
            word = first.group() if first else ""
            if word.lower() in STOP_WORDS or (len(word) == end - start and rarity(word) < _MAX_LEAD_RARITY):
                start += len(word)
        span = _trim(text, start, end)
        if span and span.slice(text)[0].isalpha() and span.slice(text).lower() not in STOP_WORDS:
            spans.append(span)
    return spans


def _kind_of_name(text: str, span: Span) -> Kind:
    before, after = text[max(0, span.start - 40) : span.start], text[span.end : span.end + 12]
    if _TITLE_BEFORE.search(before) or _PERSON_AFTER.match(after):
        return Kind.PERSON
    return Kind.PLACE if _PLACE_BEFORE.search(before) else Kind.NAME


def _opens_sentence(text: str, start: int) -> bool:
    return not text[:start].rstrip(" “\"'‘(—–-").rstrip() or text[:start].rstrip(" “\"'‘(").endswith(
        (".", "!", "?", "\n", ":")
    )


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and (text[start].isspace() or text[start] in ",;:–-"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ",;:–-"):
        end -= 1
    if text[start:end].lower().endswith(("’s", "'s")):
        end -= 2
    return Span(start, end) if start < end else None
