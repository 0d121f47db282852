"""The library tab: what is in the library, and putting articles in and taking them out."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import ArticleNotFoundError, QAError
from qa.safe_text import escape, link, written_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.types import AddReport, ArticleInfo
    from qa.byline import Byline
    from qa.service import Service

_LOG = logging.getLogger(__name__)
_UPLOADING = threading.Lock()  # two files of one name must not take each other's place while one is added
MAX_ROWS = 200  # a longer table is slow to draw and nobody reads it; the search box reaches the rest
UPLOADS = "uploads"  # in the library's folder: an upload needs an origin that stays, so that a newer one replaces it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one uploaded file, or of a removal, in one sentence."""

    name: str
    sentence: str
    failed: bool = False


def add_upload(service: Service, upload: Path, who: str) -> Outcome:
    """Move one uploaded file into the library's folder, add its articles for `who`, and say what became of it.

    A file that cannot be read is not kept; one that was uploaded under its name before is then there as it was.
    """
    folder = service.byline.folder
    kept = folder / UPLOADS / upload.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _UPLOADING, tempfile.TemporaryDirectory(prefix=".byline-", dir=folder) as scratch:
            before = Path(scratch) / "before"
            if kept.exists():
                kept.replace(before)
            report: AddReport | None = None
            try:
                shutil.move(upload, kept)
                report = service.add_file(kept, who)
            finally:
                if report is None or not (report.added or report.updated or report.unchanged):
                    kept.unlink(missing_ok=True)
                    if before.exists():
                        before.replace(kept)
    except (QAError, OSError) as error:
        said = (
            str(error) if isinstance(error, QAError) else f"The library's folder cannot be written: {error.strerror}."
        )
        return Outcome(upload.name, f"not added. {said}", failed=True)
    return Outcome(upload.name, _in_words(report), failed=bool(report.failed))


def remove_article(byline: Byline, article_id: str) -> Outcome:
    """Remove one article, and the uploaded file it came from when nothing else came from it."""
    info = next((info for info in byline.articles() if info.id == article_id), None)
    try:
        if info is None:
            raise ArticleNotFoundError(f"No article has the id {article_id!r}.")
        byline.remove(article_id)
    except QAError as error:
        return Outcome("", str(error), failed=True)
    _drop_uploads(byline, info)
    return Outcome(info.title, "removed. It is no longer searched or cited.")


def render_library(infos: Sequence[ArticleInfo], wanted: str) -> str:
    """Return the articles whose title, outlet or origin holds every word of `wanted`, as an HTML table."""
    words = wanted.casefold().split()
    found = [info for info in infos if all(word in _searched(info) for word in words)]
    count = f"{_number(len(infos), 'article')}, {_number(sum(info.n_passages for info in infos), 'passage')}"
    if words:
        count += f"; {len(found):,} shown for “{wanted.strip()}”"
    elif len(found) > MAX_ROWS:
        count += f"; the first {MAX_ROWS} are shown"
    head = f'<p class="count" role="status">{escape(count)}</p>'
    if not infos:
        return head + '<p class="empty">Nothing here yet. Drop files above to begin.</p>'
    rows = "".join(_render_row(info) for info in found[:MAX_ROWS])
    return (
        f'{head}<table class="articles"><thead><tr><th scope="col">Title</th><th scope="col">Outlet</th>'
        '<th scope="col">Date</th><th scope="col">Passages</th><th scope="col">From</th>'
        f'<th scope="col"><span class="unseen">Ask or remove</span></th></tr></thead><tbody>{rows}</tbody></table>'
    )


def render_outcomes(outcomes: Sequence[Outcome], still: int = 0) -> str:
    """Return one line for each outcome, and how many files are still to come; failures say so in words."""
    n_files = len(outcomes) + still
    wait = f'<li class="waiting">Adding file {len(outcomes) + 1} of {n_files} …</li>' if still else ""
    lines = wait + "".join(_render_outcome(outcome) for outcome in outcomes)
    return f'<ul class="outcomes" role="status">{lines}</ul>' if lines else ""


def _render_outcome(outcome: Outcome) -> str:
    kind = "failed" if outcome.failed else "done"
    return f'<li class="{kind}" dir="auto"><b>{escape(outcome.name)}</b> {escape(outcome.sentence)}</li>'


def _in_words(report: AddReport) -> str:
    counts = {
        "added": len(report.added),
        "updated": len(report.updated),
        "already there, unchanged": len(report.unchanged),
        "removed": len(report.removed),
    }
    done = ", ".join(word if count == 1 else f"{count:,} {word}" for word, count in counts.items() if count)
    return ". ".join((done or "not added", *(failure.reason for failure in report.failed)))


def _drop_uploads(byline: Byline, removed: ArticleInfo) -> None:
    still_used = {origin for info in byline.articles() for origin in info.origins}
    unused = set(removed.origins) - still_used
    uploads = byline.folder / UPLOADS
    # An origin is looked for among the files that are there, and never made a path: it may be what somebody sent.
    for path in list(uploads.iterdir()) if uploads.is_dir() else ():
        if str(path) in unused:
            path.unlink(missing_ok=True)


def _searched(info: ArticleInfo) -> str:
    return " ".join((info.title, info.source or "", *info.origins)).casefold()


def _render_row(info: ArticleInfo) -> str:
    day = written_date(info.published) if info.published else ""
    origins = "<br>".join(_render_origin(origin) for origin in info.origins)
    if len(info.origins) > 1:  # copies of one article are one row
        origins = f"<details><summary>{len(info.origins)} copies</summary>{origins}</details>"
    title = escape(info.title)
    ask = (
        f'<button type="button" class="ask" data-id="{escape(info.id)}" aria-label="Ask about {title}">Ask</button> '
        f'<button type="button" class="remove" data-id="{escape(info.id)}" aria-label="Remove {title}">Remove</button>'
        '<span class="confirm" hidden>Remove it for good? '
        f'<button type="button" class="yes" data-id="{escape(info.id)}">Yes, remove</button> '
        '<button type="button" class="no">Keep</button></span>'
    )
    return (
        f'<tr><th scope="row" dir="auto">{link(info.url, info.title)}</th>'
        f'<td data-label="Outlet" dir="auto">{escape(info.source or "")}</td><td data-label="Date">{day}</td>'
        f'<td data-label="Passages">{info.n_passages:,}</td><td data-label="From">{origins}</td><td>{ask}</td></tr>'
    )


def _render_origin(origin: str) -> str:
    name = Path(origin).name or origin
    return f'<span class="origin" title="{escape(origin)}">{escape(name)}</span>'


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
