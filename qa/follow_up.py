"""One follow-up and the turns before -> a question that stands alone, by rules of English; no model.

It is left as it is when it stands alone, put into words where the turns before say what is meant, and named unclear
when nothing, or more than one thing equally well, can be meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.antecedents import Exchange, Wanted, answer_phrase, find_antecedents, find_doer, topic_of
from qa.mentions import Kind, find_mentions
from qa.phrases import AUXILIARIES, PREPOSITIONS, QUESTION_WORDS, VERBS, Role, Sort, find_phrases, word_set
from qa.pronouns import PRONOUNS, Pronoun, find_unbound
from qa.thin import is_thin, names_something
from qa.unnamed import find_unnamed
from qa.verbs import base_of_past
from qa.words import split_words


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a follow-up comes to.

    Args:
        question: Standing alone, as far as it can; the follow-up itself when nothing was to be done.
        unclear: The word that could not be put into words, when that leaves the question without a meaning.
        candidates: What it may mean, when there are several.
    """

    question: str
    unclear: str | None = None
    candidates: tuple[str, ...] = ()


_LINK = re.compile(r"^\s*(?:(?:and|but|so|also|then|ok|okay|well|now|thanks|thank you)\b[,.!]?\s+)+", re.IGNORECASE)
_ABOUT = re.compile(r"^\s*(?:(?:and|but|so)\s+)?(?:what|how)\s+about\s+(?P<what>[^?]+?)\W*$", re.IGNORECASE)
_AND = re.compile(r"^\s*(?:and|or)\s+(?P<what>[^?,]+?)\W*$", re.IGNORECASE)
_I_MEAN = re.compile(r"^\s*(?:i\s+(?:mean|meant|am asking about)|i['’]m asking about|no,)\s+", re.IGNORECASE)
_WH = r"(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|soon|long|old|far|often|large|big))?)"
_BARE = re.compile(
    rf"^\W*(?P<new>(?P<before>(?:{'|'.join(sorted(PREPOSITIONS))})\s+)?(?P<wh>{_WH})\b(?P<asked>(?:\s+[\w’'\-]+){{0,4}}?)"
    r"(?:\s+(?:for|from|to|with|by|not))?)(?:\s+(?:is|was)\s+that)?\W*$",
    re.IGNORECASE,
)
_PREVIOUS_WH = re.compile(rf"^\W*(?:(?:{'|'.join(sorted(PREPOSITIONS))})\s+)?(?P<wh>{_WH})\b\s*", re.IGNORECASE)
_WHICH_TIME = re.compile(r"^(?:in|on)?\s*(?:what|which)\s+(?:year|month|date|day)$", re.IGNORECASE)
_ADVERBIAL = word_set("when where why how")
_POINTS_BACK = re.compile(
    r"\b(?:else|besides\s*\W*$|instead|as well|too\W*$|(?<!is )(?<!are )(?<!was )there\W*$|"
    r"the (?:same|former|latter|first|second|last) (?:one|option)|any more)\b",
    re.IGNORECASE,
)
_THAT_CLAUSE = re.compile(r"\bthat\s+[^?,]{8,}")
_SAYS = re.compile(
    r"\b(?:confirm|den[yi]|report|say|said|reveal|announce|claim|admit|prove|deny|disclose|uncover)\w*\s+$",
    re.IGNORECASE,
)
_ASKS_AMOUNT = re.compile(
    r"^\W*(?:(?:and|so|but)\s+)?how\s+(?:much|many)\s+(?:is|was|are|were)\s+(?:that|it|this)\b", re.IGNORECASE
)
_MAX_ASKED_WORDS = 4  # "to what kind of prisons"; without a preposition two, since the next may be a verb
_MAX_PHRASE_WORDS = 6  # "the former Prime Minister of Britain"


def resolve_follow_up(question: str, exchanges: Sequence[Exchange]) -> Resolved:
    """Return the question as it stands alone.

    Args:
        question: As asked.
        exchanges: The turns before, oldest first; may be empty.
    """
    answered = [exchange for exchange in exchanges if not exchange.unclear]
    if exchanges and exchanges[-1].unclear:
        named = _name_given(question)
        if named:
            return _fill(exchanges[-1].question, named)
    question = _without_preface(question)
    if answered:
        latest = answered[-1]
        about = _ABOUT.match(question) or _AND.match(question)
        if about and _is_phrase(about["what"]):
            return Resolved(_put_in(about["what"].strip(), latest))
        bare = _BARE.match(_LINK.sub("", question))
        if bare and _asks_noun(bare):
            return Resolved(_ask_again(bare["new"].strip(), latest))
    unnamed = find_unnamed(question, answered)
    if unnamed and not is_thin(question):  # a thin one is taken to go on with the topic
        return Resolved(question, unnamed)
    return _put_into_words(question, answered)


