"""The page: its widgets, and which function answers which event. No state but each visitor's own `gr.State`."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from corpus.errors import QAError
from qa.safe_text import escape
from qa.views import chat as chat_view
from qa.views import library as library_view
from qa.views.chat import Refusal, Turns
from qa.views.evidence import NOTHING_OPEN, open_citation, render_notice
from qa.views.guard import MAX_FILE_BYTES

if TYPE_CHECKING:
    from qa.byline import Byline
    from qa.keep import Verdict

_LOG = logging.getLogger(__name__)
HERE = Path(__file__).parent
STYLE = HERE / "style.css"
ASKING_AT_ONCE = 8  # Gradio's default of 1 lets one slow answer hold everybody up; two cores gain nothing from more
REDRAW_SECONDS = 0.3  # often enough to see progress, seldom enough that a thousand files do not draw a thousand lists
HEADER = (
    '<header class="masthead"><h1>Byline</h1><p>Answers from your articles, every sentence with its proof.</p></header>'
)
HINT = f'<p class="hint">Text, Markdown, HTML, PDF or JSON lines; up to {MAX_FILE_BYTES // 2**20} MB each.</p>'
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class AskTab(NamedTuple):
    """The widgets of the tab in which questions are asked."""

    turns: gr.State
    chat: gr.HTML
    notice: gr.HTML
    question: gr.Textbox
    evidence: gr.HTML


class LibraryTab(NamedTuple):
    """The widgets of the tab in which articles come and go."""

    upload: gr.File
    outcomes: gr.HTML
    wanted: gr.Textbox
    table: gr.HTML


def build_page(byline: Byline) -> gr.Blocks:
    """Return the page over an open library; serving it is the caller's business."""
    page = gr.Blocks(title="Byline", analytics_enabled=False, fill_width=True)
    with page:
        _html("masthead", HEADER)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Ask", id="ask") as ask:
                ask_tab = _lay_out_ask_tab(byline)
            with gr.Tab("Library", id="library") as library:
                library_tab = _lay_out_library_tab(byline)
        _wire_ask_tab(ask_tab, byline)
        _wire_library_tab(library_tab, byline)
        gr.on(
            [page.load, ask.select],
            lambda turns: _chat_html(byline, turns),
            [ask_tab.turns],
            [ask_tab.chat],
            queue=False,
            **QUIET,
        )
        gr.on(
            [page.load, library.select, library_tab.wanted.change],
            lambda words: _table_html(byline, words),
            [library_tab.wanted],
            [library_tab.table],
            queue=False,
            trigger_mode="always_last",
            **QUIET,
        )
    page.queue(default_concurrency_limit=ASKING_AT_ONCE)
    return page


def _lay_out_ask_tab(byline: Byline) -> AskTab:
    turns = gr.State(())
    with gr.Row(elem_id="ask-row"):
        with gr.Column(elem_id="chat-column", min_width=0):
            chat = _html("chat", _chat_html(byline, ()), scripted=True)
            notice = _html("notice")
            question = gr.Textbox(
                placeholder="Ask a question",
                label="Question",
                show_label=False,
                lines=1,
                max_lines=6,
                submit_btn="Ask",
                elem_id="question",
                autofocus=True,
            )
        with gr.Column(elem_id="evidence-column", min_width=0):
            evidence = _html("evidence", NOTHING_OPEN, scripted=True)
    return AskTab(turns, chat, notice, question, evidence)


