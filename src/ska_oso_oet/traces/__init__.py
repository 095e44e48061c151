"""Traces of OpenTelemetry, from a request to the procedure that it creates.

They are exported where the environment variable OTEL_EXPORTER_OTLP_ENDPOINT says where to. Without it this
project imports nothing of OpenTelemetry; the trace that a request belongs to is handed on all the same.
"""

from .context import TraceParent, of_activity, of_procedure
from .spans import Entered, Span, SpanKind, enter, finish, is_on, record, start

__all__ = [
    "Entered",
    "Span",
    "SpanKind",
    "TraceParent",
    "enter",
    "finish",
    "is_on",
    "of_activity",
    "of_procedure",
    "record",
    "start",
]
