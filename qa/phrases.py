"""Noun phrases of a question, by the form of its words: what a later "it", "he" or "they" can stand for.

There is no tagger: a phrase starts at a determiner, a question word or a capital, and ends at a function word, a
mark, or what looks like a verb. A phrase that is cut wrongly costs a clumsy rewriting, never a wrong citation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from qa.mentions import Kind, find_mentions
from qa.words import STOP_WORDS, Word, split_words


class Sort(StrEnum):
    """What a phrase can be called by: he or she, it, they, or only repeated (days and bare numbers)."""

    PERSON = "person"
    THING = "thing"
    MANY = "many"
    OTHER = "other"


class Role(StrEnum):
    """Where a phrase stands in its question."""

    ASKED = "asked"
    SUBJECT = "subject"
    OBJECT = "object"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase with its half-open place in the question."""

    text: str
    start: int
    end: int
    sort: Sort
    role: Role
    is_name: bool


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


QUESTION_WORDS = word_set("who whom whose what which when where why how")
AUXILIARIES = word_set(
    "is are was were be been do does did has have had can could will would shall should may might must"
)
_WITH_VERB = AUXILIARIES - {"is", "are", "was", "were", "be", "been", "has", "have", "had"}
DETERMINERS = word_set("the a an his her its their our your my some any all both each every no")
PREPOSITIONS = word_set(
    "of in on at by for with from to into onto over under about after before between during through against within "
    "without among besides despite near since until towards toward than as"
)
_ATTACHED = word_set("of between with for on about against")
_MASS = word_set("people police children men women staff authorities criteria data media")
PERSON_HEADS = word_set(
    "minister president secretary journalist reporter official author king queen leader actor actress singer player "
    "founder politician judge scientist artist executive man woman boy girl person spokesman spokeswoman envoy "
    "ambassador senator governor mayor lawyer doctor professor teacher father mother son daughter brother sister wife "
    "husband coach captain director chairman chief officer soldier writer poet painter composer inventor chancellor "
    "commissioner citizen national migrant refugee victim suspect candidate voter owner donor"
)
_NOT_PEOPLE = word_set(
    "bay court tv news party state states kingdom nations union house government administration republic congress "
    "parliament ministry department agency commission council committee university school college company group bank "
    "city county river island islands sea ocean mountain lake street park airport act law treaty agreement deal plan "
    "war league cup club team church museum times post radio network press association institute foundation office "
    "center centre hospital service services system cloud assistant api"
)
_COMPASS = ("north", "south", "east", "west", "northern", "southern", "eastern", "western", "central")
VERBS = word_set(
    "say says said tell tells told want wants wanted make makes made take takes took taken give gives gave given get "
    "gets got call calls called ask asks go goes went gone come comes came see sees saw seen know knows knew known "
    "think thinks thought find finds found happen happens happened become becomes became report reports reported "
    "accept accepts confirm confirms sign signs signed end ends stop stops stopped work works pay pays paid sit sits "
    "focus need needs use uses used apply applies mean means meant cost costs hold holds held reopen scrap scraps "
    "respond responds warn warns describe describes accuse accuses agree agrees keep keeps kept begin begins began "
    "start starts started run runs ran write writes wrote written win wins won lose loses lost play plays send sends "
    "sent strike strikes struck rule rules ruled born led lead leads land lands landed live lives lived die "
    "dies"
)
_SHORT_NAMES = frozenset({"US", "U.S.", "UN", "EU"})  # "US" is not the pronoun
_CITIZEN = re.compile(r"^(?:an?|the)\s[A-Z]\w+(?:i|an|ese|ish)$")  # "an Iraqi"
_AND_THEN = re.compile(r"^\s*(?:,\s*)?and\s+$")


