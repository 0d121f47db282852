"""One question of a run as it is stored: the question, its evidence, the reply, what was measured (`rows.jsonl`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError
from corpus.types import Article, Span
from evals.measure import Figures, PooledRows
from evals.types import CitedSpan, Example, Reply, Retrieved, Stated

AROUND_CHARS = 160  # shown before and after a piece of evidence: about two lines of a report


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of an article with what stands around it, so that a report needs no library."""

    article_id: str
    title: str
    start: int
    end: int
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """A question and what came of it.

    Args:
        gold: The judged evidence.
        cited: What the reply cites, as far as it slices back; the reply itself holds every citation.
        values: By measure; the means of a summary are over these.
        pooled: By kind of pooled rows.
    """

    id: str
    question: str
    type: str
    part: str
    answerable: bool
    answers: tuple[str, ...]
    gold: tuple[Excerpt, ...]
    cited: tuple[Excerpt, ...]
    reply: Reply | None
    values: Mapping[str, float] = field(default_factory=dict)
    pooled: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def make_row(example: Example, reply: Reply | None, articles: Mapping[str, Article]) -> Row:
    """Return the row of a question, not measured yet."""
    cited = [(c.article_id, c.start, c.end) for c in reply.citations] if reply else []
    return Row(
        example.id,
        example.question,
        example.type,
        example.part,
        example.answerable,
        example.answers,
        tuple(excerpt(articles[gold.article_id], gold.span) for gold in example.gold_spans),
        tuple(
            excerpt(articles[name], Span(start, end))
            for name, start, end in cited
            if name in articles and 0 <= start < end <= len(articles[name].text)
        ),
        reply,
    )


def with_figures(rows: Iterable[Row], figures: Figures) -> list[Row]:
    """Return the rows with what was measured for each."""
    return [
        replace(
            row,
            values={name: by_id[row.id] for name, by_id in figures.values.items() if row.id in by_id},
            pooled={kind: by_id[row.id] for kind, by_id in figures.pooled.items() if row.id in by_id},
        )
        for row in rows
    ]


def figures_of(rows: Iterable[Row]) -> Figures:
    """Return what was measured, by measure and question."""
    values: dict[str, dict[str, float]] = {}
    pooled: PooledRows = {}
    for row in rows:
        for name, value in row.values.items():
            values.setdefault(name, {})[row.id] = value
        for kind, numbers in row.pooled.items():
            pooled.setdefault(kind, {})[row.id] = tuple(numbers)
    return Figures(values, pooled)


def excerpt(article: Article, span: Span) -> Excerpt:
    """Return a span with its surroundings."""
    before = article.text[max(0, span.start - AROUND_CHARS) : span.start]
    after = article.text[span.end : span.end + AROUND_CHARS]
    return Excerpt(article.id, article.title, span.start, span.end, before, span.slice(article.text), after)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows in place of what the file held."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(row_line(row) for row in rows)
    part.replace(path)


def row_line(row: Row) -> str:
    """Return the row as one line of JSON; hits are lists, since there are a hundred of them."""
    stored = asdict(row)
    if row.reply is not None:
        stored["reply"]["hits"] = [
            [hit.article_id, hit.span.start, hit.span.end, round(hit.score, 5), hit.n_tokens] for hit in row.reply.hits
        ]
    return json.dumps(stored, ensure_ascii=False) + "\n"


def read_rows_of_run(path: Path, *, with_hits: bool = True) -> Iterator[Row]:
    """Yield the rows of a run; a last line that was cut off by a crash is passed over.

    Args:
        path: The file.
        with_hits: Whether hits are needed: a hundred for each question fill the memory where they are not.

    Raises:
        ArticleFormatError: If another line is not a row.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            yield _parse(json.loads(line), with_hits)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if number == len(lines):  # a whole line ends with "\n", so what follows the last one was cut
                return
            raise ArticleFormatError(f"Line {number} of {str(path)!r} is not a row of a run. Run it anew.") from error


def _parse(stored: dict[str, Any], with_hits: bool) -> Row:
    reply = stored["reply"]
    for name in ("gold", "cited"):
        stored[name] = tuple(Excerpt(**each) for each in stored[name])
    stored["answers"] = tuple(stored["answers"])
    stored["values"] = {name: float(value) for name, value in stored["values"].items()}
    stored["pooled"] = {kind: tuple(map(float, numbers)) for kind, numbers in stored["pooled"].items()}
    stored["reply"] = _parse_reply(reply, with_hits) if reply is not None else None
    return Row(**stored)


def _parse_reply(stored: dict[str, Any], with_hits: bool) -> Reply:
    stored["hits"] = tuple(
        Retrieved(name, Span(start, end), score, n_tokens)
        for name, start, end, score, n_tokens in (stored["hits"] if with_hits else ())
    )
    stored["statements"] = tuple(Stated(each["text"], tuple(each["citations"])) for each in stored["statements"])
    stored["citations"] = tuple(CitedSpan(**each) for each in stored["citations"])
    stored["disagreements"] = tuple(tuple(values) for values in stored["disagreements"])
    return Reply(**stored)
