"""Export of spans by OTLP over HTTP. Only this module imports OpenTelemetry, and only `spans` imports it."""

import os
import threading

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace.status import Status, StatusCode

from .context import TraceParent
from .spans import Exporter, Span

_NAME_VARIABLE = "OTEL_SERVICE_NAME"

_LAST_EXPORT = 1.0
"""Seconds that the end of the program waits for the remaining exports."""

_SCOPE = InstrumentationScope("ska_oso_oet")


def make_exporter(service: str) -> Exporter:
    """Return an exporter that is set up by the environment, as the OpenTelemetry specification has it.

    Spans are kept in memory and exported by a thread; when there are too many, the oldest are lost.

    :param service: name of this program, where OTEL_SERVICE_NAME is not set
    """
    resource = Resource.create({} if os.environ.get(_NAME_VARIABLE) else {SERVICE_NAME: service})
    processor = BatchSpanProcessor(OTLPSpanExporter())
    ending = threading.Event()

    def end() -> None:
        ending.wait()
        processor.shutdown()  # type: ignore[no-untyped-call]

    # It runs from the beginning: when the interpreter ends, none can be started.
    last = threading.Thread(target=end, name="oet-traces-end", daemon=True)
    last.start()

    def close() -> None:
        ending.set()
        last.join(_LAST_EXPORT)

    return Exporter(lambda span: processor.on_end(_readable(span, resource)), close)


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        context=_context(span.place, is_remote=False),
        parent=None if span.parent is None else _context(span.parent, is_remote=True),
        resource=resource,
        attributes={name: value for name, value in span.attributes.items() if value is not None},
        events=[Event(name, timestamp=_nanoseconds(when)) for name, when in span.events],
        kind=trace.SpanKind[span.kind],
        status=Status() if span.failure is None else Status(StatusCode.ERROR, span.failure),
        start_time=_nanoseconds(span.began),
        end_time=_nanoseconds(max(span.ended, span.began)),
        instrumentation_scope=_SCOPE,
    )


def _context(place: TraceParent, *, is_remote: bool) -> trace.SpanContext:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if place.sampled else trace.TraceFlags.DEFAULT)
    return trace.SpanContext(place.trace_id, place.span_id, is_remote, flags)


def _nanoseconds(seconds: float) -> int:
    return round(1e9 * seconds)