def find_phrases(text: str) -> list[Phrase]:
    """Return the noun phrases of a question in order; they do not overlap."""
    words = split_words(text)
    names = [m for m in find_mentions(text) if m.kind in (Kind.NAME, Kind.PERSON, Kind.PLACE, Kind.MONEY)]
    ends = dict(part for mention in names for part in _members(text, mention.span.start, mention.span.end))
    by_start = ends | {word.start: word.end for word in words if word.text in _SHORT_NAMES}
    spans: list[tuple[int, int, bool]] = []
    place = 0
    while place < len(words):
        end = _phrase_end(words, place, by_start, text)
        if end > place:
            end = _with_attached(words, _without_verb(words, place, end), by_start, text)
            lower = words[place].text.lower()
            first = place + (2 if lower == "how" else lower in QUESTION_WORDS)
            spans.append((first, end, words[first].start in by_start))
            place = end
        else:
            place += 1
    return [_phrase(text, words, *span) for span in spans]


def sort_of(text: str, *, is_name: bool) -> Sort:
    """Say what a noun phrase can be called by, from its words alone."""
    words = [word.text for word in split_words(text)]
    if not words or words[0][0].isdigit():
        return Sort.THING if re.match(r"\W*[$£€¥]", text) else Sort.OTHER
    core = words[: next((i for i in range(1, len(words)) if _ends_core(words, i)), len(words))]
    head = core[-1].lower().removesuffix("’s").removesuffix("'s")
    if " and " in f" {' '.join(core).lower()} ":
        return Sort.MANY
    if head in PERSON_HEADS or any(w.lower() in PERSON_HEADS for w in core[:2]):
        return Sort.PERSON
    if (is_name and is_person_name(" ".join(core))) or _CITIZEN.match(text):
        return Sort.PERSON
    singular = is_name or not head.endswith("s") or head.endswith(("ss", "us", "is"))
    return Sort.MANY if head in _MASS or head.rstrip("s") in PERSON_HEADS or not singular else Sort.THING


def _ends_core(words: list[str], place: int) -> bool:
    """Say whether what follows only tells more of the noun before: "people | deported to Rwanda"."""
    word, before = words[place].lower(), words[place - 1].lower()
    noun_before = before in _MASS or before in PERSON_HEADS or (before.endswith("s") and not before.endswith("ss"))
    return word in PREPOSITIONS or (noun_before and words[place].islower() and word.endswith("ed"))


def is_person_name(name: str) -> bool:
    """Say whether a name looks like a person's: two or more capitalised words, none of them of a place or body."""
    from qa.places_babel import place_names  # Babel's tables are read for questions with pronouns only

    words = name.split()
    lower = name.lower().removeprefix("the ")
    if lower in place_names() or len(words) < 2 or words[0].lower() in ("the", "el", "san", "new", "saint", *_COMPASS):
        return False
    if any(word.isupper() and len(word) > 1 for word in words):  # "Rwanda TV", "CBC News"
        return False
    return all(word[0].isupper() for word in words) and not any(w.lower().strip(".") in _NOT_PEOPLE for w in words)


def _phrase_end(words: list[Word], place: int, by_start: dict[int, int], text: str) -> int:
    """Return the place after the phrase that starts here, or `place` when none does."""
    word = words[place]
    lower = word.text.lower()
    if lower in QUESTION_WORDS:
        opens = lower in ("which", "what", "whose") or (
            lower == "how" and place + 1 < len(words) and words[place + 1].text.lower() in ("many", "much")
        )
        first = place + (2 if lower == "how" else 1)
        end = _run(words, first, by_start, text) if opens else first
        return end if end > first else place
    if lower in DETERMINERS:
        end = _run(words, place + 1, by_start, text)
        return end if end > place + 1 else place
    if word.start in by_start:
        return _run(words, place, by_start, text)
    if word.is_stop or lower in VERBS or not word.text[0].isalpha():
        return place
    end = _run(words, place, by_start, text)
    last = words[end - 1].text.lower() if end > place else ""
    return end if last in _MASS or (last.endswith("s") and not last.endswith("ss")) else place


