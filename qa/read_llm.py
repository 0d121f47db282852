"""The `llm` reader: a language model writes, every statement is checked before it is shown, and a gate stands before.

When the model fails, the extractive answer is given instead and says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
)

from corpus.errors import ModelFailedError
from corpus.tokens_tiktoken import count_tokens
from index.stages import stage
from index.types import Hit
from qa.check_written import CheckedStatement, WrittenChecker
from qa.language_model import ANSWER_TOKENS, LanguageModel, Prompt
from qa.price import Price, Usage
from qa.read_llm_prompt import PROMPT_VERSION, build_prompt
from qa.types import Abstention, Citation, Disagreement, Position, Reader, Reading, Stated, Statement, Support
from qa.within_time import until
from qa.words import split_words
from qa.written import StatementParser, Written

_LOG = logging.getLogger(__name__)
MAX_STATEMENTS = 6  # a model that states more repeats itself
_MAX_REPEATED = 2  # small models fall into a loop and say the same until their tokens are spent
_PASSAGES = 8  # of the gate's ranking, which puts what answers first; more costs tokens
_PASSAGES_SIMPLE = 4  # a small model reads slowly and loses its way
_MAX_CHARS = 40_000  # ten times what the tokens of an answer can spell; a server may not keep to them
_ATTEMPTS = 3
_WAIT = wait_exponential(multiplier=0.5, max=8)
_INSTEAD = "Sentences of the articles are given instead."
_YES_NO = ("Yes", "No")
_DECLINED = "The articles do not say: the language model found no answer in the passages found."


@dataclass(slots=True)
class _Draft:
    """What one request has brought so far."""

    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    n_written: int = 0
    n_repeated: int = 0
    declined: bool = False

    @property
    def is_full(self) -> bool:
        """Whether more would only repeat what is there."""
        return len(self.statements) >= MAX_STATEMENTS or self.n_repeated >= _MAX_REPEATED

    def add(self, checked: CheckedStatement) -> Stated | None:
        """Number the statement's citation and keep both; None when the statement is there already."""
        if any(checked.text.casefold() == other.text.casefold() for other in self.statements):
            self.n_repeated += 1
            return None
        citation = next(
            (c for c in self.citations if c.article.id == checked.hit.article.id and c.span == checked.span), None
        )
        if citation is None:
            article, span = checked.hit.article, checked.span
            number = len(self.citations) + 1
            citation = Citation(number, article, checked.hit.passage.id, span, span.slice(article.text))
            self.citations.append(citation)
        statement = Statement(checked.text, (citation.n,), checked.support, checked.problems)
        self.statements.append(statement)
        return Stated(statement, (citation,))


