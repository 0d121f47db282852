"""The chats a library keeps: ask on, go back, ask anew or otherwise (a branch), and see whether sources still stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from corpus.errors import ChatNotFoundError, SettingsError
from index.library_chats import (
    ChatInfo,
    StoredTurn,
    add_turn,
    begin_chat,
    branches_of_chat,
    create_chat,
    delete_chat,
    find_chat,
    list_chats,
    rename_chat,
    search_chats,
    turns_of_chat,
)
from index.types import Filters
from qa.conversation import turns_of_json
from qa.safe_text import clipped, neutralise
from qa.source_check import CheckedSource, check_source
from qa.types import Answer, StreamEvent

if TYPE_CHECKING:
    from qa.byline import Byline

UNTITLED = "New chat"
_TITLE_CHARS = 60  # one line of a list
EVERYTHING = Filters()


class Chats:
    """The stored chats of an open library.

    Args:
        byline: Answers, and holds the file.
        visitor: Whose chats alone are seen; None sees all, as whoever has the library may.
    """

    def __init__(self, byline: Byline, visitor: str | None = None) -> None:
        self._byline = byline
        self._file = byline.index.library.file
        self._visitor = visitor

    def of(self, visitor: str) -> Chats:
        """Return the chats of one visitor of the page, to whom those of others are not there."""
        return Chats(self._byline, visitor)

    def new(self, title: str | None = None) -> Chat:
        """Start a chat; without a title it takes that of its first question."""
        wanted = _checked_title(title) if title else UNTITLED
        return Chat(self._byline, create_chat(self._file, wanted, self._visitor))

    def search(self, words: str) -> list[ChatInfo]:
        """Return the chats that hold every one of these words in title, questions or answers."""
        return search_chats(self._file, words, self._visitor)

    def all(self) -> list[ChatInfo]:
        """Return every chat, the one used last first."""
        return list_chats(self._file, self._visitor)

    def open(self, chat_id: str) -> Chat:
        """Return a chat by its id or an unambiguous beginning of it.

        Raises:
            ChatNotFoundError: If there is none, or there are several.
        """
        return Chat(self._byline, find_chat(self._file, chat_id, self._visitor))

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat another title.

        Raises:
            ChatNotFoundError: If it is not there.
            SettingsError: If the title is blank.
        """
        rename_chat(self._file, find_chat(self._file, chat_id, self._visitor).id, _checked_title(title))

    def delete(self, chat_id: str) -> None:
        """Delete a chat with all its turns, for good.

        Raises:
            ChatNotFoundError: If it is not there.
        """
        delete_chat(self._file, find_chat(self._file, chat_id, self._visitor).id)

    def keep(
        self, answer: Answer, *, chat_id: str | None = None, after: str | None = None, filters: Filters = EVERYTHING
    ) -> tuple[str, str]:
        """Store an answer that was given outside a chat, in one transaction.

        Args:
            answer: What was shown.
            chat_id: The chat it belongs to; None begins one with the question as its title.
            after: The turn it follows; None makes it a first one.
            filters: Which articles were asked.

        Returns:
            The ids of chat and turn.

        Raises:
            ChatNotFoundError: If the chat, or the turn before, was deleted meanwhile.
            IndexingError: If the library cannot be written.
        """
        answered, searched = answer.to_dict(), _filters_to(filters, None)
        if chat_id is not None:
            return chat_id, add_turn(self._file, chat_id, after, answered, searched, self._visitor).id
        chat, turn = begin_chat(self._file, title_of(answer.question), self._visitor, answered, searched)
        return chat.id, turn.id

    def branches(self, chat_id: str) -> dict[str, tuple[str, ...]]:
        """Return for each turn of a chat the turns asked at its place, itself among them, all as ids."""
        return branches_of_chat(self._file, chat_id)