def _put_into_words(question: str, exchanges: Sequence[Exchange]) -> Resolved:
    parts: list[str] = []
    end, left_open = 0, False
    for pronoun in find_unbound(question):
        found = _meant(pronoun, question, exchanges)
        if len(found) > 1:
            return Resolved(question, pronoun.text, found)
        if not found:
            left_open = True
            if (exchanges and pronoun.sort is Sort.PERSON) or (not exchanges and is_thin(question)):
                return Resolved(question, pronoun.text)
            continue
        parts += [question[end : pronoun.start], _as_owner(found[0]) if pronoun.is_possessive else found[0]]
        end = pronoun.end
    text = "".join([*parts, question[end:]])
    if end:
        text = _tidy(_LINK.sub("", text))
    if not exchanges or (end and not left_open and not is_thin(text)):
        return Resolved(text)
    if left_open or is_thin(question) or (_POINTS_BACK.search(question) and not names_something(question)):
        return Resolved(_with_topic(text, exchanges))
    return Resolved(text)


def _meant(pronoun: Pronoun, question: str, exchanges: Sequence[Exchange]) -> tuple[str, ...]:
    event = _event(pronoun, question, exchanges)
    if event:
        return (event,)
    wanted = Wanted(pronoun.sort, pronoun.role)
    if pronoun.role is Role.SUBJECT and not pronoun.is_possessive:
        doer = find_doer(wanted, question[pronoun.end :], exchanges, question)
        if doer:
            return (doer,)
    found = find_antecedents(wanted, exchanges, question)
    if not found and pronoun.sort is Sort.MANY:  # bodies and countries are also "they"
        found = find_antecedents(Wanted(Sort.THING, pronoun.role), exchanges, question)
    if len(found) == 1 and _ASKS_AMOUNT.match(question) and found[0][0].isupper():
        return ()  # a country or body has no price
    return found


def _event(pronoun: Pronoun, question: str, exchanges: Sequence[Exchange]) -> str | None:
    """Return the clause that was told of last, when what is confirmed or denied is not a thing but an event."""
    clause = _THAT_CLAUSE.search(exchanges[-1].question) if exchanges else None
    if clause is None or pronoun.sort is not Sort.THING or pronoun.role is Role.SUBJECT or pronoun.is_possessive:
        return None
    return clause[0].strip() if _SAYS.search(question[: pronoun.start]) else None


def _with_topic(question: str, exchanges: Sequence[Exchange]) -> str:
    topic = next((topic for each in reversed(exchanges) if (topic := topic_of(each, question))), "")
    if not topic:
        return question
    body = question.rstrip().rstrip("?.! ")
    return f"{body} ({topic})?"


def _ask_again(new: str, latest: Exchange) -> str:
    """Ask the last question with another question word: "Why?" after "Which court stopped the deal?"."""
    new = {"what for": "why", "how come": "why", "how so": "how", "why not": "why"}.get(new.lower(), new)
    new = _WHICH_TIME.sub("when", new)  # said otherwise, it asks the same, and is found more often
    new = new[0].upper() + new[1:]
    old = latest.question.strip().rstrip("?.! ")
    match = _PREVIOUS_WH.match(old)
    if not match:
        rest = old[0].lower() + old[1:] if old.split()[0].lower() in AUXILIARIES else f"was it that {old}"
        return f"{new} {rest}?"
    asked = [p for p in find_phrases(old) if p.role is Role.ASKED and p.start <= match.end()]
    rest = old[max(match.end(), asked[0].end if asked else 0) :].strip()
    answer = answer_phrase(latest)
    adverbial = match["wh"].split()[0].lower() in _ADVERBIAL and not asked
    filler = "" if adverbial else answer or (asked[0].text if asked else "")
    if rest.split()[:1] and rest.split()[0].lower() in AUXILIARIES:
        return f"{new} {rest} {filler}".strip() + "?"
    who = answer or (f"the {asked[0].text}" if asked else "somebody")
    verb, _, after = rest.partition(" ")
    base = base_of_past(verb)
    return f"{new} did {who} {base} {after}".rstrip() + "?" if base else f"{new} was it that {who} {rest}?"


