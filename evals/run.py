"""Ask a set of a system and keep what came of it: `manifest.json`, `rows.jsonl`, `summary.json` in one folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.errors import ArticleFormatError, QAError, SettingsError
from evals.data import SEED, sample
from evals.measure import Figures, Prices, group_ids, measure_replies, summarise_figures
from evals.measures.citations import ArticleTexts
from evals.rows import Row, figures_of, make_row, read_rows_of_run, row_line, with_figures, write_rows
from evals.systems import System, corpus_hash
from evals.target import Target
from evals.types import Example, Reply

MANIFEST, ROWS, SUMMARY = "manifest.json", "rows.jsonl", "summary.json"
ALONE = 30  # questions asked one at a time before others share the processor; times are theirs
_PACKAGES = ("byline", "chromadb", "ir-measures", "llama-index-core", "numpy", "onnxruntime", "tantivy")
_IDENTITY = ("suite", "system", "fingerprint", "settings", "corpus", "questions", "limit", "seed")


def run_target(
    target: Target,
    system: System,
    out: Path,
    *,
    limit: int | None = None,
    workers: int = 1,
    settings: Mapping[str, object] | None = None,
    prices: Prices | None = None,
    on_question: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Ask every question that the folder has no answer to yet, measure all, and return the summary.

    Args:
        target: Questions and articles; the system holds the articles.
        system: Asked from several threads when there are several workers.
        out: The run's folder. One that was broken off is taken up where it stopped.
        limit: Ask a sample of so many, drawn with a fixed seed.
        workers: Questions worked on at the same time, after the first `ALONE`.
        settings: For the manifest.
        prices: For the cost.
        on_question: Called after each question, also for those answered before.

    Raises:
        SettingsError: If the folder holds another run.
    """
    asked = sample(target.of.examples, limit)
    if not asked:
        raise SettingsError(f"There is no question in {target.of.name!r}.")
    manifest = _manifest(target, system, asked, limit, dict(settings or {}), workers)
    replies = _resume(out, manifest)
    _write_json(out / MANIFEST, manifest)
    articles = {article.id: article for article in target.articles}
    for _ in replies:
        on_question()
    with (out / ROWS).open("a", encoding="utf-8") as file:
        for example, reply in _ask([e for e in asked if e.id not in replies], system, workers):
            replies[example.id] = reply
            file.write(row_line(make_row(example, reply, articles)))
            file.flush()
            on_question()
    texts = ArticleTexts({article.id: article.text for article in target.articles})
    figures = measure_replies(asked, replies, texts, reads=system.reads, prices=prices)
    rows = with_figures([make_row(example, replies.get(example.id), articles) for example in asked], figures)
    write_rows(out / ROWS, rows)
    _write_json(out / MANIFEST, manifest | {"finished": _now()})
    summary = summarise_rows(rows, suite=target.of.name, system=system.name)
    _write_json(out / SUMMARY, summary)
    return summary


def summarise_rows(rows: Sequence[Row], *, suite: str, system: str) -> dict[str, Any]:
    """Return what a run's rows come to, as in `summary.json`; questions without a reply are listed."""
    figures: Figures = figures_of(rows)
    groups = group_ids([(row.id, row.part, row.type) for row in rows])
    means = Figures(figures.values)
    return {
        "suite": suite,
        "system": system,
        "n": len(rows),
        "missing": [row.id for row in rows if row.reply is None],
        "failed": {row.id: row.reply.error for row in rows if row.reply is not None and row.reply.error},
        "degraded": sum(row.reply is not None and row.reply.degraded is not None for row in rows),
        "scores": [score.to_dict() for score in summarise_figures(figures)],
        "groups": {name: [s.to_dict() for s in summarise_figures(means, ids)] for name, ids in groups.items()},
    }


def load_run(folder: Path) -> tuple[dict[str, Any], list[Row]]:
    """Return the manifest and rows of a finished run, without the hits.

    Raises:
        ArticleFormatError: If the folder holds none, or it was broken off.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArticleFormatError(f"{str(folder)!r} holds no run. Name a folder that `evals run` wrote.") from error
    if "finished" not in manifest:
        raise ArticleFormatError(f"The run in {str(folder)!r} was broken off. Start it again, it goes on from there.")
    try:
        return manifest, list(read_rows_of_run(folder / ROWS, with_hits=False))
    except (OSError, UnicodeDecodeError) as error:
        raise ArticleFormatError(f"{str(folder / ROWS)!r} cannot be read. Make the run anew.") from error


def find_runs(folder: Path) -> dict[str, Path]:
    """Return the run folders by suite: the folder itself, or those right inside it.

    Raises:
        ArticleFormatError: If there is none.
    """
    inside = [folder] if (folder / MANIFEST).exists() else sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not inside:
        raise ArticleFormatError(f"{str(folder)!r} holds no run. Name a folder that `evals run` wrote.")
    return {json.loads((path / MANIFEST).read_text(encoding="utf-8"))["suite"]: path for path in inside}


def _ask(examples: Sequence[Example], system: System, workers: int) -> Iterator[tuple[Example, Reply]]:
    first, others = (examples[:ALONE], examples[ALONE:]) if workers > 1 else (examples, ())
    for example in first:
        yield example, _reply(system, example, alone=True)
    if not others:
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[Future[Reply], Example] = {}
        rest = iter(others)
        try:
            while True:
                for example in islice(rest, 2 * workers - len(waiting)):
                    waiting[pool.submit(_reply, system, example, alone=False)] = example
                if not waiting:
                    return
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _reply(system: System, example: Example, *, alone: bool) -> Reply:
    try:
        return replace(system.reply(example), alone=alone)
    except QAError as error:
        return Reply(error=str(error), alone=alone)


def _manifest(
    target: Target,
    system: System,
    asked: Sequence[Example],
    limit: int | None,
    settings: dict[str, object],
    workers: int,
) -> dict[str, Any]:
    questions = json.dumps([repr(example) for example in asked])
    return {
        "suite": target.of.name,
        "system": system.name,
        "fingerprint": system.fingerprint,
        "settings": settings,
        "corpus": corpus_hash(target.articles),
        "articles": len(target.articles),
        "questions": hashlib.sha256(questions.encode()).hexdigest()[:16],
        "n": len(asked),
        "of": len(target.of.examples),
        "limit": limit,
        "seed": SEED,
        "workers": workers,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "started": _now(),
    }


def _resume(out: Path, manifest: Mapping[str, Any]) -> dict[str, Reply]:
    """Return the replies that the folder holds; failed ones are asked again."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / MANIFEST).exists():
        if (out / ROWS).exists():
            (out / ROWS).unlink()
        return {}
    before = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    changed = [name for name in _IDENTITY if before.get(name) != manifest[name]]
    if changed:
        raise SettingsError(
            f"{str(out)!r} holds another run: {', '.join(changed)} differ. Give another --name or --out, or remove it."
        )
    rows = list(read_rows_of_run(out / ROWS)) if (out / ROWS).exists() else []
    kept = [row for row in rows if row.reply is not None and row.reply.error is None]
    write_rows(out / ROWS, kept)  # also drops a line that was cut off, so that the next one is not joined to it
    return {row.id: row.reply for row in kept if row.reply is not None}


def _write_json(path: Path, facts: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