def _wire_ask_tab(tab: AskTab, byline: Byline) -> None:
    def on_ask(asked: str, before: Turns) -> Iterator[tuple[Any, ...]]:
        emptied: Any = ""
        for step in chat_view.ask(byline, asked, before):
            if isinstance(step, Refusal):
                yield gr.skip(), _render_alert(step.reason), asked, gr.skip()
                return
            yield _chat_html(byline, step), "", emptied, step
            emptied = gr.skip()  # only once: the next question may already be being typed

    def on_example(before: Turns, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        yield from on_ask(str(event.question), before)

    def on_open(before: Turns, event: gr.EventData) -> str:
        opened = int(event.opened)
        try:
            return open_citation(byline, before, int(event.turn), int(event.n), opened)
        except QAError as error:
            _LOG.error("A citation is not shown.", exc_info=error)
            return render_notice(str(error), opened)

    def on_keep(before: Turns, event: gr.EventData) -> tuple[Any, ...]:
        verdict: Verdict = "right" if event.verdict == "right" else "wrong"
        after = chat_view.keep(byline, before, int(event.turn), verdict)
        if isinstance(after, Refusal):
            return gr.skip(), _render_alert(after.reason), gr.skip()
        return _chat_html(byline, after), "", after

    outputs = [tab.chat, tab.notice, tab.question, tab.turns]
    tab.question.submit(on_ask, [tab.question, tab.turns], outputs, **QUIET)
    tab.chat.ask_example(on_example, [tab.turns], outputs, **QUIET)
    tab.chat.keep_case(on_keep, [tab.turns], [tab.chat, tab.notice, tab.turns], queue=False, **QUIET)
    for viewer in (tab.chat, tab.evidence):
        viewer.open_citation(on_open, [tab.turns], [tab.evidence], queue=False, **QUIET)


def _lay_out_library_tab(byline: Byline) -> LibraryTab:
    with gr.Column(elem_id="library-column", min_width=0):
        upload = gr.File(label="Add articles", show_label=False, file_count="multiple", elem_id="upload", height=150)
        _html("upload-hint", HINT)
        outcomes = _html("outcomes")
        wanted = gr.Textbox(
            placeholder="Find by title, outlet or file", label="Find", show_label=False, max_lines=1, elem_id="find"
        )
        table = _html("library", _table_html(byline, ""), scripted=True)
    return LibraryTab(upload, outcomes, wanted, table)


def _wire_library_tab(tab: LibraryTab, byline: Byline) -> None:
    def on_upload(paths: list[str] | None, words: str | None) -> Iterator[tuple[Any, ...]]:
        done: list[library_view.Outcome] = []
        drawn = time.monotonic()
        for path in paths or ():
            done.append(library_view.add_upload(byline, Path(path)))
            if time.monotonic() - drawn > REDRAW_SECONDS:
                yield library_view.render_outcomes(done), gr.skip(), gr.skip()
                drawn = time.monotonic()
        yield library_view.render_outcomes(done), _table_html(byline, words), None

    def on_remove(words: str | None, event: gr.EventData) -> tuple[str, str]:
        outcome = library_view.remove_article(byline, str(event.id))
        return library_view.render_outcomes([outcome]), _table_html(byline, words)

    tab.upload.upload(on_upload, [tab.upload, tab.wanted], [tab.outcomes, tab.table, tab.upload], **QUIET)
    tab.table.remove_article(on_remove, [tab.wanted], [tab.outcomes, tab.table], **QUIET)


def _html(name: str, value: str = "", *, scripted: bool = False) -> gr.HTML:
    # Only `${value}`, Gradio's default template, may carry text from articles: what comes in by another name is
    # compiled as a template, and so could run.
    script = (HERE / f"{name}.js").read_text(encoding="utf-8") if scripted else None
    return gr.HTML(value, js_on_load=script, elem_id=name, elem_classes="byline", apply_default_css=False)


def _chat_html(byline: Byline, turns: Turns) -> str:
    return chat_view.render_chat(turns, {info.id for info in byline.articles()} if not turns else ())


def _table_html(byline: Byline, words: str | None) -> str:
    try:
        return library_view.render_library(byline.articles(), words or "")  # None until the tab is first shown
    except QAError as error:
        return _render_alert(str(error))


def _render_alert(sentence: str) -> str:
    return f'<p class="notice" role="alert">{escape(sentence)}</p>'
