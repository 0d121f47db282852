"""Who speaks in one sentence, by its own words: reporting verbs before and after, "according to", the colon form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.types import Span
from qa.phrases import AUXILIARIES, DETERMINERS, PREPOSITIONS, word_set
from qa.seats import country_of, is_country
from qa.speaker_words import INVERTS, PRONOUNS, SPEAKS_FOR, VERB
from qa.words import Word, is_known, split_words, stem_word

_ACCORDING = re.compile(r"\baccording to\s+", re.IGNORECASE)
_COLON = re.compile(r"^(?P<who>[A-Z][^:“\"]{1,60}):\s+[“\"]")
_AFTER_VERB = re.compile(
    r"^\s+(?P<who>(?:(?:the|a|an|one|another|its|his|her|their)\s+)?[\w’'.\-]+(?:\s+[\w’'.\-]+){0,7}?)"
    r"(?=\s*[,;:“\"]|\.?\s*$|\.\s|\s+(?:who|which|in|at|on|after|during|when|as|outside|before|while)\b)"
)
_APPOSITION = re.compile(r"^,\s+(?P<more>(?:(?:the|a|an|who|its|his|her|one|[a-z]+)\s|[A-Z])[^,.;“\"]{2,80})")
_BREAK = re.compile(r"\b(?:but|while|because|although)\b|[;:]|\s[—–-]\s")
_CLAUSE = re.compile(rf"{_BREAK.pattern}|\b(?:that|where|if)\b")
_RELATIVE = re.compile(r"\b(?:who|which|that|whose)\b[^,]*")
AND = "and"  # the subject of the sentence, whose second verb this is
_INNER = re.compile(r"(?<=[\w,]\s)([A-Z][\w’'\-]*)")
_FIRST = re.compile(r"[A-Z][\w’'\-]*")
_OWNED = re.compile(r"(?:^|,)\s*(?:its|their)\b", re.IGNORECASE)
_COORDINATED = word_set("and or also then later")
_PASSIVE = word_set("is are was were be been being not to get gets got")
_FINITE = re.compile(r"\b(?:was|were|is|are|had|has|have|would|could|will|can|may|did|does)\b")
_SHORT_NAMES = frozenset({"US", "U.S.", "UN", "EU"})  # "US" is not the pronoun
_DAYS = word_set(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December Mr Mrs Ms Miss Dr Prof Sir Dame Lord Lady"
)
_ADVERBS = word_set("now then already still never always ever again however later meanwhile instead")
_MAX_WORDS = 24  # of a name with what is said of it ("Fiona Strand, who was born in the Leck hospital, ...")


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody as a text names him, by stems.

    Args:
        names: Of capitalised words; a seat of government or a people is its country.
        roles: Of the others, what he is ("minister", "engineer").
        pronoun: In lower case, when only that is given.
        behalf: Whom he speaks for, as far as the text around tells: a country, a company.
        is_owned: Whether "its" or "their" points to whom that is.
        is_sure: Whether he is named, or called "he" right after he spoke; else a pronoun was resolved as best it can.
    """

    names: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    pronoun: str | None = None
    behalf: frozenset[str] = frozenset()
    is_owned: bool = False
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A mention and where in the text it ends: what comes before it may tell its country."""

    mention: Mention
    end: int


def find_speaking(text: str, sentence: Span, quotes: Sequence[Span]) -> Iterator[Placed]:
    """Yield who is said to speak in a sentence, in order of place.

    Args:
        text: That the spans count in.
        sentence: To look at.
        quotes: The quotations of the text; what is said inside them is somebody's words, not a report of them.
    """
    inside = [quote for quote in quotes if quote.start < sentence.end and sentence.start < quote.end]
    colon = _COLON.match(sentence.slice(text))
    if colon and not (_FINITE.search(colon["who"]) or VERB.search(colon["who"])):
        end = sentence.start + colon.end("who")
        yield from _placed(lower_first(text, sentence.start, end), end)
    for start, end in _outside(sentence, inside):
        part = lower_first(text, start, end) if start == sentence.start else text[start:end]
        for match in _ACCORDING.finditer(part):
            yield from _named_after(part, match.end(), start)
        for match in VERB.finditer(part):
            yield from _of_verb(part, match, start)


def lower_first(text: str, start: int, end: int) -> str:
    """Return a stretch that opens a sentence, in lower case where its first word is a noun like any other."""
    first = _FIRST.match(text, start, end)
    if first is None or not is_known(first[0].lower()) or is_country(country_of(stem_word(first[0]))):
        return text[start:end]
    if first[0] in _SHORT_NAMES or first[0] in _written_large(text):
        return text[start:end]
    if re.match(r"\.|\s[A-Z]", text[first.end() : first.end() + 2]):
        return text[start:end]  # "Dr. Helen", "Fire Chief Marta"
    return first[0].lower() + text[first.end() : end]


@lru_cache(maxsize=256)
def _written_large(text: str) -> frozenset[str]:
    """Return the words that are written large although no sentence begins with them: names."""
    return frozenset(match[1] for match in _INNER.finditer(text))


def _outside(sentence: Span, quotes: Sequence[Span]) -> Iterator[tuple[int, int]]:
    place = sentence.start
    for quote in quotes:
        if quote.start > place:
            yield place, quote.start
        place = max(place, quote.end)
    if place < sentence.end:
        yield place, sentence.end


def _of_verb(part: str, verb: re.Match[str], offset: int) -> Iterator[Placed]:
    before = part[: verb.start()]
    last = re.findall(r"[\w’']+", before)[-1:]
    if last and last[0].lower() in _PASSIVE:
        return
    if last and last[0].lower() in _COORDINATED:
        if not VERB.search(before):
            yield Placed(Mention(pronoun=AND), offset + verb.start())
        return  # else its subject is that of the verb before
    after = _AFTER_VERB.match(part[verb.end() :]) if verb.group() in INVERTS else None
    if after and _is_inverted(before, after):
        yield from _named_after(part, verb.end() + after.start("who"), offset)
    else:
        yield from _placed(_subject(before), offset + verb.start())


def _is_inverted(before: str, after: re.Match[str]) -> bool:
    """Say whether a verb's subject stands behind it: after a quotation, or after a clause that has its own verb."""
    who = after["who"]
    if _FINITE.search(who) or who[0].isdigit() or not _is_somebody(who):
        return False
    if not before.strip(" ,.!?—–-”\"’'"):
        return True
    if not re.search(r"[,”\"’]\s*$", before):
        return False
    ends = after.end() >= len(after.string.rstrip(" .")) or after.string[after.end()] == ","
    return bool(_FINITE.search(_RELATIVE.sub("", before))) or (ends and who.split()[0][0].isupper())


