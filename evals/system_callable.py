"""Anybody's own system: `module:function`, a plain callable, or something with `query` such as a LlamaIndex engine."""

from __future__ import annotations

import hashlib
import inspect
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from corpus.errors import ReadingError, SettingsError
from corpus.tokens_tiktoken import count_tokens
from corpus.types import Article, Span
from evals.adapt_llamaindex import Response, reply_of_response, statements_of
from evals.types import CitedSpan, Example, Reply, Retrieved, Stated


class CallableSystem:
    """Asks a function of one question and takes its answer in any of these forms.

    - The answer JSON of Byline, as a mapping (`Answer.to_dict()`), or an object with such a `to_dict`.
    - A LlamaIndex response: text with `[1]` markers, and `source_nodes`; or the answer JSON as its `metadata`, as
      `qa.llamaindex.BylineQueryEngine` gives it.
    - A text: its sentences, with markers that then lead nowhere; an empty one declines.

    Args:
        name: As given on the command line.
        ask: Question -> answer.
        articles: To find quotes in.
        fingerprint: Of the code it came from.
    """

    reads = True

    def __init__(self, name: str, ask: Callable[[str], Any], articles: Sequence[Article], fingerprint: str) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._ask = ask
        self._texts = {article.id: article.text for article in articles}

    def reply(self, example: Example) -> Reply:
        """Return the function's answer.

        Raises:
            ReadingError: If it fails or gives something else.
        """
        clock, processor = time.perf_counter(), time.process_time()
        try:
            answer = self._ask(example.question)
        except Exception as error:  # somebody else's code: whatever it raises, the question failed, not the run
            raise ReadingError(f"{self.name} failed with {type(error).__name__}: {error}") from error
        latency_ms, cpu_s = (time.perf_counter() - clock) * 1000, time.process_time() - processor
        try:
            reply = self._reply_of(answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReadingError(f"{self.name} gave an answer that lacks or distorts something: {error!r}") from error
        return replace(reply, latency_ms=latency_ms, cpu_s=cpu_s)

    def _reply_of(self, answer: object) -> Reply:
        facts = getattr(answer, "metadata", None)
        if isinstance(facts, Mapping) and {"statements", "citations"} <= facts.keys():
            return reply_of_json(facts, self._texts)
        if hasattr(answer, "source_nodes"):
            return reply_of_response(cast(Response, answer), self._texts)
        if hasattr(answer, "to_dict"):
            answer = answer.to_dict()
        if isinstance(answer, Mapping):
            return reply_of_json(answer, self._texts)
        if isinstance(answer, str):
            return Reply(statements=statements_of(answer), abstained=not answer.strip())
        raise TypeError(f"an answer is a mapping, a LlamaIndex response or a text, not {type(answer).__name__}")


def load_system(name: str, articles: Sequence[Article]) -> CallableSystem:
    """Return the system that `module:function` names; modules of the working folder are found too.

    A function whose only parameter is called `articles` is given them and returns the callable; so is anything with
    a method `query` asked by it, and any other callable asked directly.

    Raises:
        SettingsError: If there is no such function, or what it gives cannot be asked.
    """
    made = found = load_object(name)
    if callable(found) and not hasattr(found, "query"):
        parameters = inspect.signature(found).parameters
        made = found(articles) if list(parameters) == ["articles"] else found
    ask = getattr(made, "query", made)
    if not callable(ask):
        raise SettingsError(f"{name!r} is neither callable nor has it a method query.")
    return CallableSystem(name, ask, articles, _fingerprint(name, found))


def load_object(name: str) -> object:
    """Return what `module:name` names.

    Raises:
        SettingsError: If there is no such thing.
    """
    module, _, attribute = name.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"{name!r} cannot be loaded: {error}. Give module:function.") from error


def reply_of_json(answer: Mapping[str, Any], texts: Mapping[str, str]) -> Reply:
    """Return an answer in the JSON of Byline (DESIGN 3.1) as a reply; of hits and citations only places are needed."""
    spans = [(str(hit["article_id"]), Span(hit["start"], hit["end"]), hit) for hit in answer.get("hits", ())]
    hits = [
        Retrieved(name, span, float(hit.get("score", 0.0)), count_tokens(span.slice(texts.get(name, ""))))
        for name, span, hit in spans
    ]
    usage = answer.get("usage") or {}
    confidence = answer.get("confidence")
    return Reply(
        hits=tuple(hits),
        statements=tuple(Stated(each["text"], tuple(each["citations"])) for each in answer.get("statements", ())),
        citations=tuple(
            CitedSpan(each["n"], str(each["article_id"]), each["start"], each["end"], each["quote"])
            for each in answer.get("citations", ())
        ),
        abstained=bool(answer.get("abstained", not answer.get("statements"))),
        confidence=None if confidence is None else float(confidence),
        short_answer=answer.get("short_answer"),
        disagreements=tuple(
            tuple(position["value"] for position in each["positions"]) for each in answer.get("disagreements", ())
        ),
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
    )


def _fingerprint(name: str, found: object) -> str:
    module = sys.modules.get(name.partition(":")[0])
    path = getattr(module, "__file__", None)
    source = Path(path).read_bytes() if path else repr(found).encode()
    return f"{name}:{hashlib.sha256(source).hexdigest()[:12]}"
