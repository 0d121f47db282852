"""The stages of served questions as traces of OpenTelemetry, sent to a collector by OTLP over HTTP.

What the standard's variables say (`OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_HEADERS`, ...) is read by its library.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import time_ns

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, get_current_span, set_span_in_context, use_span

from index.stages import TEXT, Note, Watch
from qa import __version__
from qa.request_id import request_id

_SEND_WITHIN_S = 2.0  # a batch, repeated attempts included
_MOST_KEPT = 1024  # spans that wait to be sent; two batches, for which the end of the process can have to wait


class Tracer:
    """Makes one trace of each question, and sends them from a thread of its own; what cannot be sent is dropped.

    Args:
        endpoint: Of the collector, without `/v1/traces`.
        with_texts: Whether questions, answers and prompts are in the traces, or only times and counts.
    """

    def __init__(self, endpoint: str, *, with_texts: bool = False) -> None:
        named = Resource({SERVICE_NAME: "byline", SERVICE_VERSION: __version__})
        # Of our own and not the process's: nothing else that uses OpenTelemetry is sent along.
        self._provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_SEND_WITHIN_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_MOST_KEPT))
        self.tracer = self._provider.get_tracer("byline", __version__)
        self.with_texts = with_texts

    def watch(self) -> Watch:
        """Return what makes a trace of the next question, which waits for its turn from now on."""
        asked_ns = time_ns()

        def watch(name: str) -> AbstractContextManager[Note]:
            inside = get_current_span().get_span_context().is_valid
            return self._span(f"byline.{name}") if inside else self._root(f"byline.{name}", asked_ns)

        return watch

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
        self._provider.shutdown()

    @contextmanager
    def _root(self, name: str, asked_ns: int) -> Iterator[Note]:
        span = self.tracer.start_span(name, context=Context(), start_time=asked_ns)
        if (request := request_id()) is not None:
            span.set_attribute("byline.request_id", request)
        self.tracer.start_span("byline.wait", context=set_span_in_context(span), start_time=asked_ns).end()
        with self._entered(span) as note:
            yield note

    @contextmanager
    def _span(self, name: str) -> Iterator[Note]:
        with self._entered(self.tracer.start_span(name)) as note:
            yield note

    @contextmanager
    def _entered(self, span: Span) -> Iterator[Note]:
        def note(**facts: object) -> None:
            for name, fact in facts.items():
                if isinstance(fact, (bool, int, float, str)) and (self.with_texts or not name.endswith(TEXT)):
                    span.set_attribute(f"byline.{name}", fact)

        # Nothing of an exception but its kind: its sentence may quote what was asked.
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield note
            except GeneratorExit:
                span.set_attribute("byline.stopped", True)
                raise
            except BaseException as error:  # goes on to whoever asked; here it is only named
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
