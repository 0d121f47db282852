"""The tab in which questions are asked: its widgets, and which function answers which event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from corpus.errors import QAError
from index.types import Filters
from qa.choice import AS_SET, Choice
from qa.request_id import begin_request
from qa.views import chat as chat_view
from qa.views.chat import Refusal, Turns
from qa.views.chats_list import render_bar
from qa.views.download import render_download
from qa.views.evidence import NOTHING_OPEN, open_citation, open_passage, render_notice
from qa.views.filters import UnusableFilterError, in_words, make_filters, render_filters
from qa.views.keeping import Current, Shown, keep_turns
from qa.views.own import Own, address_of
from qa.views.suggesting import make_suggester
from qa.views.widgets import QUIET, html_part, render_alert

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.byline import Byline
    from qa.keep import Verdict
    from qa.service import Service

_LOG = logging.getLogger(__name__)
EDITING = (
    '<p class="notice calm" role="status">Asking now replaces that question and what follows it. '
    '<button type="button" class="cancel">Leave it as it is</button></p>'
)
Event = gr.EventData
POOLED: dict[str, Any] = {**QUIET, "concurrency_limit": None}  # the pool bounds them, and says so when it is too much


class AskTab(NamedTuple):
    """The widgets of the tab; the states are each visitor's own.

    `settled` turns true once the server has said which chat an opened page shows; before that `turns` means nothing.
    """

    turns: gr.State
    current: gr.State
    settled: gr.State
    filters: gr.State
    editing: gr.State
    choice: gr.State
    bar: gr.HTML
    chat: gr.HTML
    suggested: gr.HTML
    notice: gr.HTML
    question: gr.Textbox
    searching: gr.HTML
    evidence: gr.HTML
    download: gr.HTML


class Wish(NamedTuple):
    """What a visitor asks, of which articles, and how they want it answered."""

    asked: str
    filters: Filters
    choice: Choice


def lay_out_ask_tab(byline: Byline) -> AskTab:
    """Place the widgets."""
    turns, current, filters, editing = gr.State(()), gr.State(Current()), gr.State(Filters()), gr.State(None)
    settled, choice = gr.State(False), gr.State(AS_SET)
    with gr.Row(elem_id="ask-row"):
        with gr.Column(elem_id="chat-column", min_width=0):
            bar = html_part("current", scripted=True)
            chat = html_part("chat", chat_html(byline, ()), scripted=True)
            suggested = html_part("suggested", scripted=True)
            notice = html_part("notice", scripted=True)
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
            searching = html_part("searching", filters_html(byline, Filters()), scripted=True)
        with gr.Column(elem_id="evidence-column", min_width=0):
            evidence = html_part("evidence", NOTHING_OPEN, scripted=True)
    download = html_part("download", scripted=True)
    states = (turns, current, settled, filters, editing, choice)
    return AskTab(*states, bar, chat, suggested, notice, question, searching, evidence, download)


def wire_ask_tab(tab: AskTab, service: Service) -> list[Any]:
    """Connect the widgets to what they do; return the events that ask, for whoever leaves the chat to stop them."""
    byline = service.byline
    asking = _wire_asking(tab, service)
    _wire_answers(tab, byline, asking)
    _wire_evidence(tab, byline)
    _wire_filters(tab, byline)
    return asking


def wire_ask_about(tab: AskTab, table: gr.HTML, byline: Byline) -> None:
    """Let an article of the library's table be the only one that is asked."""

    def on_ask_about(event: Event) -> tuple[Any, ...]:
        try:
            filters = make_filters("", "", "", str(event.id))
        except UnusableFilterError:  # no button of the page says so
            return gr.skip(), gr.skip()
        return filters, filters_html(byline, filters)

    table.ask_about(on_ask_about, None, [tab.filters, tab.searching], queue=False, **QUIET)


def chat_html(byline: Byline, turns: Turns) -> str:
    """Return the chat, or the welcome that invites questions about what is in the library."""
    return chat_view.render_chat(turns, {info.id for info in byline.articles()} if not turns else ())


def filters_html(byline: Byline, filters: Filters) -> str:
    """Return the fields that say which articles are asked."""
    return render_filters(byline.articles(), filters)


