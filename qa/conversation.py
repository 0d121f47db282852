"""A chat's turns -> the standalone question of its last one, or which word is unclear and what it may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpus.errors import SettingsError
from corpus.normalise import normalise_text
from qa.antecedents import Exchange
from qa.follow_up import Resolved, resolve_follow_up
from qa.small_talk import is_small_talk
from qa.types import Answer

_MAX_TURN_CHARS = 4_000  # of a turn before, as of a question: what is pasted beyond names nothing that "it" means
_MAX_SHORT_WORDS = 4  # of a reply that is an answer and not a sentence
MAX_TURNS = 40  # read of a history: nothing older says what "it" is, and each costs a resolution
Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat.

    Args:
        role: Who spoke.
        text: The question as asked, or the answer's text.
        short_answer: Of an answer, the words that answer.
        quotes: Of an answer, the quotes it cites.
    """

    role: Role
    text: str
    short_answer: str | None = None
    quotes: tuple[str, ...] = ()


History = Sequence["Turn | Answer | str | Mapping[str, object]"]
"""Turns before a question, oldest first: a text alone is the user's; an `Answer` is its question and itself."""


def turns_of(answer: Answer) -> tuple[Turn, Turn]:
    """Return the two turns of an answered question."""
    quotes = tuple(citation.quote for citation in answer.citations)
    said = answer.abstention.reason if answer.abstention else answer.text
    return Turn("user", answer.question), Turn("assistant", said, answer.short_answer, quotes)


def turns_of_json(answer: Mapping[str, Any]) -> tuple[Turn, Turn]:
    """Return the two turns of an answer JSON, as `turns_of` does of the answer."""
    quotes = tuple(citation["quote"] for citation in answer["citations"] if citation["quote"])
    said = answer["answer"] or answer["reason"] or ""
    return Turn("user", answer["question"]), Turn("assistant", said, answer["short_answer"], quotes)


def parse_history(history: History) -> tuple[Turn, ...]:
    """Return the turns of a history in whatever form it comes.

    Raises:
        SettingsError: If a turn is neither text nor `{role, text}` with a role of `user` or `assistant`.
    """
    if isinstance(history, str | Mapping) or not isinstance(history, Sequence):
        raise SettingsError("A history is a list of turns: texts of questions, or objects {role, text}.")
    turns: list[Turn] = []
    for number, each in enumerate(history, 1):
        if isinstance(each, Answer):
            turns += turns_of(each)
        elif isinstance(each, Turn):
            turns.append(each)
        elif isinstance(each, str):
            turns.append(Turn("user", normalise_text(each)))
        else:
            turns.append(_parse_turn(each, number))
    return tuple(turns)


def resolve(question: str, history: History) -> Resolved:
    """Return the last question of a chat as it stands alone; every turn before is put into words on the way.

    Raises:
        SettingsError: As `parse_history`.
    """
    turns = [turn for turn in parse_history(history) if turn.text.strip()][-MAX_TURNS:]
    if turns and turns[-1].role == "user" and turns[-1].text.strip() == question.strip():
        turns = turns[:-1]  # some keep the question itself as the last turn of its history
    exchanges: list[Exchange] = []
    for place, turn in enumerate(turns):
        if turn.role == "assistant" or is_small_talk(turn.text):
            continue
        resolved = resolve_follow_up(turn.text[:_MAX_TURN_CHARS], exchanges)
        reply = turns[place + 1] if place + 1 < len(turns) and turns[place + 1].role == "assistant" else None
        said = (reply.quotes or (reply.text[:_MAX_TURN_CHARS],)) if reply else ()
        short = (reply.short_answer or _short(reply.text)) if reply else None
        exchanges.append(Exchange(resolved.question, short, said, resolved.unclear is not None))
    return resolve_follow_up(question, exchanges)


def ask_back(resolved: Resolved) -> str:
    """Return the sentence that asks what an unclear question means."""
    if resolved.candidates:
        *others, last = resolved.candidates
        named = f"{', '.join(others)} or {last}"
        return f"It is not clear whom or what “{resolved.unclear}” means: {named}? Ask again with the name."
    return f"It is not clear whom or what “{resolved.unclear}” means. Ask again with the name."


def _short(text: str) -> str | None:
    """Return a reply of a few words as the short answer it is: "Amina Otieno"."""
    bare = text.strip().rstrip(".")
    return bare if bare and len(bare.split()) <= _MAX_SHORT_WORDS and not re.search(r"[.!?]\s", bare) else None


def _parse_turn(row: object, number: int) -> Turn:
    if isinstance(row, Mapping):
        role, text = row.get("role"), row.get("text", row.get("content"))
        if role in ("user", "assistant") and isinstance(text, str):
            return Turn("user" if role == "user" else "assistant", normalise_text(text))
    raise SettingsError(f"Turn {number} of the history must be a text or {{role, text}} with role user or assistant.")