def _is_somebody(text: str) -> bool:
    words = text.split()
    lower = words[0].lower()
    return lower in DETERMINERS or lower == "one" or words[0][0].isupper() or lower in PRONOUNS or len(words) <= 3


def _named_after(part: str, start: int, offset: int) -> Iterator[Placed]:
    """Yield who is named from a place on, with what is added after a comma."""
    rest = part[start:]
    head = re.match(r"[^,;:.“\"]*(?:\b[A-Z]\w{0,2}\.[^,;:.“\"]*)*", rest)
    if head is None:
        return
    more = _APPOSITION.match(rest[head.end() :])
    who = head.group() + (f", {more['more']}" if more else "")
    yield from _placed(who, offset + start + head.end())


def _subject(before: str) -> str:
    """Return the words of the subject that ends where a verb begins: with what commas enclose, and without a lead."""
    if before.rstrip().endswith(","):
        return _BREAK.split(before)[-1].strip(" ,")
    return _CLAUSE.split(before)[-1].split(",")[-1].strip()


def _placed(text: str, end: int) -> Iterator[Placed]:
    mention = mention_of(text)
    if mention:
        yield Placed(mention, end)


def mention_of(text: str) -> Mention | None:
    """Return whom a noun phrase names; None when it holds no word for anybody."""
    words = split_words(text)[-_MAX_WORDS:]
    kept = [word for word in words if word.text.lower() not in DETERMINERS | AUXILIARIES]
    pronouns = [word.text.lower() for word in kept if word.text.lower() in PRONOUNS]
    named = [word for word in kept if is_telling(word)]
    ends = bool(pronouns) and kept[-1].text.lower() == pronouns[-1] and "," not in text  # "Amid the row he"
    if not named or ends:
        return Mention(pronoun=pronouns[-1]) if pronouns else None
    pieces = [_core(piece) for piece in _pieces(text, named, words)]
    speaks_for = any(word.stem in SPEAKS_FOR for core, _ in pieces for word in core)
    told = [word for core, rest in pieces for word in (*core, *(rest if speaks_for else ()))]
    names = frozenset(country_of(word.stem) for word in told if word.is_capitalised)
    roles = frozenset(word.stem for word in told if not word.is_capitalised and word.text[0].isalpha())
    roles |= frozenset(word.stem for word in told if word.stem in SPEAKS_FOR)  # "Transport Minister"
    return Mention(names, roles, is_owned=bool(_OWNED.search(text))) if names or roles else None


def is_telling(word: Word) -> bool:
    """Say whether a word can tell somebody from others: neither a title, a day, an adverb nor a function word."""
    lower = word.text.lower()
    if word.text in _SHORT_NAMES:
        return True
    return not (word.is_stop or lower in PRONOUNS or word.text in _DAYS or lower in _ADVERBS or lower.endswith("ly"))


def _pieces(text: str, named: Sequence[Word], words: Sequence[Word]) -> Iterator[list[Word | None]]:
    """Yield the words between commas, prepositions as None; a clause with "which" says nothing of who speaks."""
    piece: list[Word | None] = []
    end = words[0].start
    skips = False
    for word in words:
        lower = word.text.lower()
        if "," in text[end : word.start]:
            if piece:
                yield piece
            piece, skips = [], False
        skips |= lower in ("which", "that")
        if word in named and not skips:
            piece.append(word)
        elif lower in PREPOSITIONS:
            piece.append(None)
        end = word.end
    if piece:
        yield piece


def _core(piece: Sequence[Word | None]) -> tuple[list[Word], list[Word]]:
    """Part a piece at its first preposition: who is named, and what he belongs to."""
    first = next((place for place, word in enumerate(piece) if word is None and place), len(piece))
    core = [word for word in piece[:first] if word is not None]
    return core, [word for word in piece[first:] if word is not None]
