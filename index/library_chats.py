"""Chats as they are stored: a chat is a tree of turns, each with its question, answer JSON and citations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from corpus.errors import ChatNotFoundError
from index.library_file import LibraryFile, new_token

_CHAT = "id, title, created, updated, (SELECT count(*) FROM turns WHERE turns.chat = chats.key)"


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """What a list of chats shows; times are UTC in ISO form."""

    id: str
    title: str
    created: str
    updated: str
    n_turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One question of a chat with its answer.

    Args:
        parent: Id of the turn it follows; None for a first one. Turns with the same parent are branches.
        standalone_question: How the question was read, when that differs.
        filters: JSON of which articles were searched; None for all.
        answer: The answer JSON of DESIGN 3.1.
    """

    id: str
    parent: str | None
    created: str
    question: str
    standalone_question: str | None
    filters: str | None
    answer: Mapping[str, Any]


def create_chat(file: LibraryFile, title: str) -> ChatInfo:
    """Start an empty chat."""
    chat_id, now = new_token(), _now()
    with file.writing() as connection:
        connection.execute(
            "INSERT INTO chats (id, title, created, updated) VALUES (?, ?, ?, ?)", (chat_id, title, now, now)
        )
    return ChatInfo(chat_id, title, now, now, 0)


def list_chats(file: LibraryFile) -> list[ChatInfo]:
    """Return every chat, the one used last first."""
    with file.reading() as connection:
        rows = connection.execute(f"SELECT {_CHAT} FROM chats ORDER BY updated DESC, key DESC").fetchall()
    return [ChatInfo(*row) for row in rows]


def search_chats(file: LibraryFile, words: str) -> list[ChatInfo]:
    """Return the chats whose title, or one of whose turns, holds every word, whatever its case."""
    wanted = words.casefold().split()
    query = "SELECT chat, question, standalone_question, json_extract(answer, '$.answer') FROM turns"
    with file.reading() as connection:
        texts = {key: [title] for key, title in connection.execute("SELECT key, title FROM chats")}
        for key, *parts in connection.execute(query):
            texts[key] += [part for part in parts if part]
        chats = connection.execute(f"SELECT key, {_CHAT} FROM chats ORDER BY updated DESC, key DESC").fetchall()
    folded = {key: "\n".join(parts).casefold() for key, parts in texts.items()}
    return [ChatInfo(*row) for key, *row in chats if all(word in folded[key] for word in wanted)]


def find_chat(file: LibraryFile, chat_id: str) -> ChatInfo:
    """Return the chat with this id, or the only one whose id begins so.

    Raises:
        ChatNotFoundError: If there is none, or there are several.
    """
    with file.reading() as connection:
        query = f"SELECT {_CHAT} FROM chats WHERE substr(id, 1, ?) = ? ORDER BY id"
        rows = connection.execute(query, (len(chat_id), chat_id)).fetchall() if chat_id else []
    if len(rows) != 1:
        found = "no chat" if not rows else f"{len(rows)} chats"
        raise ChatNotFoundError(f"There is {found} {chat_id!r}. See what there is with: byline chat --list")
    return ChatInfo(*rows[0])


def rename_chat(file: LibraryFile, chat_id: str, title: str) -> None:
    """Give a chat another title.

    Raises:
        ChatNotFoundError: If it is not there.
    """
    with file.writing() as connection:
        if not connection.execute("UPDATE chats SET title = ? WHERE id = ?", (title, chat_id)).rowcount:
            raise ChatNotFoundError(f"There is no chat {chat_id!r}. See what there is with: byline chat --list")


def delete_chat(file: LibraryFile, chat_id: str) -> None:
    """Delete a chat with all its turns.

    Raises:
        ChatNotFoundError: If it is not there.
    """
    with file.writing() as connection:
        if not connection.execute("DELETE FROM chats WHERE id = ?", (chat_id,)).rowcount:
            raise ChatNotFoundError(f"There is no chat {chat_id!r}. See what there is with: byline chat --list")


def add_turn(
    file: LibraryFile, chat_id: str, parent: str | None, answer: Mapping[str, Any], filters: str | None = None
) -> StoredTurn:
    """Store a turn, durable on return.

    Args:
        file: The library.
        chat_id: The chat.
        parent: The turn it follows; None makes it a first one.
        answer: The answer JSON; its question and citations are kept beside it.
        filters: JSON of which articles were searched.

    Raises:
        ChatNotFoundError: If the chat, or the parent in it, is not there (any more).
    """
    turn_id, now = new_token(), _now()
    question, standalone = answer["question"], answer["standalone_question"]
    with file.writing() as connection:
        chat = connection.execute("SELECT key FROM chats WHERE id = ?", (chat_id,)).fetchone()
        before = connection.execute(
            "SELECT turns.key FROM turns JOIN chats ON chats.key = turns.chat WHERE turns.id = ? AND chats.id = ?",
            (parent, chat_id),
        ).fetchone()
        if chat is None or (parent is not None and before is None):
            raise ChatNotFoundError(f"The chat {chat_id!r} has been deleted. Start one with: byline chat --new")
        cursor = connection.execute(
            "INSERT INTO turns (id, chat, parent, created, question, standalone_question, filters, answer) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (turn_id, chat[0], before and before[0], now, question, standalone, filters, _json(answer)),
        )
        connection.executemany(
            "INSERT INTO turn_citations (turn, n, article_id, version, span_start, span_end) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (cursor.lastrowid, c["n"], c["article_id"], c["version"], c["start"], c["end"])
                for c in answer["citations"]
            ],
        )
        connection.execute("UPDATE chats SET updated = ? WHERE id = ?", (now, chat_id))
    return StoredTurn(turn_id, parent, now, question, standalone, filters, answer)


def turns_of_chat(file: LibraryFile, chat_id: str) -> list[StoredTurn]:
    """Return every turn of a chat, of all its branches, in the order they were asked."""
    query = """
        SELECT turns.id, parents.id, turns.created, turns.question, turns.standalone_question, turns.filters,
               turns.answer
        FROM turns JOIN chats ON chats.key = turns.chat LEFT JOIN turns AS parents ON parents.key = turns.parent
        WHERE chats.id = ? ORDER BY turns.key
    """
    with file.reading() as connection:
        rows: Sequence[tuple[Any, ...]] = connection.execute(query, (chat_id,)).fetchall()
    return [
        StoredTurn(turn_id, parent, created, question, standalone, filters, json.loads(answer))
        for turn_id, parent, created, question, standalone, filters, answer in rows
    ]


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
