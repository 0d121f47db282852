"""Stored chats -> plain lines for a terminal; pure functions. Stored text is made safe like any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.library_chats import ChatInfo, StoredTurn
from qa.listing import one_line
from qa.render import declined
from qa.source_check import CheckedSource, SourceState

ID_SHOWN = 6  # characters of a chat's id: enough to tell a person's chats apart


def chat_lines(chats: Sequence[ChatInfo]) -> Iterator[str]:
    """Yield one tab-separated line per chat: id, day and time of its last turn, number of turns, title."""
    for chat in chats:
        when = chat.updated[:16].replace("T", " ")
        yield "\t".join((chat.id[:ID_SHOWN], when, str(chat.n_turns), one_line(chat.title)))


def turn_lines(number: int, turn: StoredTurn, sources: Sequence[CheckedSource]) -> Iterator[str]:
    """Yield a stored turn: question, how it was read, the answer, and each citation with what became of its source.

    A quote whose article was removed is not shown again.
    """
    answer = turn.answer
    removed = {source.n for source in sources if source.state is SourceState.REMOVED}
    yield f"{number}> {one_line(turn.question)}"
    if turn.standalone_question:
        yield f"Read as: {one_line(turn.standalone_question)}"
    if answer["abstained"]:
        yield f"{declined(answer['question'])} {one_line(answer['reason'])}".lstrip()
        return
    for statement in answer["statements"]:
        numbers = "".join(f"[{n}]" for n in statement["citations"])
        if removed.issuperset(statement["citations"]):
            yield f"(This sentence is not shown: its article was removed.) {numbers}"
        else:
            yield f"{one_line(statement['text'])} {numbers}"
    for citation, source in zip(answer["citations"], sources, strict=True):
        yield from source_lines(one_line(citation["title"]), source)


def source_lines(title: str, source: CheckedSource) -> Iterator[str]:
    """Yield a citation's number, title and state, and the diff of a changed one."""
    state = "" if source.state is SourceState.VALID else f" ({source.state.value})"
    yield f"[{source.n}] {title}{state}"
    if source.state is SourceState.CHANGED:
        yield f"    now: {one_line(source.diff)}" if source.diff else "    now: no sentence of the article is like it."