class Chat:
    """One stored chat, seen along one branch: what is asked follows the last turn of it.

    Args:
        byline: Answers.
        info: As stored.
    """

    def __init__(self, byline: Byline, info: ChatInfo) -> None:
        self._byline = byline
        self._file = byline.index.library.file
        self.id = info.id
        self.title = info.title
        stored = turns_of_chat(self._file, info.id)
        self._leaf = stored[-1].id if stored else None

    def turns(self) -> list[StoredTurn]:
        """Return the turns of this branch, oldest first."""
        by_id = {turn.id: turn for turn in turns_of_chat(self._file, self.id)}
        path: list[StoredTurn] = []
        place = self._leaf
        while place is not None and place in by_id:
            path.append(by_id[place])
            place = by_id[place].parent
        return path[::-1]

    def branches(self, turn_id: str) -> list[StoredTurn]:
        """Return the turns that were asked at the same place, this one among them, in the order asked.

        Raises:
            ChatNotFoundError: If the chat has no such turn.
        """
        stored = turns_of_chat(self._file, self.id)
        parent = self._turn(stored, turn_id).parent
        return [turn for turn in stored if turn.parent == parent]

    def go_to(self, turn_id: str) -> None:
        """See the branch of this turn: down to the last turn asked after it.

        Raises:
            ChatNotFoundError: If the chat has no such turn.
        """
        stored = turns_of_chat(self._file, self.id)
        self._turn(stored, turn_id)
        leaf = turn_id
        for turn in stored:  # children come after their parents
            if turn.parent == leaf:
                leaf = turn.id
        self._leaf = leaf

    def ask(
        self, question: str, *, k: int | None = None, filters: Filters = EVERYTHING, as_of: date | None = None
    ) -> Answer:
        """Ask after the last turn of this branch, and store question and answer.

        Raises:
            QAError: As `Byline.ask`; then nothing is stored.
            ChatNotFoundError: If the chat was deleted meanwhile.
        """
        *_, last = self.stream(question, k=k, filters=filters, as_of=as_of)
        if last.answer is None:
            raise ValueError("A stream ends with its answer.")
        return last.answer

    def stream(
        self, question: str, *, k: int | None = None, filters: Filters = EVERYTHING, as_of: date | None = None
    ) -> Iterator[StreamEvent]:
        """Yield as `Byline.stream` does; the turn is stored before the finished answer is yielded."""
        return self._events(question, self.turns(), self._leaf, k, filters, as_of)

    def regenerate(self, turn_id: str | None = None) -> Answer:
        """Ask a question again, the last one unless a turn is named, beside its former answer.

        Raises:
            ChatNotFoundError: If there is no such turn.
        """
        turn = self._on_branch(turn_id)
        return self.edit(turn.id, turn.question)

    def edit(self, turn_id: str, question: str) -> Answer:
        """Ask something else in place of a turn: a new branch; the old one stays, see `branches` and `go_to`.

        Raises:
            ChatNotFoundError: If there is no such turn.
        """
        turn = self._on_branch(turn_id)
        path = self.turns()
        before = path[: [each.id for each in path].index(turn.id)]
        filters, as_of = filters_from(turn.filters)
        *_, last = self._events(question, before, turn.parent, None, filters, as_of)
        if last.answer is None:
            raise ValueError("A stream ends with its answer.")
        return last.answer

    def check(self, turn: StoredTurn) -> list[CheckedSource]:
        """Compare what a turn cites with the articles as they are now, citation by citation."""
        cited = turn.answer["citations"]
        articles = self._byline.index.library.articles_by_id([citation["article_id"] for citation in cited])
        return [check_source(citation, articles.get(citation["article_id"])) for citation in cited]

    def rename(self, title: str) -> None:
        """Give the chat another title."""
        rename_chat(self._file, self.id, _checked_title(title))
        self.title = _checked_title(title)

    def _events(
        self,
        question: str,
        before: list[StoredTurn],
        parent: str | None,
        k: int | None,
        filters: Filters,
        as_of: date | None,
    ) -> Iterator[StreamEvent]:
        history = [turn for stored in before for turn in turns_of_json(stored.answer)]
        events = self._byline.stream(question, k=k, filters=filters, history=history, as_of=as_of)
        return self._stored(events, parent, _filters_to(filters, as_of))

    def _stored(self, events: Iterator[StreamEvent], parent: str | None, filters: str | None) -> Iterator[StreamEvent]:
        for event in events:
            if event.answer is not None:
                turn = add_turn(self._file, self.id, parent, event.answer.to_dict(), filters)
                self._leaf = turn.id
                if self.title == UNTITLED:
                    self.rename(turn.question)
            yield event

    def _on_branch(self, turn_id: str | None) -> StoredTurn:
        path = self.turns()
        if turn_id is None and path:
            return path[-1]
        return self._turn(path, turn_id or "")

    def _turn(self, turns: list[StoredTurn], turn_id: str) -> StoredTurn:
        for turn in turns:
            if turn.id == turn_id:
                return turn
        raise ChatNotFoundError(f"The chat {self.title!r} has no such turn here. See its turns again.")


def title_of(question: str) -> str:
    """Return the title that a chat takes from its first question."""
    return _checked_title(question)


def _checked_title(title: str) -> str:
    readable = neutralise(title)  # half a character cannot be stored, and a list of chats is read by people
    if not readable.strip():
        raise SettingsError("The title is blank. Give the chat a name.")
    return clipped(readable, _TITLE_CHARS)


def _filters_to(filters: Filters, as_of: date | None) -> str | None:
    if not filters and as_of is None:
        return None
    row = {
        "outlets": list(filters.outlets),
        "since": filters.since and filters.since.isoformat(),
        "until": filters.until and filters.until.isoformat(),
        "article_ids": list(filters.article_ids),
        "as_of": as_of and as_of.isoformat(),
    }
    return json.dumps(row)


def filters_from(stored: str | None) -> tuple[Filters, date | None]:
    """Return which articles a stored turn was asked of, and as of which day."""
    if stored is None:
        return EVERYTHING, None
    row = json.loads(stored)
    days = {name: date.fromisoformat(row[name]) if row[name] else None for name in ("since", "until", "as_of")}
    return Filters(tuple(row["outlets"]), days["since"], days["until"], tuple(row["article_ids"])), days["as_of"]
