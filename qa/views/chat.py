"""A visitor's chat: its turns, how a question becomes one, and its HTML."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corpus.errors import BrokenCitationError, EmptyCorpusError, QAError, ServiceBusyError, SettingsError
from qa import conversation
from qa.choice import AS_SET, Choice
from qa.keep import keep_case
from qa.pipeline import check_question
from qa.render import render_answer, render_statements
from qa.safe_text import escape
from qa.service import MAX_UPDATES
from qa.types import Answer, Citation, Statement, StreamEvent
from qa.views.filters import EVERYTHING
from qa.views.recalled import render_recalled, render_summary
from qa.views.settings import in_words
from qa.views.turn_actions import render_actions, render_branches, render_unfinished, render_unproven

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from index.types import Filters
    from qa.byline import Byline
    from qa.keep import Verdict
    from qa.service import Service
    from qa.stored_answer import Recalled

_LOG = logging.getLogger(__name__)
MAX_TURNS = 50  # a turn keeps its articles in memory, about 50 kB; more than fifty are not scrolled back to
FORGOTTEN = "This answer is no longer at hand. Ask the question again to keep it."
EMPTY_LIBRARY = "The library holds no articles yet. Add some in the Library tab, then ask again."

# Shown while the chat is empty, as long as the article that answers is in the library. The last one has no answer.
EXAMPLES = (
    ("rwanda-two-weeks", "Which journalist uncovered the deportation of an Iraqi man to Rwanda?"),
    ("rwanda-early-talks", "How much compensation does Rwanda want from the UK?"),
    ("rwanda-early-talks", "When did the British Supreme Court strike the plan down?"),
    ("rwanda-two-weeks", "What is the capital of Australia?"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the library keeps a turn.

    Args:
        turn_id: Its own id.
        branches: The ids of all turns asked at this place of the chat, this one among them, in the order asked.
    """

    turn_id: str
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a chat and what has come of it so far.

    Args:
        number: Place in the chat, from 0; chips name it, so it never changes.
        progress: One line while the answer is on its way.
        statements: Those that have streamed in; the finished answer takes their place.
        citations: Of those statements.
        error: One sentence, in place of an answer.
        kept: What the visitor said of the answer when it was kept as a case to test by.
        filters: The articles it was asked of; `searched` says them in words.
        choice: How the visitor wanted it answered, where that is not as set for everybody.
        stopped: Whether the visitor stopped it before it was answered.
        place: Where the library keeps it; None while it does not.
        recalled: Of a stored answer some of whose sources changed or went: what became of them. When it can no longer
            be shown as it was given, `answer` is None and `citations` are those that still stand.
    """

    number: int
    question: str
    progress: str = "Searching …"
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    answer: Answer | None = None
    error: str | None = None
    kept: Verdict | None = None
    filters: Filters = EVERYTHING
    searched: str = ""
    choice: Choice = AS_SET
    stopped: bool = False
    place: Place | None = None
    recalled: Recalled | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.stopped or bool(self.answer or self.recalled) or self.error is not None


Turns = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that was not asked, and one sentence saying why; the question stays in its box."""

    reason: str


async def ask(
    service: Service,
    client: str,
    question: str,
    turns: Turns,
    filters: Filters = EVERYTHING,
    searched: str = "",
    choice: Choice = AS_SET,
) -> AsyncGenerator[Turns | Refusal, None]:
    """Yield the chat as the answer to a new question streams in, or one refusal, after which the chat is as before.

    Args:
        service: Answers when it is the client's turn; closing this iterator gives the place up.
        client: Whose turn it is.
        question: As typed.
        turns: The chat before.
        filters: Which articles are asked.
        searched: The filters in words.
        choice: How it is to be answered.
    """
    number = turns[-1].number + 1 if turns else 0
    turn = Turn(number, question.strip(), filters=filters, searched=searched, choice=choice)
    before = turns[-(MAX_TURNS - 1) :]
    try:
        check_question(question, service.byline.settings.max_question_chars)
        asker, history = service.byline.asker(choice), earlier_answers(turns)
        answering = service.begin(client, lambda: asker.stream(question, filters=filters, history=history))
    except (SettingsError, ServiceBusyError) as error:
        yield Refusal(str(error))
        return
    try:
        yield (*before, turn)
        async for events in answering.updates(
            MAX_UPDATES - 2
        ):  # the question was one; where it is kept will be another
            for event in events:
                turn = advance(turn, event)
            yield (*before, turn)
    except SettingsError as error:
        yield Refusal(str(error))
    except EmptyCorpusError:
        yield Refusal(EMPTY_LIBRARY)
    except ServiceBusyError as error:  # it had to make room; the turn keeps the question, and can be asked again
        yield (*before, replace(turn, error=str(error)))
    except QAError as error:
        _LOG.warning("A question ended in an error.", exc_info=error)
        yield (*before, replace(turn, error=str(error)))
    finally:
        answering.leave()


