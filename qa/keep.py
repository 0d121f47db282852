"""An answer from use -> a case to test by: question, verdict and expected citation, one JSON line each in the library.

`byline eval run DIR/kept.jsonl` asks the cases of the library again; see `evals.suite`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from corpus.errors import ArticleFormatError, SettingsError
from corpus.types import Article, Span
from qa.types import Answer

KEPT = "kept.jsonl"
MAX_CASES = 10_000  # more were not kept by a person; a page must not be able to fill the disk
Verdict = Literal["right", "wrong"]
_WRITING = threading.Lock()


def keep_case(folder: Path, answer: Answer, verdict: Verdict, *, note: str = "") -> dict[str, Any]:
    """Keep an answer as a case; a question that was kept before is replaced.

    A right answer expects its own citations again, or that it declines again. Of a wrong one nobody knows yet what
    would have been right: `answerable` is null until `settle_case` says so, and the case is not asked.

    Args:
        folder: The library's.
        answer: As it was shown.
        verdict: A person's.
        note: Theirs, too.

    Returns:
        The row as stored.

    Raises:
        SettingsError: If the file holds too many cases already.
    """
    right = verdict == "right"
    spans = [(citation.article, citation.span) for citation in answer.citations] if right else []
    row = {
        "question": answer.question,
        "verdict": verdict,
        "answerable": not answer.abstained if right else None,
        "answers": [answer.short_answer] if right and answer.short_answer else [],
        "gold_spans": [_gold(article, span) for article, span in spans],
        "given": [_gold(citation.article, citation.span) for citation in answer.citations],
        "settings": answer.settings,
        "kept": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "note": note,
    }
    with _WRITING:
        others = [case for case in read_cases(folder) if case["question"] != answer.question]
        if len(others) >= MAX_CASES:
            raise SettingsError(f"{str(folder / KEPT)!r} holds {MAX_CASES:,} cases already. Move it away to keep more.")
        stored = {"id": _next_id(others), **row}
        _write(folder, [*others, stored])
    return stored


def settle_case(
    folder: Path, case_id: str, article: Article | None = None, quotes: Sequence[str] = ()
) -> dict[str, Any]:
    """Say what would have been right: these words of an article, or, without an article, to decline.

    Raises:
        SettingsError: If there is no such case, or the article does not hold the words exactly once.
    """
    gold = [_gold(article, _only_place(article, quote)) for quote in quotes] if article else []
    with _WRITING:
        cases = read_cases(folder)
        chosen = next((case for case in cases if case["id"] == case_id), None)
        if chosen is None:
            raise SettingsError(f"There is no kept case {case_id!r} in {str(folder / KEPT)!r}.")
        chosen.update(answerable=bool(gold), gold_spans=gold, answers=[])
        _write(folder, cases)
    return chosen


def read_cases(folder: Path) -> list[dict[str, Any]]:
    """Return every kept row, oldest first.

    Raises:
        ArticleFormatError: If a line is not JSON.
    """
    path = folder / KEPT
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise ArticleFormatError(f"A line of {str(path)!r} is not JSON: {error}. Mend or remove it.") from error


def _write(folder: Path, cases: Sequence[dict[str, Any]]) -> None:
    part = folder / f".{KEPT}.part"  # begins with a dot: a crash leaves nothing that is not the library's own
    with part.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / KEPT)


def _next_id(cases: Sequence[dict[str, Any]]) -> str:
    numbers = [int(case["id"].removeprefix("kept-")) for case in cases]
    return f"kept-{max(numbers, default=0) + 1:04}"


def _only_place(article: Article, quote: str) -> Span:
    times = article.text.count(quote) if quote else 0
    if times != 1:
        raise SettingsError(
            f"{quote!r} stands {times} times in article {article.id!r}. Give words that stand there exactly once."
        )
    start = article.text.index(quote)
    return Span(start, start + len(quote))


def _gold(article: Article, span: Span) -> dict[str, Any]:
    return {
        "doc": article.id,
        "version": article.version,
        "start": span.start,
        "end": span.end,
        "text": span.slice(article.text),
    }