class LLMReader:
    """Lets a language model answer, and shows only what was checked.

    Args:
        gate: Decides whether the articles answer at all, ranks the hits, and answers when the model fails.
        model: Writes.
        checker: Checks each statement against the article.
        simple: Whether to ask for the form for small models.
        timeout_s: What one answer may take, repeated requests included.
        price: Of the model's tokens; None when it is not known.
        sleep: Waits between two requests.
    """

    def __init__(
        self,
        gate: Reader,
        model: LanguageModel,
        checker: WrittenChecker,
        *,
        simple: bool = False,
        timeout_s: float = 60.0,
        price: Price | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gate = gate
        self._model = model
        self._checker = checker
        self._simple = simple
        self._timeout_s = timeout_s
        self._price = price
        self._sleep = sleep

    @property
    def name(self) -> str:
        """Return `llm`."""
        return "llm"

    @property
    def fingerprint(self) -> str:
        """Return what the answers depend on: gate, model, and how it is asked."""
        form = "simple" if self._simple else "full"
        return f"{self.name}:{form}:{PROMPT_VERSION}:{self._model.fingerprint}:{self._gate.fingerprint}"

    @property
    def ranker(self) -> Reader:
        """Return the gate: a search asks no model."""
        return self._gate

    def read(self, question: str, hits: Sequence[Hit]) -> Reading:
        """Answer, or abstain; never raises for what a model does."""
        *_, last = self.stream(question, hits)
        if not isinstance(last, Reading):
            raise ValueError("A reader's stream ends with its reading.")
        return last

    def stream(self, question: str, hits: Sequence[Hit]) -> Iterator[Stated | Reading]:
        """Yield each statement when it is checked, and the whole reading last."""
        gated = self._gate.read(question, hits)
        if gated.abstention is not None:
            yield gated
            return
        spent = _Draft()
        try:
            draft = yield from self._answer(question, _best_first(hits, gated.hit_scores), spent)
        except ModelFailedError as failure:
            _LOG.warning("%s", failure)
            yield self._counted(replace(gated, degraded=f"{failure} {_INSTEAD}"), spent.usage)
            return
        yield self._counted(_finish(draft, gated), spent.usage)

    def _answer(self, question: str, hits: Sequence[Hit], spent: _Draft) -> Generator[Stated, None, _Draft]:
        """Ask until there is an answer; not again once a part of one was shown, nor beyond the time for it."""
        deadline = time.monotonic() + self._timeout_s
        n_passages = _PASSAGES_SIMPLE if self._simple else _PASSAGES
        draft = _Draft()

        def again(error: BaseException) -> bool:
            if not isinstance(error, ModelFailedError) or draft.statements:
                return False
            return error.may_pass or (error.too_long and n_passages >= 1)

        for attempt in Retrying(
            stop=stop_after_attempt(_ATTEMPTS) | stop_before_delay(self._timeout_s),
            retry=retry_if_exception(again), wait=_wait_s, sleep=self._sleep, reraise=True,
        ):  # fmt: skip
            with attempt:
                draft = _Draft()
                try:
                    yield from self._ask_once(question, hits[:n_passages], draft, deadline)
                except ModelFailedError as failure:
                    n_passages = n_passages // 2 if failure.too_long else n_passages
                    raise
                finally:
                    spent.usage = spent.usage + draft.usage
        return draft

    def _ask_once(self, question: str, hits: Sequence[Hit], draft: _Draft, deadline: float) -> Iterator[Stated]:
        room = self._model.context_tokens - ANSWER_TOKENS
        prompt, numbered = build_prompt(question, hits, simple=self._simple, max_tokens=room)
        if not numbered:
            raise ModelFailedError(f"The model {self._model.name!r} has no room for a passage beside the question.")
        parser, text = StatementParser(simple=self._simple), ""
        with closing(self._pieces(prompt, draft, deadline)) as pieces:
            for piece in pieces:
                text += piece
                yield from self._checked(parser.feed(piece), numbered, draft)
                if draft.is_full:
                    break
        if not text.strip():
            raise ModelFailedError(f"The model {self._model.name!r} answered nothing.", may_pass=True)
        if not draft.is_full:
            yield from self._checked(parser.close(), numbered, draft)
        draft.declined = parser.declined

    def _pieces(self, prompt: Prompt, draft: _Draft, deadline: float) -> Generator[str, None, None]:
        """Yield text as it comes and keep count of tokens: the provider's count, else tiktoken's."""
        text, told = "", Usage()
        try:
            for step in until(deadline, lambda: self._model.stream(prompt)):
                if isinstance(step, Usage):
                    told = step
                else:
                    text += step
                    yield step
                if len(text) > _MAX_CHARS:
                    _LOG.warning("The model %r was stopped: it wrote on and on.", self._model.name)
                    return
        except TimeoutError as error:
            raise ModelFailedError(
                f"The model {self._model.name!r} did not answer in time: it had {self._timeout_s:g} seconds."
            ) from error
        finally:
            if told == Usage() and text:
                told = Usage(prompt.count_tokens(), count_tokens(text))
            draft.usage = told

    def _checked(self, written: Sequence[Written], hits: Sequence[Hit], draft: _Draft) -> Iterator[Stated]:
        for one in written:
            draft.n_written += 1
            if draft.is_full:
                return
            with stage("check"):
                checked = self._checker.check(one, hits)
            stated = draft.add(checked) if checked else None
            if stated is not None:
                yield stated

    def _counted(self, reading: Reading, usage: Usage) -> Reading:
        cost = self._price.of(usage) if self._price else None
        return replace(reading, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, cost=cost)


def _finish(draft: _Draft, gated: Reading) -> Reading:
    """Make the reading of what the model stated, or of the gate's answer when none of it stands."""
    if all(statement.support is Support.UNSUPPORTED for statement in draft.statements):
        if draft.declined and not draft.statements:
            return replace(
                gated,
                statements=(),
                citations=(),
                short_answer=None,
                disagreements=(),
                abstention=Abstention(_DECLINED),
            )
        wrote = "wrote nothing that can be read as an answer" if not draft.n_written else (
            "stated nothing that the articles support"
        )  # fmt: skip
        return replace(gated, degraded=f"The language model {wrote}. {_INSTEAD}")
    citations = list(draft.citations)
    disagreements = tuple(_renumbered(one, gated.citations, citations) for one in gated.disagreements)
    return replace(
        gated,
        statements=tuple(draft.statements),
        citations=tuple(citations),
        short_answer=_still_said(gated, draft),
        disagreements=disagreements,
    )


def _still_said(gated: Reading, draft: _Draft) -> str | None:
    """Keep the gate's short answer when a supported statement says the same, word for word.

    "Yes" and "No" no statement says: they stay when a supported one rests on the sentence that they were read from.
    """
    short = gated.short_answer
    backed = [s for s in draft.statements if s.support in (Support.VERBATIM, Support.SUPPORTED)]
    if short in _YES_NO:
        cited = {n for statement in backed for n in statement.citations}
        spans = [(c.article.id, c.span) for c in draft.citations if c.n in cited]
        read = [(c.article.id, c.span) for c in gated.citations[:1]]
        return short if any(a == b and s.contains(t) for a, s in spans for b, t in read) else None
    wanted = f" {_words_of(short or '')} "
    return short if wanted.strip() and any(wanted in f" {_words_of(s.text)} " for s in backed) else None


def _words_of(text: str) -> str:
    return " ".join(word.text.casefold() for word in split_words(text))


def _renumbered(disagreement: Disagreement, old: Sequence[Citation], citations: list[Citation]) -> Disagreement:
    """Point a disagreement that the gate found at the answer's citations, adding those that are not among them."""
    positions = []
    for position in disagreement.positions:
        numbers = []
        for wanted in (citation for citation in old if citation.n in position.citations):
            same = next(
                (c for c in citations if c.article.id == wanted.article.id and c.span.contains(wanted.span)), None
            )
            if same is None:
                same = replace(wanted, n=len(citations) + 1)
                citations.append(same)
            numbers.append(same.n)
        positions.append(Position(position.value, tuple(dict.fromkeys(numbers))))
    return Disagreement(disagreement.about, tuple(positions))


def _best_first(hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    if len(scores) != len(hits):
        return list(hits)
    order = sorted(range(len(hits)), key=lambda i: (-scores[i], hits[i].passage.id))
    return [hits[i] for i in order]


def _wait_s(state: RetryCallState) -> float:
    """Wait as long as the provider asks, else longer each time."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.wait_s if isinstance(failure, ModelFailedError) else None
    return asked if asked is not None else _WAIT(state)
