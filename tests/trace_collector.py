"""An OpenTelemetry collector on loopback: takes traces by OTLP over HTTP and keeps them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collected:
    """What has come in: the requests as they were, and their spans."""

    address: str
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def requests(self):
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    def spans(self):
        scopes = [scope for request in self.requests() for of in request.resource_spans for scope in of.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def resource(self):
        return {fact.key: fact.value.string_value for fact in self.requests()[0].resource_spans[0].resource.attributes}


def facts(span) -> dict[str, object]:
    """Return the attributes of a span."""
    return {fact.key: getattr(fact.value, fact.value.WhichOneof("value")) for fact in span.attributes}


@contextmanager
def collecting(*, hangs: bool = False) -> Iterator[Collected]:
    """Listen; with `hangs` connections are taken and nothing is ever answered."""
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            if hangs:
                stopping.wait(60)
                self.close_connection = True
                return
            collected.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            collected.paths.append(self.path)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collected = Collected(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collected
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
