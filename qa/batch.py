"""Many questions from a JSON Lines file, answered one line each in the order they came."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from corpus.errors import EmptyCorpusError, QAError, SettingsError
from index.types import Filters
from qa.conversation import Turn, parse_history

_AHEAD = 4  # lines begun for each worker: one slow question must not leave the others idle
_FILTER_NAMES = {"since", "until", "outlet", "outlets", "article_ids"}


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """One line of a batch: its id, given back unchanged, the question, which articles count, and the turns before."""

    id: str | int | None
    question: str
    filters: Filters
    history: tuple[Turn, ...] = ()
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """What one input line came to; `failed` when it holds an `error` in place of a result."""

    row: dict[str, object]
    failed: bool = False


def run_batch(
    lines: Iterable[bytes], answer: Callable[[BatchQuestion], dict[str, object]], *, workers: int = 1
) -> Iterator[BatchLine]:
    """Yield one line per non-blank input line, in order, as they are ready; a bad line becomes an error, not a crash.

    Args:
        lines: JSON objects `{id, question or query, history?, as_of?, since?, until?, outlet?, article_ids?}`; the
            last four may also stand under `filters`. `outlet` is a name or a list of names, `history` a list of
            texts (the user's) or of `{role, text}`.
        answer: Gives what is put beside the id; called from several threads when there are several workers.
        workers: Questions worked on at the same time. With one, no line is read before the last one is answered,
            so that a program may wait for an answer before it writes the next question.

    Raises:
        EmptyCorpusError: If the library holds no article, since then no line can be answered.
    """
    ahead: deque[Future[BatchLine]] = deque()
    longest = 1 if workers == 1 else _AHEAD * workers
    pool = ThreadPoolExecutor(workers)
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                ahead.append(pool.submit(_run_line, line, number, answer))
            if len(ahead) == longest:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def parse_question(line: bytes) -> BatchQuestion:
    """Read one line of a batch.

    Raises:
        SettingsError: If it is not such an object; the sentence says which part is wrong.
    """
    row = _json_object(line)
    question = row.get("question", row.get("query"))
    if not isinstance(question, str):
        raise SettingsError("The line has no text under 'question' or 'query'.")
    history = parse_history(row.get("history") or ())  # type: ignore[arg-type]  # it checks what came
    nested = row.get("filters") or {}
    if not isinstance(nested, dict) or not set(nested) <= _FILTER_NAMES:
        raise SettingsError(f"'filters' must be an object with some of {', '.join(sorted(_FILTER_NAMES))}.")
    return BatchQuestion(_id_of(row), question, _filters({**row, **nested}), history, _day(row, "as_of"))


def _run_line(line: bytes, number: int, answer: Callable[[BatchQuestion], dict[str, object]]) -> BatchLine:
    try:
        question = parse_question(line)
    except SettingsError as error:
        return BatchLine({"id": _id_if_any(line), "error": f"Line {number}: {error}"}, failed=True)
    try:
        return BatchLine({"id": question.id, **answer(question)})
    except EmptyCorpusError:
        raise
    except QAError as error:
        return BatchLine({"id": question.id, "error": f"Line {number}: {error}"}, failed=True)


def _json_object(line: bytes) -> dict[str, object]:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SettingsError("The line is not JSON in UTF-8.") from error
    if not isinstance(row, dict):
        raise SettingsError("The line is not a JSON object.")
    return row


def _id_of(row: dict[str, object]) -> str | int | None:
    found = row.get("id")
    if isinstance(found, str | int | None) and not isinstance(found, bool):
        return found
    raise SettingsError(f"The id {found!r} is neither text nor a number.")


def _id_if_any(line: bytes) -> str | int | None:
    try:
        return _id_of(_json_object(line))
    except SettingsError:
        return None


def _filters(row: dict[str, object]) -> Filters:
    try:
        return Filters(
            outlets=_names(row, "outlet") + _names(row, "outlets"),
            since=_day(row, "since"),
            until=_day(row, "until"),
            article_ids=_names(row, "article_ids"),
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _names(row: dict[str, object], key: str) -> tuple[str, ...]:
    value = row.get(key)
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{key!r} must be a name or a list of names, not {value!r}.")
    return tuple(names)


def _day(row: dict[str, object], key: str) -> date | None:
    value = row.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise SettingsError(f"{key!r} must be a day such as 2025-05-31, not {value!r}.") from error
