"""Questions that an answer invites: made by rule from what was read, each asked to see that the articles answer it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from index.types import Hit
from qa.mentions import Kind, find_mentions
from qa.types import Answer, flat

MAX_SUGGESTED = 3
MAX_TRIED = 7  # each costs as much as an answer; when seven fail an eighth seldom does not
MIN_CONFIDENCE = 0.6  # clearly more likely right than not: a suggestion must not lead into a refusal
_SAYS = re.compile(
    r"(?:,[^.,“”]{1,60},)?\s+(?:said|says|told|added|announced|argued|wrote|warned|called)\b[^.]{0,40}(?:that\b|“)"
)
_DESCRIBED = re.compile(r",\s+((?:the|an?|who|whose)\s[^,.;]{4,80})")  # "Ann Lee, the mayor of Oslo, ..."
_DESCRIBING = re.compile(r",\s+(?:the|an?)\s+$")  # what stands here describes somebody and is no name of its own
_ARTICLE = re.compile(r"\b[Tt]he\s+$")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that the library might answer, and how one sees that it did.

    Args:
        tier: 0 is asked first.
        name: What it asks about; the sentence cited must hold it.
        description: The words after the name that say who this is; the short answer must share words with them.
    """

    tier: int
    question: str
    name: str
    description: str = ""


def suggest_questions(
    answer: Answer, ask: Callable[[str], Answer], may_go_on: Callable[[], bool] = lambda: True
) -> list[str]:
    """Return up to three questions that the same library answers.

    Args:
        answer: The one just given; what it was asked and what it cites are not suggested again.
        ask: Answers a question from the same library, within the same filters.
        may_go_on: Asked before each question; once it says no, what was found so far is returned.
    """
    shown = {(citation.article.id, citation.span) for citation in answer.citations}
    suggested: list[str] = []
    for candidate in candidates(answer)[:MAX_TRIED]:
        if len(suggested) == MAX_SUGGESTED or not may_go_on():
            break
        found = ask(candidate.question)
        places = {(citation.article.id, citation.span) for citation in found.citations}
        if places <= shown or not _answers(candidate, found):
            continue
        shown |= places
        suggested.append(candidate.question)
    return suggested


def candidates(answer: Answer) -> list[Candidate]:
    """Return questions about the people and names of the passages that were read, each name once, likeliest first."""
    asked = answer.question.casefold()
    seen: list[str] = []
    kept = []
    found = [candidate for hit in answer.hits for candidate in _candidates_of(hit)]
    for candidate in sorted(found, key=lambda candidate: candidate.tier):
        known = candidate.name.casefold()
        if known not in asked and not any(known in other or other in known for other in seen):
            seen.append(known)
            kept.append(candidate)
    return kept


def _answers(candidate: Candidate, found: Answer) -> bool:
    if found.abstained or found.confidence < MIN_CONFIDENCE:
        return False
    if not any(candidate.name in flat(citation.quote) for citation in found.citations):
        return False
    if not candidate.description:
        return True
    short = {word.casefold() for word in re.findall(r"\w{3,}", found.short_answer or "")}
    return bool(short & {word.casefold() for word in re.findall(r"\w{3,}", candidate.description)} - {"the"})


def _candidates_of(hit: Hit) -> Iterator[Candidate]:
    for sentence in hit.passage.sentences:
        words = flat(sentence.slice(hit.article.text))
        for mention in find_mentions(words):
            name = mention.span.slice(words)
            before, after = words[: mention.span.start], words[mention.span.end :]
            if mention.kind not in (Kind.PERSON, Kind.NAME) or " " not in name or len(name) > _LONGEST_NAME:
                continue
            if _DESCRIBING.search(before):
                continue
            if described := _DESCRIBED.match(after):
                yield Candidate(0, f"Who is {name}?", name, described[1])
            elif _SAYS.match(after):
                yield Candidate(1, f"What did {name} say?", name)
            else:
                the = "the " if _ARTICLE.search(before) else ""
                yield Candidate(2, f"What is said about {the}{name}?", name)
