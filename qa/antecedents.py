"""What a pronoun of a follow-up stands for: candidates from the turns before, by recency, agreement and place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa.mentions import Kind, find_mentions
from qa.phrases import AUXILIARIES, DETERMINERS, QUESTION_WORDS, Phrase, Role, Sort, find_phrases, sort_of, word_set
from qa.question import Form, analyse_question
from qa.words import split_words

_MAX_BACK = 4  # turns: what was last named five questions ago is rarely what "it" means
_MAX_ANSWER_WORDS = 8  # a longer short answer is a clause, which cannot stand where a pronoun stood
_MAX_SAID_CHARS = 600  # of what an assistant wrote: those it is about stand in its first sentences
_NOT_THINGS = frozenset(
    {Form.WHEN, Form.WHERE, Form.WHY, Form.HOW, Form.YES_NO, Form.CHOICE, Form.QUOTE, Form.HOW_LARGE}
)
_POSSESSIVE = re.compile(r"^(?:its|his|her|their)\s+", re.IGNORECASE)
_INDEFINITE = re.compile(r"^(?:an?|some|any)\s+", re.IGNORECASE)
_WHO_IS = re.compile(r"^\W*[Ww]h(?:o|at)\s+(?:is|was)\s+(?:the\s+)?[A-Z][\w.\-]*(?:\s+[A-Z][\w.\-]*)*\s*\?*$")
_ASKED_FOR = re.compile(r"^(?:any|some|no|each|every)\b", re.IGNORECASE)  # whether it exists is what was asked
_PREFERRED = {
    Role.SUBJECT: (Role.ASKED, Role.SUBJECT, Role.OBJECT, Role.WITHIN),
    Role.OBJECT: (Role.ASKED, Role.OBJECT, Role.SUBJECT, Role.WITHIN),
    Role.WITHIN: (Role.ASKED, Role.WITHIN, Role.OBJECT, Role.SUBJECT),
}
_AMOUNTS = word_set("year month day date time cost costs price fee amount")
_PLEASANTRIES = word_set("thank thanks hello hi yes ok okay good great sorry please sure wow")
_DIFFERENCE = re.compile(r"^(?:the\s+)?\w*\s*(?:differences?|comparison|choice|relations?)\s+between\s", re.IGNORECASE)
_EMPTY_HEADS = word_set("kind sort type name number way reason part lot example thing things one ones")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A finished turn as later ones see it.

    Args:
        question: Standing alone.
        short_answer: Verbatim words that answered it, when there are any.
        said: The statements or cited quotes, or what the assistant wrote.
        unclear: Whether it was asked back what was meant; then nothing was answered.
    """

    question: str
    short_answer: str | None = None
    said: tuple[str, ...] = ()
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a pronoun asks for: its sort, and the place it stands in, for what stood in the same place is preferred."""

    sort: Sort
    role: Role


def find_antecedents(wanted: Wanted, exchanges: Sequence[Exchange], besides: str) -> tuple[str, ...]:
    """Return the best candidates: none, the one that is meant, or several that are equally good.

    Args:
        wanted: What agrees with the pronoun.
        exchanges: Oldest first.
        besides: The follow-up itself: what it names already is not meant by its pronoun.
    """
    named = _core(besides)
    for exchange in reversed(exchanges[-_MAX_BACK:]):
        for tier in _tiers(wanted, exchange):
            fresh = [text for text in _distinct(tier) if _core(text) not in named]
            if fresh:
                return tuple(fresh)
    return ()


def find_doer(wanted: Wanted, following: str, exchanges: Sequence[Exchange], besides: str) -> str | None:
    """Return whom or what a turn before joined with the same verb: "an Iraqi was deported" and "when was he deported".

    Args:
        wanted: What agrees with the pronoun.
        following: The words after the pronoun.
        exchanges: Oldest first.
        besides: The follow-up itself, as in `find_antecedents`.
    """
    verb = _first_verb(following)
    for exchange in reversed(exchanges[-_MAX_BACK:]) if verb else ():
        for phrase in find_phrases(exchange.question):
            same = _first_verb(exchange.question[phrase.end :]) == verb
            if same and _agrees(phrase.sort, phrase.text, wanted) and _core(phrase.text) not in _core(besides):
                return definite(phrase.text)
    return None


def _first_verb(text: str) -> str | None:
    """Return the stem of the first word that is no auxiliary, unless another function word comes before it."""
    rest = [word for word in split_words(text) if word.text.lower() not in AUXILIARIES]
    return rest[0].stem if rest and not rest[0].is_stop else None


def topic_of(exchange: Exchange, besides: str, most: int = 2) -> str:
    """Return what a turn was about, in its own words: its best phrases that the follow-up does not name."""
    named = _core(besides)
    found = find_phrases(exchange.question)
    ranked = [p for p in found if p.is_name] + [p for p in found if not p.is_name and p.role is not Role.ASKED]
    ranked += [p for p in found if not p.is_name and p.role is Role.ASKED]
    texts = [_with_owner(phrase, found) for phrase in sorted(ranked[:most], key=lambda p: p.start)]
    answer = answer_phrase(exchange)
    if answer and analyse_question(exchange.question).form not in _NOT_THINGS:
        texts.append(answer)
    fresh = [text for text in _distinct(texts) if _core(text) not in named]
    if not fresh:
        terms = [t for t in analyse_question(exchange.question).terms if t.text.casefold() not in named]
        terms = [term for term in terms if term.text.casefold() not in _PLEASANTRIES]
        fresh = [" ".join(t.text for t in terms[:4])] if terms else []
    return ", ".join(fresh[: most + 1])


def answer_phrase(exchange: Exchange) -> str | None:
    """Return the short answer when it can stand where a noun phrase stands."""
    answer = exchange.short_answer
    if not answer or ";" in answer or len(answer.split()) > _MAX_ANSWER_WORDS or answer in ("Yes", "No"):
        return None
    first = answer.split()[0].lower()
    opens = first in DETERMINERS or answer[0].isupper() or re.match(r"\W*[$£€¥]", answer)
    return definite(answer) if opens else None


def definite(text: str) -> str:
    """Return a phrase as it is named the second time: "a deal" becomes "the deal"."""
    text = _INDEFINITE.sub("the ", text)
    first, _, rest = text.partition(" ")
    return f"{first.lower()} {rest}" if first.lower() in DETERMINERS and rest else text


def _tiers(wanted: Wanted, exchange: Exchange) -> Iterator[list[str]]:
    form = analyse_question(exchange.question).form
    phrases = find_phrases(exchange.question)
    answer = answer_phrase(exchange)
    if _WHO_IS.match(exchange.question):  # the answer only describes who or what the question names
        yield [p.text for p in phrases if p.is_name and _agrees(_sort_of_answer(p.text, Form.WHO), p.text, wanted)][:1]
    if answer and form not in _NOT_THINGS and _agrees(_sort_of_answer(answer, form), answer, wanted):
        yield [answer]
    joined = [part for phrase in phrases for part in _parts(phrase, wanted)]
    if len(joined) > 1:
        yield joined
    if wanted.sort is Sort.MANY:
        yield [p.text.partition(" between ")[2] for p in phrases if _DIFFERENCE.match(p.text)]
    agreeing = [p for p in phrases if _agrees(p.sort, p.text, wanted) and p.text.lower() not in _EMPTY_HEADS]
    agreeing = [p for p in agreeing if not _ASKED_FOR.match(p.text)]
    for role in _PREFERRED[wanted.role]:
        of_role = [p for p in agreeing if p.role is role and not (role is Role.ASKED and _is_generic(p))]
        if role is Role.SUBJECT and wanted.role is Role.OBJECT:  # "the plan" of "What did the court say of the plan?"
            of_role = [p for p in agreeing if p.role is Role.WITHIN and not p.is_name] or of_role
        if of_role:
            yield [_with_owner(of_role[0], phrases)]
    if wanted.sort is Sort.THING:  # a company may be called like a person: "Lehman Brothers"
        yield [p.text for p in phrases if p.is_name and p.role is not Role.WITHIN][:1]
    if wanted.sort is Sort.PERSON:
        yield [p.text for p in phrases if p.is_name and _may_be_person(p.text)][:1]
        yield [name for text in exchange.said for name in _people(text[:_MAX_SAID_CHARS])]


def _agrees(sort: Sort, text: str, wanted: Wanted) -> bool:
    if wanted.sort is Sort.MANY and sort is Sort.THING:
        return False
    return sort is wanted.sort and not (wanted.sort is Sort.THING and text.lower() in _EMPTY_HEADS)


def _sort_of_answer(answer: str, form: Form) -> Sort:
    sort = sort_of(answer, is_name=answer[0].isupper())
    single_name = form is Form.WHO and sort is Sort.THING and answer[0].isupper() and _may_be_person(answer)
    return Sort.PERSON if single_name else sort


def _may_be_person(name: str) -> bool:
    from qa.places_babel import place_names

    core = name.lower().removeprefix("the ")
    words = name.split()
    return core not in place_names() and all(w[0].isupper() and not (w.isupper() and len(w) > 1) for w in words)


def _is_generic(phrase: Phrase) -> bool:
    """Whether the asked noun says nothing once it is answered, e.g. "which year"."""
    words = phrase.text.lower().split()
    return words[-1] in _EMPTY_HEADS or words[-1] in _AMOUNTS or words[0] in QUESTION_WORDS


def _parts(phrase: Phrase, wanted: Wanted) -> list[str]:
    """Return the members of "X and Y" when a singular pronoun cannot tell which of them is meant."""
    if wanted.sort is Sort.MANY or " and " not in phrase.text:
        return []
    head, _, tail = phrase.text.partition(" between ")
    if tail and wanted.sort is Sort.THING and not head.lower().endswith(("difference", "differences")):
        return []
    parts = re.split(r",?\s+and\s+|,\s+", tail or phrase.text)
    sorts = [sort_of(part, is_name=part[0].isupper()) for part in parts if part]
    return parts if len(parts) > 1 and all(sort is wanted.sort for sort in sorts) else []


def _with_owner(phrase: Phrase, phrases: Sequence[Phrase]) -> str:
    """Return the phrase with "its" and the like put into words."""
    if not _POSSESSIVE.match(phrase.text):
        return f"the {phrase.text}" if phrase.role is Role.ASKED and not phrase.is_name else definite(phrase.text)
    rest = _POSSESSIVE.sub("", phrase.text)
    owners = [other for other in phrases if other.end < phrase.start and other.role is not Role.ASKED]
    return f"{owners[-1].text}'s {rest}" if owners else f"the {rest}"


def _people(text: str) -> list[str]:
    found = [m.span.slice(text) for m in find_mentions(text) if m.kind in (Kind.NAME, Kind.PERSON)]
    return [name for name in found if sort_of(name, is_name=True) is Sort.PERSON]


def _distinct(texts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for text in texts:
        if not any(_core(text) in _core(other) or _core(other) in _core(text) for other in kept):
            kept.append(text)
    return kept


def _core(text: str) -> str:
    """Return the words that tell a phrase from others, to compare by."""
    folded = [word.text.casefold() for word in split_words(text)]
    return " ".join(word for word in folded if word not in DETERMINERS and word not in AUXILIARIES) or text.casefold()