def _wire_asking(tab: AskTab, service: Service) -> list[Any]:
    """Return the events that ask, so that they can be stopped."""

    async def on_ask(
        asked: str,
        turns: Turns,
        filters: Filters,
        choice: Choice,
        current: Current,
        editing: int | None,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        before = turns if editing is None else tuple(turn for turn in turns if turn.number < editing)
        async for step in _steps(service, Wish(asked, filters, choice), turns, before, current, request):
            yield step

    async def on_example(
        turns: Turns, filters: Filters, choice: Choice, current: Current, event: Event, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        wish = Wish(str(event.question), filters, choice)
        async for step in _steps(service, wish, turns, turns, current, request):
            yield step

    async def on_again(
        turns: Turns, choice: Choice, current: Current, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        if turns:
            wish = Wish(turns[-1].question, turns[-1].filters, choice)
            async for step in _steps(service, wish, turns, turns[:-1], current, request):
                yield step

    outputs = [tab.chat, tab.notice, tab.question, tab.turns, tab.editing, tab.suggested, tab.current, tab.bar]
    given = [tab.turns, tab.filters, tab.choice, tab.current]
    asking = [
        tab.question.submit(on_ask, [tab.question, *given, tab.editing], outputs, **POOLED),
        tab.chat.ask_example(on_example, given, outputs, **POOLED),
        tab.suggested.ask_example(on_example, given, outputs, **POOLED),
        tab.chat.ask_again(on_again, [tab.turns, tab.choice, tab.current], outputs, **POOLED),
    ]
    suggest = make_suggester(service)
    suggestions = [event.success(suggest, [tab.turns], [tab.suggested], **QUIET) for event in asking]
    return asking + suggestions


async def _steps(
    service: Service, wish: Wish, turns: Turns, before: Turns, current: Current, request: gr.Request
) -> AsyncIterator[tuple[Any, ...]]:
    """Yield what is shown while a question that follows `before`, in the chat `turns`, is answered; then keep it.

    To skip a widget is dear: Gradio makes it anew for it, a fifth of what a question costs the page. So what did not
    change is said again instead, except for the box, in which somebody may be typing. To skip a state costs nothing.
    """
    byline, own = service.byline, Own.of(request, current)
    begin_request(getattr(request.state, "request_id", None))  # Gradio's queue works in a context of its own
    asked, filters, choice = wish
    searched = in_words(filters, await asyncio.to_thread(byline.articles)) if filters else ""
    client = address_of(request)
    bar = render_bar(Shown(current, turns))
    emptied: Any = ""
    editing: Any = None
    after: Turns = ()
    try:
        async with aclosing(chat_view.ask(service, client, asked, before, filters, searched, choice)) as states:
            async for step in states:
                if isinstance(step, Refusal):
                    shown = chat_html(byline, turns)
                    yield shown, render_alert(step.reason), asked, turns, gr.skip(), gr.skip(), gr.skip(), bar
                    return
                after = step
                # A long chat takes a while to draw, and the event loop is everybody's.
                shown = await asyncio.to_thread(chat_html, byline, after)
                yield shown, "", emptied, after, editing, "", gr.skip(), bar
                emptied = editing = gr.skip()  # only once: the next question may already be being typed
    finally:  # also when the visitor has left: the answer was given
        kept = await asyncio.to_thread(keep_turns, byline, own.visitor, own.current, after)
    notice = render_alert(kept.sentence) if kept.sentence else ""
    shown = await asyncio.to_thread(chat_html, byline, kept.turns)
    yield shown, notice, gr.skip(), kept.turns, gr.skip(), "", kept.current, render_bar(kept)


def _wire_answers(tab: AskTab, byline: Byline, asking: list[Any]) -> None:
    def on_stop(turns: Turns) -> tuple[Any, ...]:
        stopped = chat_view.stop(turns)
        return chat_html(byline, stopped), stopped

    def on_edit(turns: Turns, event: Event) -> tuple[Any, ...]:
        turn = next((turn for turn in turns if turn.number == int(event.turn)), None)
        if turn is None:
            return gr.skip(), render_alert(chat_view.FORGOTTEN), gr.skip()
        return turn.question, EDITING, turn.number

    def on_keep(turns: Turns, event: Event) -> tuple[Any, ...]:
        verdict: Verdict = "right" if event.verdict == "right" else "wrong"
        after = chat_view.keep(byline, turns, int(event.turn), verdict)
        if isinstance(after, Refusal):
            return gr.skip(), render_alert(after.reason), gr.skip()
        return chat_html(byline, after), "", after

    def on_take(turns: Turns, event: Event) -> tuple[Any, ...]:
        turn = next((turn for turn in turns if turn.number == int(event.turn)), None)
        if turn is None or turn.answer is None:
            return gr.skip(), render_alert(chat_view.FORGOTTEN)
        try:
            return render_download(turn.answer, str(event.form), int(event.opened), datetime.now(UTC)), ""
        except QAError as error:
            return gr.skip(), render_alert(str(error))

    changed = [tab.chat, tab.notice, tab.turns]
    tab.chat.stop_asking(on_stop, [tab.turns], [tab.chat, tab.turns], cancels=asking, queue=False, **QUIET)
    tab.chat.edit_question(on_edit, [tab.turns], [tab.question, tab.notice, tab.editing], queue=False, **QUIET)
    tab.notice.cancel_edit(lambda: ("", "", None), None, [tab.question, tab.notice, tab.editing], queue=False, **QUIET)
    tab.chat.keep_case(on_keep, [tab.turns], changed, queue=False, **QUIET)
    tab.chat.take_pack(on_take, [tab.turns], [tab.download, tab.notice], queue=False, **QUIET)


def _wire_evidence(tab: AskTab, byline: Byline) -> None:
    def shown(opened: int, show: Callable[[], str]) -> str:
        try:
            return show()
        except QAError as error:
            _LOG.error("A citation is not shown.", exc_info=error)
            return render_notice(str(error), opened)

    def on_citation(turns: Turns, event: Event) -> str:
        opened = int(event.opened)
        return shown(opened, lambda: open_citation(byline, turns, int(event.turn), int(event.n), opened))

    def on_passage(turns: Turns, event: Event) -> str:
        opened = int(event.opened)
        return shown(opened, lambda: open_passage(byline, turns, int(event.turn), int(event.rank), opened))

    for viewer in (tab.chat, tab.evidence):
        viewer.open_citation(on_citation, [tab.turns], [tab.evidence], queue=False, **QUIET)
    tab.chat.open_passage(on_passage, [tab.turns], [tab.evidence], queue=False, **QUIET)


def _wire_filters(tab: AskTab, byline: Byline) -> None:
    def on_filters(event: Event) -> tuple[Any, ...]:
        try:
            filters = make_filters(str(event.outlet), str(event.since), str(event.until), str(event.article))
        except UnusableFilterError as error:
            return gr.skip(), gr.skip(), render_alert(str(error))
        return filters, filters_html(byline, filters), ""

    outputs = [tab.filters, tab.searching, tab.notice]
    for part in (tab.searching, tab.evidence):
        part.set_filters(on_filters, None, outputs, queue=False, **QUIET)
