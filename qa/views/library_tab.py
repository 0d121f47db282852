"""The tab in which articles come and go: its widgets, and which function answers which event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from corpus.errors import QAError
from qa.views import library as view
from qa.views.guard import MAX_FILE_BYTES
from qa.views.health import check_steps, render_health, repair_steps, storage_of
from qa.views.own import on_behalf_of
from qa.views.timeline import render_timeline
from qa.views.widgets import QUIET, html_part, render_alert

if TYPE_CHECKING:
    from qa.byline import Byline
    from qa.service import Service

REDRAW_SECONDS = 0.3  # often enough to see progress, seldom enough that a thousand files do not draw a thousand lists
HINT = f'<p class="hint">Text, Markdown, HTML, PDF or JSON lines; up to {MAX_FILE_BYTES // 2**20} MB each.</p>'


class LibraryTab(NamedTuple):
    """The widgets of the tab in which articles come and go."""

    upload: gr.File
    outcomes: gr.HTML
    wanted: gr.Textbox
    table: gr.HTML
    timeline: gr.HTML
    health: gr.HTML


def lay_out_library_tab(byline: Byline) -> LibraryTab:
    """Place the widgets."""
    with gr.Column(elem_id="library-column", min_width=0):
        upload = gr.File(label="Add articles", show_label=False, file_count="multiple", elem_id="upload", height=150)
        html_part("upload-hint", HINT)
        outcomes = html_part("outcomes")
        health = html_part("health", render_health(storage_of(byline.folder)), scripted=True)
        timeline = html_part("timeline", timeline_html(byline))
        wanted = gr.Textbox(
            placeholder="Find by title, outlet or file", label="Find", show_label=False, max_lines=1, elem_id="find"
        )
        table = html_part("library", _table_html(byline, ""), scripted=True)
    return LibraryTab(upload, outcomes, wanted, table, timeline, health)


def wire_library_tab(tab: LibraryTab, service: Service, shown: list[Any]) -> None:
    """Connect the widgets to what they do; `shown` are the events upon which the list is drawn anew."""
    byline = service.byline

    def on_upload(paths: list[str] | None, words: str | None, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        done: list[view.Outcome] = []
        drawn = 0.0
        for path in paths or ():
            if time.monotonic() - drawn > REDRAW_SECONDS:
                yield view.render_outcomes(done, len(paths or ()) - len(done)), gr.skip(), gr.skip()
                drawn = time.monotonic()
            with on_behalf_of(request) as who:
                done.append(view.add_upload(service, Path(path), who))
        yield view.render_outcomes(done), _table_html(byline, words), None

    def on_remove(words: str | None, event: gr.EventData, request: gr.Request) -> tuple[str, str]:
        with on_behalf_of(request):
            outcome = view.remove_article(byline, str(event.id))
        return view.render_outcomes([outcome]), _table_html(byline, words)

    tab.upload.upload(on_upload, [tab.upload, tab.wanted], [tab.outcomes, tab.table, tab.upload], **QUIET)
    tab.table.remove_article(on_remove, [tab.wanted], [tab.outcomes, tab.table], **QUIET)

    def on_check() -> Iterator[str]:
        yield from check_steps(byline)

    def on_repair() -> Iterator[str]:
        yield from repair_steps(byline)

    tab.health.check_health(on_check, None, [tab.health], concurrency_limit=None, **QUIET)
    tab.health.repair_health(on_repair, None, [tab.health], concurrency_limit=None, **QUIET)
    gr.on(
        [*shown, tab.table.change],
        lambda: (timeline_html(byline), render_health(storage_of(byline.folder))),
        None,
        [tab.timeline, tab.health],
        queue=False,
        **QUIET,
    )
    gr.on(
        [*shown, tab.wanted.change],
        lambda words: _table_html(byline, words),
        [tab.wanted],
        [tab.table],
        queue=False,
        trigger_mode="always_last",
        **QUIET,
    )


def _table_html(byline: Byline, words: str | None) -> str:
    try:
        return view.render_library(byline.articles(), words or "")  # None until the tab is first shown
    except QAError as error:
        return render_alert(str(error))


def timeline_html(byline: Byline) -> str:
    """Return the plot of the articles by date."""
    return render_timeline([info.published for info in byline.articles()])
