"""A collector of OpenTelemetry: receives spans by OTLP over HTTP."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess


@dataclass(frozen=True)
class ReceivedSpan:
    """A span, as it was received; IDs in hexadecimal digits, times in nanoseconds."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    attributes: dict[str, Any]
    events: list[str]
    is_error: bool
    message: str


@dataclass
class Collector:
    """Received spans.

    :ivar url: where to send it
    :ivar spans: the spans
    :ivar authorizations: what was sent as the header of that name
    :ivar senders: processes that send spans; what they have written says why one is missing
    """

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)
    senders: tuple[ServerProcess, ...] = ()

    def wait_for(self, name: str, **attributes: object) -> ReceivedSpan:
        """Wait for a span, and return it.

        :param name: its name
        :param attributes: attributes that it has, with _ for each dot
        """
        wanted = {key.replace("_", ".", 1): value for key, value in attributes.items()}

        def found() -> ReceivedSpan | None:
            fitting = (span for span in self.spans if span.name == name)
            return next((span for span in fitting if wanted.items() <= span.attributes.items()), None)

        return self._wait(found, f"the span {name} of {attributes}")

    def parent(self, span: ReceivedSpan) -> ReceivedSpan:
        """Wait for the span that a span is part of; another process may send it later."""
        return self._wait(
            lambda: next((each for each in self.spans if each.id == span.parent), None), f"parent of {span}"
        )

    def _wait(self, found: Callable[[], ReceivedSpan | None], what: str) -> ReceivedSpan:
        span = wait_until(found, what, seen=lambda: (self.spans, [each.output for each in self.senders]))
        assert span is not None
        return span

    def take(self, body: bytes) -> None:
        """Take a request to export spans."""
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            about = _values(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_span(str(about["service.name"]), each) for each in scope.spans]


def _span(service: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _values(span.attributes),
        [event.name for event in span.events],
        span.status.code == span.status.STATUS_CODE_ERROR,
        span.status.message,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector as long as the context lasts."""
    received = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            received.authorizations.add(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            # Else a thread waits for further requests as long as the client keeps the connection.
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield received
        finally:
            server.shutdown()