def earlier_answers(turns: Turns) -> tuple[Answer | conversation.Turn, ...]:
    """Return the answers that a follow-up may lean on, oldest first."""
    earlier: list[Answer | conversation.Turn] = []
    for turn in turns:
        if turn.answer:
            earlier.append(turn.answer)
        elif turn.recalled:
            earlier += conversation.turns_of_json(turn.recalled.shown)
    return tuple(earlier)


def stop(turns: Turns) -> Turns:
    """Return the chat with its last question marked as stopped, unless that has come to its end."""
    if not turns or turns[-1].finished:
        return turns
    return (*turns[:-1], replace(turns[-1], stopped=True))


def keep(byline: Byline, turns: Turns, number: int, verdict: Verdict) -> Turns | Refusal:
    """Keep the answer of a turn as a case to test by, or say in one sentence why not."""
    turn = next((turn for turn in turns if turn.number == number), None)
    if turn is None or turn.answer is None:
        return Refusal(FORGOTTEN)
    try:
        keep_case(byline.folder, turn.answer, verdict)
    except QAError as error:
        return Refusal(str(error))
    except OSError as error:
        _LOG.error("A case is not kept.", exc_info=error)
        return Refusal(f"The case cannot be written: {error.strerror}. Make room in the library's folder.")
    return tuple(replace(each, kept=verdict) if each is turn else each for each in turns)


def advance(turn: Turn, event: StreamEvent) -> Turn:
    """Return the turn after one more event of its answer."""
    if event.answer is not None:
        return replace(turn, answer=event.answer)
    if event.statement is None:
        if not event.hits:
            return turn
        return replace(turn, progress=_reading_line(event))
    known = {citation.n for citation in turn.citations}
    new = tuple(citation for citation in event.citations if citation.n not in known)
    return replace(turn, statements=(*turn.statements, event.statement), citations=turn.citations + new)


def render_chat(turns: Sequence[Turn], article_ids: Collection[str]) -> str:
    """Return the chat as HTML; when it is empty, a welcome with questions that the library's articles invite."""
    if not turns:
        return _render_welcome(article_ids)
    last = turns[-1]
    return f'<div role="log" aria-label="Answers">{"".join(_render_turn(turn, turn is last) for turn in turns)}</div>'


def _render_turn(turn: Turn, is_last: bool) -> str:
    searched = f'<p class="note" dir="auto">Asked only of {escape(turn.searched)}</p>' if turn.searched else ""
    chosen = f'<p class="note">Asked with your settings: {in_words(turn.choice)}</p>' if turn.choice != AS_SET else ""
    return (
        f'<section class="turn" data-turn="{turn.number}" aria-busy="{"false" if turn.finished else "true"}">'
        f'<h2 class="question" dir="auto">{escape(turn.question)}</h2>{render_branches(turn)}'
        f'<div class="answer">{searched}{chosen}{_render_reply(turn, is_last)}</div></section>'
    )


def _render_reply(turn: Turn, is_last: bool) -> str:
    try:
        if turn.answer:
            since = render_summary(turn.recalled.sources) if turn.recalled else ""
            return since + render_answer(turn.answer, turn.number) + render_actions(turn, turn.answer, is_last=is_last)
        if turn.recalled:
            return render_recalled(turn.recalled, turn.number) + render_unproven(turn, is_last=is_last)
        streamed = render_statements(turn.statements, turn.citations, turn.number)
    except BrokenCitationError as error:  # one answer that cannot be shown must not take the others with it
        _LOG.error("An answer is not shown.", exc_info=error)
        return _render_error(str(error))
    unfinished = render_unfinished(turn) if is_last else ""
    if turn.error:
        return streamed + _render_error(turn.error) + unfinished
    if turn.stopped:
        return f'{streamed}<p class="note">Stopped.</p>{unfinished}'
    return f'{streamed}<p class="progress">{escape(turn.progress)} <button type="button" class="stop">Stop</button></p>'


def _render_error(sentence: str) -> str:
    return f'<p class="failed" role="alert">{escape(sentence)}</p>'


def _render_welcome(article_ids: Collection[str]) -> str:
    if not article_ids:
        return f'<section class="welcome"><h2>Ask your articles</h2><p>{EMPTY_LIBRARY}</p></section>'
    examples = [question for article_id, question in EXAMPLES if article_id in article_ids]
    buttons = "".join(
        f'<li><button type="button" class="example">{escape(question)}</button></li>' for question in examples
    )
    count = "1 article" if len(article_ids) == 1 else f"{len(article_ids):,} articles"
    return (
        f'<section class="welcome"><h2>Ask your articles</h2>'
        f"<p>Every sentence of an answer is quoted from one of the {count} in the library, and shows where."
        " When they do not say, you are told so.</p>"
        f"{f'<ul>{buttons}</ul>' if buttons else ''}</section>"
    )


def _reading_line(event: StreamEvent) -> str:
    n_articles = len({hit.article.id for hit in event.hits})
    return f"Reading {len(event.hits)} passages from {n_articles} article{'' if n_articles == 1 else 's'} …"
