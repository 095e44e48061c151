"""Traces of OpenTelemetry, from a request to the procedure that it creates.

They are exported to the address in the environment variable OTEL_EXPORTER_OTLP_ENDPOINT. Without it this
project imports nothing of OpenTelemetry; the trace of a request is still passed on.
"""

from .context import TraceParent, of_procedure
from .spans import Entered, Span, SpanKind, enter, finish, is_on, record, start

__all__ = [
    "Entered",
    "Span",
    "SpanKind",
    "TraceParent",
    "enter",
    "finish",
    "is_on",
    "of_procedure",
    "record",
    "start",
]
