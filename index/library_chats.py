"""Chats as they are stored: a chat is a tree of turns, each with its question, answer JSON and citations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any

from corpus.errors import ChatNotFoundError
from index.library_file import LibraryFile, new_token

_CHAT = "id, title, created, updated, (SELECT count(*) FROM turns WHERE turns.chat = chats.key), visitor IS NOT NULL"
_SEEN = "(?1 IS NULL OR visitor = ?1)"  # by whoever has the library: all; by a visitor of its page: the own ones


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """What a list of chats shows; times are UTC in ISO form.

    Args:
        on_page: Whether it was begun in a browser, so that it belongs to whoever sat there.
    """

    id: str
    title: str
    created: str
    updated: str
    n_turns: int
    on_page: bool = False


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


def create_chat(file: LibraryFile, title: str, visitor: str | None = None) -> ChatInfo:
    """Start an empty chat, of a visitor of the page or of none."""
    with file.writing() as connection:
        return _insert_chat(connection, title, visitor)


def begin_chat(
    file: LibraryFile, title: str, visitor: str | None, answer: Mapping[str, Any], filters: str | None = None
) -> tuple[ChatInfo, StoredTurn]:
    """Start a chat with its first turn, in one transaction; see `add_turn`."""
    with file.writing() as connection:
        chat = _insert_chat(connection, title, visitor)
        return chat, _insert_turn(connection, chat.id, visitor, None, answer, filters)


def list_chats(file: LibraryFile, visitor: str | None = None) -> list[ChatInfo]:
    """Return every chat, or every one of a visitor, the one used last first."""
    query = f"SELECT {_CHAT} FROM chats WHERE {_SEEN} ORDER BY updated DESC, key DESC"
    with file.reading() as connection:
        rows = connection.execute(query, (visitor,)).fetchall()
    return [_info(row) for row in rows]


def search_chats(file: LibraryFile, words: str, visitor: str | None = None) -> list[ChatInfo]:
    """Return the chats whose title, or one of whose turns, holds every word, whatever its case."""
    wanted = words.casefold().split()
    query = f"""
        SELECT chat, question, standalone_question, json_extract(answer, '$.answer') FROM turns
        WHERE chat IN (SELECT key FROM chats WHERE {_SEEN})
    """
    listed = f"SELECT key, {_CHAT} FROM chats WHERE {_SEEN} ORDER BY updated DESC, key DESC"
    with file.reading() as connection:
        chats = connection.execute(listed, (visitor,)).fetchall()
        texts = {key: [title] for key, _, title, *_ in chats}
        for key, *parts in connection.execute(query, (visitor,)):
            texts[key] += [part for part in parts if part]
    folded = {key: "\n".join(parts).casefold() for key, parts in texts.items()}
    return [_info(row) for key, *row in chats if all(word in folded[key] for word in wanted)]


def find_chat(file: LibraryFile, chat_id: str, visitor: str | None = None) -> ChatInfo:
    """Return the chat with this id, or the only one whose id begins so; of a visitor only an own one.

    Raises:
        ChatNotFoundError: If there is none, or there are several.
    """
    with file.reading() as connection:
        query = f"SELECT {_CHAT} FROM chats WHERE {_SEEN} AND substr(id, 1, ?2) = ?3 ORDER BY id"
        rows = connection.execute(query, (visitor, len(chat_id), chat_id)).fetchall() if chat_id else []
    if len(rows) != 1:
        found = "no chat" if not rows else f"{len(rows)} chats"
        raise ChatNotFoundError(f"There is {found} {chat_id!r}. See what there is with: byline chat --list")
    return _info(rows[0])


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
    file: LibraryFile,
    chat_id: str,
    parent: str | None,
    answer: Mapping[str, Any],
    filters: str | None = None,
    visitor: str | None = None,
) -> StoredTurn:
    """Store a turn, durable on return.

    Args:
        file: The library.
        chat_id: The chat.
        parent: The turn it follows; None makes it a first one.
        answer: The answer JSON; its question and citations are kept beside it.
        filters: JSON of which articles were searched.
        visitor: Whose chat it must be; None accepts any.

    Raises:
        ChatNotFoundError: If the chat, or the parent in it, is not there (any more).
    """
    with file.writing() as connection:
        return _insert_turn(connection, chat_id, visitor, parent, answer, filters)


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


def branches_of_chat(file: LibraryFile, chat_id: str) -> dict[str, tuple[str, ...]]:
    """Return for the id of each turn those of all turns asked at its place, itself among them, in the order asked."""
    query = """
        SELECT turns.id, turns.parent FROM turns JOIN chats ON chats.key = turns.chat
        WHERE chats.id = ? ORDER BY turns.key
    """
    with file.reading() as connection:
        rows = connection.execute(query, (chat_id,)).fetchall()
    asked_at: dict[int | None, list[str]] = {}
    for turn_id, parent in rows:
        asked_at.setdefault(parent, []).append(turn_id)
    return {turn_id: tuple(asked_at[parent]) for turn_id, parent in rows}


def _insert_chat(connection: Connection, title: str, visitor: str | None) -> ChatInfo:
    chat_id, now = new_token(), _now()
    connection.execute(
        "INSERT INTO chats (id, title, created, updated, visitor) VALUES (?, ?, ?, ?, ?)",
        (chat_id, title, now, now, visitor),
    )
    return ChatInfo(chat_id, title, now, now, 0, visitor is not None)


def _insert_turn(
    connection: Connection,
    chat_id: str,
    visitor: str | None,
    parent: str | None,
    answer: Mapping[str, Any],
    filters: str | None,
) -> StoredTurn:
    turn_id, now = new_token(), _now()
    question, standalone = answer["question"], answer["standalone_question"]
    chat = connection.execute(f"SELECT key FROM chats WHERE {_SEEN} AND id = ?2", (visitor, chat_id)).fetchone()
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
        [(cursor.lastrowid, c["n"], c["article_id"], c["version"], c["start"], c["end"]) for c in answer["citations"]],
    )
    connection.execute("UPDATE chats SET updated = ? WHERE key = ?", (now, chat[0]))
    return StoredTurn(turn_id, parent, now, question, standalone, filters, answer)


def _info(row: Sequence[Any]) -> ChatInfo:
    chat_id, title, created, updated, n_turns, on_page = row
    return ChatInfo(chat_id, title, created, updated, n_turns, bool(on_page))


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