def _put_in(what: str, latest: Exchange) -> str:
    """Ask the last question of something else: "And the UK?" after "What does Rwanda want?"."""
    old = latest.question.strip()
    words = split_words(what)
    preposition = words[0].text if words and words[0].text.lower() in PREPOSITIONS else ""
    dates = [m for m in find_mentions(old) if m.kind is Kind.DATE]
    is_date = any(m.kind is Kind.DATE and len(m.span) >= len(what) - len(preposition) - 1 for m in find_mentions(what))
    if is_date:
        if dates:
            start, stop = dates[-1].span.start, dates[-1].span.end
            article = re.match(r"the\s+", old[start:])
            if re.match(r"\s+\w", old[stop:]) and (article or re.search(r"\b(?:the|a|an|this)\s+$", old[:start])):
                return (
                    old[: start + (article.end() if article else 0)]
                    + what.removeprefix(preposition).strip()
                    + old[stop:]
                )  # "the 2018 World Cup"
            before = re.search(r"\b(?:in|on|since|before|after|until|by)\s+(?:the\s+)?$", old[:start])
            return old[: before.start() if before else start] + what + old[stop:]
        return f"{old.rstrip('?.! ')} {what}?"
    new = find_phrases(what.removeprefix(preposition).strip()) or ()
    wanted = new[0] if new else None
    places = [p for p in find_phrases(old) if p.role is not Role.ASKED and p.text.casefold() not in what.casefold()]
    if preposition:
        same = [p for p in places if re.search(rf"\b{preposition}\s+$", old[: p.start], re.IGNORECASE)]
        if same:
            return old[: same[0].start] + what.removeprefix(preposition).strip() + old[same[0].end :]
        return f"{old.rstrip('?.! ')} {what}?"
    for fits in (
        lambda p: wanted and p.sort is wanted.sort and p.is_name == wanted.is_name,
        lambda p: wanted and p.sort is wanted.sort,
    ):
        same = [p for p in places if fits(p)]
        if same:
            return old[: same[0].start] + what + old[same[0].end :]
    topic = topic_of(latest, what)
    return f"{what} ({topic})?" if topic else what


def _fill(pending: str, named: str) -> Resolved:
    """Put the name that was given on being asked back into the question that lacked it."""
    pronouns = find_unbound(pending)
    if not pronouns:
        return Resolved(f"{pending.rstrip('?.! ')} ({named})?")
    first = pronouns[0]
    text = _as_owner(named) if first.is_possessive else named
    return Resolved(_tidy(pending[: first.start] + text + pending[first.end :]))


def _name_given(question: str) -> str | None:
    """Return the bare name that a turn consists of, as after being asked back."""
    text = _I_MEAN.sub("", _LINK.sub("", question)).strip().rstrip("?.! ")
    words = {word.text.lower() for word in split_words(text)}
    if not text or words & (QUESTION_WORDS | AUXILIARIES) or "?" in question or _has_verb(text):
        return None
    first, _, rest = text.partition(" ")
    return f"{first.lower()} {rest}" if first.lower() in ("the", "a", "an") else text


def _without_preface(question: str) -> str:
    """Return "What office does X hold?" of "I mean X. What office does he hold?"; else the question itself."""
    head, mark, rest = question.partition(". ")
    if not mark or not _I_MEAN.match(head) or not rest.strip():
        return question
    named = _name_given(head)
    return _fill(rest.strip(), named).question if named else question


def _asks_noun(bare: re.Match[str]) -> bool:
    """Say whether a question word stands alone or with its noun ("in what year"), not with a verb ("who won")."""
    asked = [word.text.lower() for word in split_words(bare["asked"])]
    if not asked:
        return True
    if bare["wh"].lower() not in ("which", "what", "whose", "how many", "how much"):
        return False
    most = _MAX_ASKED_WORDS if bare["before"] else _MAX_ASKED_WORDS - 2
    return len(asked) <= most and not any(
        word in AUXILIARIES or word in VERBS or word in PRONOUNS or word == "there" or word.endswith(("ed", "ing"))
        for word in asked
    )


def _is_phrase(text: str) -> bool:
    """Say whether a text is one noun phrase, perhaps after a preposition, and not a sentence or an activity."""
    words = [word.text.lower() for word in split_words(text)]
    return 0 < len(words) <= _MAX_PHRASE_WORDS and not _has_verb(text) and not words[0].endswith("ing")


def _has_verb(text: str) -> bool:
    words = [word.text.lower() for word in split_words(text)]
    return any(word in AUXILIARIES or word in QUESTION_WORDS for word in words)


def _as_owner(text: str) -> str:
    return f"{text}'" if text.endswith("s") else f"{text}'s"


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text[:1].upper() + text[1:]
