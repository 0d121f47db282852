"""What LlamaIndex does for a question, as spans inside the trace of that question."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Generator
from typing import Any

from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # re-exported
from llama_index.core.instrumentation.span import BaseSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from opentelemetry.trace import Span, Status, StatusCode, get_current_span, set_span_in_context
from pydantic import ConfigDict, PrivateAttr

from index.stages import TEXT
from qa.trace_opentelemetry import Tracer

_ID_CHARS = 37  # of a dash and a UUID, which LlamaIndex puts behind the name of what is called


def follow_llama(tracer: Tracer) -> None:
    """Have what LlamaIndex calls while a question is answered appear in its trace; nothing else it does is followed."""
    get_dispatcher().add_span_handler(LlamaSpans(tracer))


class OpenSpan(BaseSpan):
    """A call of LlamaIndex that has not come to its end, and its span."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    span: Span


class LlamaSpans(BaseSpanHandler[OpenSpan]):
    """Starts and ends spans as LlamaIndex's dispatcher tells; it swallows what a handler raises.

    Args:
        tracer: Makes the spans.
    """

    _tracer: Tracer = PrivateAttr()

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def new_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,  # noqa: ANN401 - LlamaIndex's signature, here and below
        parent_span_id: str | None = None,
        tags: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> OpenSpan | None:
        """Start a span if a question is being traced."""
        around = get_current_span()
        if not around.is_recording():
            return None
        parent = self.open_spans.get(parent_span_id or "")
        context = set_span_in_context(parent.span if parent else around)
        span = self._tracer.tracer.start_span(f"llama_index.{id_[:-_ID_CHARS]}", context=context)
        messages = bound_args.arguments.get("messages")
        if self._tracer.with_texts and isinstance(messages, (list, tuple)):
            span.set_attribute(f"byline.prompt{TEXT}", "\n\n".join(str(message) for message in messages))
        return OpenSpan(id_=id_, parent_id=parent_span_id, span=span)

    def prepare_to_exit_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,  # noqa: ANN401
        result: Any | None = None,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> OpenSpan | None:
        """End the span; that of a stream when the stream has come to its end, or was let go."""
        opened = self.open_spans.get(id_)
        if opened is not None and isinstance(result, Generator):
            weakref.finalize(result, self._end_stream, id_).atexit = False
            return None
        if opened is not None:
            opened.span.end()
        return opened

    def prepare_to_drop_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,  # noqa: ANN401
        err: BaseException | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> OpenSpan | None:
        """End the span of a call that failed; what the provider said is left out, for it may repeat a key."""
        opened = self.open_spans.get(id_)
        if opened is not None:
            opened.span.set_status(Status(StatusCode.ERROR, type(err).__name__ if err else None))
            opened.span.end()
        return opened

    def _end_stream(self, id_: str) -> None:
        opened = self.open_spans.pop(id_, None)
        if opened is not None:
            opened.span.end()