def _run(words: list[Word], place: int, by_start: dict[int, int], text: str) -> int:
    """Return the place after the nouns and their adjectives that start here."""
    start = place
    while place < len(words):
        word = words[place]
        lower = word.text.lower()
        name_end = by_start.get(word.start)
        if place > start and re.search(r"[,;:?!()]", text[words[place - 1].end : word.start]):
            break
        if name_end is not None:
            place = _after(words, place, name_end)
            if not words[place - 1].text.lower().endswith(("’s", "'s")):
                following = words[place].text.lower() if place < len(words) else ""
                if following in STOP_WORDS or following in VERBS or following.endswith(("ed", "ing")):
                    break
                if place - start > 1 or not following or _is_verb_after_name(words, place):
                    break
            continue
        if lower in STOP_WORDS or lower in AUXILIARIES or lower in PREPOSITIONS or lower in QUESTION_WORDS:
            break
        if place > start and (lower in VERBS or lower.endswith(("ed", "ing", "ly"))):
            break
        place += 1
    return place


def _members(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the places of the names in "the US and Rwanda", which are found as one."""
    parts, place = [], start
    for part in text[start:end].split(" and "):
        parts.append((place, place + len(part)))
        place += len(part) + len(" and ")
    return parts


def _without_verb(words: list[Word], place: int, end: int) -> int:
    """Leave out the verb after "did" and its subject ("Where did the rover land?") if none follows the phrase."""
    asks = place and words[place - 1].text.lower() in _WITH_VERB
    has_determiner = words[place].text.lower() in DETERMINERS
    if not asks or end - place < (3 if has_determiner else 2) or not words[end - 1].text.islower():
        return end
    following = words[end].text.lower() if end < len(words) else ""
    verb_follows = following in VERBS or following in AUXILIARIES
    plain = following and following not in STOP_WORDS and following not in PREPOSITIONS
    return end if verb_follows or plain else end - 1


def _is_verb_after_name(words: list[Word], place: int) -> bool:
    """Say whether the word after a name is its verb, not its noun: "Rwanda want" against "Rwanda deal"."""
    following = words[place + 1].text.lower() if place + 1 < len(words) else ""
    return following in DETERMINERS or following in ("it", "them", "him", "that")


def _with_attached(words: list[Word], end: int, by_start: dict[int, int], text: str) -> int:
    end = _with_participle(words, end, by_start, text)
    while end < len(words) and words[end].text.lower() in _ATTACHED:
        if "," in text[words[end - 1].end : words[end].start]:
            break
        after = _phrase_end(words, end + 1, by_start, text) if end + 1 < len(words) else end + 1
        if after == end + 1:
            break
        if words[end].text.lower() == "between" and after < len(words) and words[after].text.lower() == "and":
            after = max(after, _phrase_end(words, after + 1, by_start, text) if after + 1 < len(words) else after)
        end = after
    while end + 1 < len(words) and _AND_THEN.match(text[words[end - 1].end : words[end + 1].start]):
        after = _phrase_end(words, end + 1, by_start, text)
        if after == end + 1 or words[end + 1].start not in by_start:
            break
        end = after
    return end


def _with_participle(words: list[Word], end: int, by_start: dict[int, int], text: str) -> int:
    """Take in what was done to people or things: "people deported to Rwanda"."""
    head = words[end - 1].text.lower()
    if end + 2 >= len(words) or not (head in _MASS or head.endswith("s")) or words[end - 1].start in by_start:
        return end
    if not words[end].text.endswith("ed") or words[end + 1].text.lower() not in PREPOSITIONS:
        return end
    after = _phrase_end(words, end + 2, by_start, text)
    return after if after > end + 2 else end


def _after(words: list[Word], place: int, end: int) -> int:
    while place < len(words) and words[place].start < end:
        place += 1
    return place


def _phrase(text: str, words: list[Word], first: int, end: int, is_name: bool) -> Phrase:
    start, stop = words[first].start, words[end - 1].end
    if is_name and start and text[start - 1] in "$£€¥":
        start -= 1
    before = [word.text.lower() for word in words[:first]]
    shown = text[start:stop]
    if before and (before[-1] in ("which", "what", "whose") or before[-2:] in (["how", "many"], ["how", "much"])):
        role = Role.ASKED
    elif before and before[-1] in PREPOSITIONS:
        role = Role.WITHIN
    elif not before or before[-1] in AUXILIARIES or not set(before) - QUESTION_WORDS - AUXILIARIES:
        role = Role.SUBJECT
    else:
        role = Role.OBJECT
    return Phrase(shown, start, stop, sort_of(shown, is_name=is_name), role, is_name)
