"""Spans of this process, which are exported once they have ended."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from .context import TraceParent

LOGGER = logging.getLogger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Variables of which one has to be set for spans to be exported."""


class SpanKind(StrEnum):
    """Kind of a span, as OpenTelemetry defines it."""

    SERVER = "SERVER"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True)
class Span:
    """A span: the work for a request, from its beginning to its end.

    :param name: name of the work
    :param place: its place in its trace
    :param parent: the span that has caused it, None if that is not known
    :param began: seconds since 1970
    :param ended: seconds since 1970
    :param kind: its kind
    :param attributes: its attributes; those that are None are left out
    :param events: its events, with the time in seconds since 1970
    :param failure: why it has failed, None if it has not
    """

    name: str
    place: TraceParent
    parent: TraceParent | None
    began: float
    ended: float
    kind: SpanKind = SpanKind.SERVER
    attributes: Mapping[str, str | int | float | None] = field(default_factory=dict)
    events: Sequence[tuple[str, float]] = ()
    failure: str | None = None


class Entered(NamedTuple):
    """A request that is being carried out.

    :param place: its place in its trace
    :param parent: the span that has caused it, None if that is not known
    """

    place: TraceParent
    parent: TraceParent | None


class Exporter(NamedTuple):
    """Exports spans in the background.

    :param export: takes a span, and does not wait
    :param close: exports the remaining spans, and waits for that for a moment
    """

    export: Callable[[Span], None]
    close: Callable[[], None]


_exporters: list[Exporter] = []


def start(service: str) -> None:
    """Begin to export spans, if the environment names a target.

    :param service: name of this program in traces, where OTEL_SERVICE_NAME is not set
    """
    if _exporters or not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from .otlp import make_exporter
    except ModuleNotFoundError as error:
        LOGGER.warning(
            "No traces are exported: %s is missing. Install it with pip install 'ska-oso-oet-tango[otel]'",
            error.name,
        )
        return
    _exporters.append(make_exporter(service))


def is_on() -> bool:
    """Return whether spans are exported."""
    return bool(_exporters)


def enter(parent: TraceParent | None) -> Entered | None:
    """Return the place of a request that begins; None if there are no traces.

    If no spans are exported, the spans that the request causes belong to its parent.

    :param parent: the span that has caused it, None if that is not known
    """
    if is_on():
        return Entered(TraceParent.root() if parent is None else parent.child(), parent)
    return None if parent is None else Entered(parent, parent)


def record(span: Span) -> None:
    """Export a span that has ended, if spans are exported. Does not wait."""
    for exporter in _exporters:
        exporter.export(span)


def finish() -> None:
    """Export the remaining spans. Waits for a second; later spans are lost."""
    while _exporters:
        _exporters.pop().close()
