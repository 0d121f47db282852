"""Suggesting questions under the last answer of a chat, while nobody waits for one."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from corpus.errors import QAError
from qa.small_talk import is_small_talk
from qa.suggest import suggest_questions
from qa.views.chat import Turns  # at run time: Gradio reads the annotations
from qa.views.turn_actions import render_suggestions

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.service import Service

OPENING = "Who said what?"  # whose passages invite questions of those who greet
_LOG = logging.getLogger(__name__)


def make_suggester(service: Service) -> Callable[[Turns], str]:
    """Return what shows the questions that follow a chat: as HTML, empty when there are none or others wait.

    Suggesting is done for one visitor at a time, in the way that the last answer was asked for.
    """
    byline, pool = service.byline, service.pool
    suggesting = threading.Lock()

    def nobody_waits() -> bool:
        return pool.n_running + pool.n_waiting == 0

    def on_suggest(turns: Turns) -> str:
        last = turns[-1] if turns else None
        # Suggesting costs as much as several answers: when several people ask at once, answers come first.
        if last is None or last.answer is None or not suggesting.acquire(blocking=False):
            return ""
        try:
            asker = byline.asker(last.choice)  # a model that was not chosen must not be sent these either
            read = last.answer
            if is_small_talk(read.question):  # nothing was read for it
                read = replace(read, hits=tuple(byline.search(OPENING, filters=last.filters)))
            found = suggest_questions(read, lambda question: asker.ask(question, filters=last.filters), nobody_waits)
        except QAError as error:  # e.g. the library was emptied or closed meanwhile: an answer stands without them
            _LOG.info("Nothing is suggested: %s", error)
            return ""
        finally:
            suggesting.release()
        return render_suggestions(last.number, found)

    return on_suggest
