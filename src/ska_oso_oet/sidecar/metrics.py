"""Figures for Prometheus."""

import asyncio
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric

from ska_oso_oet import __version__
from ska_oso_oet.client import Controller, ControllerError
from ska_oso_oet.model import ControllerFigures

from .controller_metrics import LABELS, ControllerCollector, Sight
from .readiness import Observed, look

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Metrics of the sidecar. The names begin with ``oet_``; those of its process with ``process_``."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, processor time and open files of this process
        self.events = Counter("oet_events", "Events received from the controller", LABELS, registry=registry)
        self.streams = Gauge("oet_event_streams", "Event streams that are open", LABELS, registry=registry)
        self.dropped = Counter(
            "oet_event_streams_dropped",
            "Event streams that were ended because their reader was too slow",
            LABELS,
            registry=registry,
        )
        self.calls = Histogram(
            "oet_tango_call_seconds",
            "Duration of Tango calls to the controller",
            [*LABELS, "call"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.failures = Counter(
            "oet_tango_call_failures",
            "Tango calls that failed, by what was the matter",
            [*LABELS, "call", "error"],
            registry=registry,
        )
        Gauge("oet_build_info", "1; the version of this service", ["version"], registry=registry).labels(
            __version__
        ).set(1)
        self.controllers = ControllerCollector()
        registry.register(self.controllers)

    def of(self, number: int, device: str) -> "ControllerMetrics":
        """Return the figures of one controller.

        :param number: of its subarray
        :param device: name of its device
        """
        return ControllerMetrics(self, number, device)

    def collect(self) -> Iterable[Metric]:
        """Return all figures, with their names, types and labels."""
        return self._registry.collect()

    def expose(self) -> bytes:
        """Return all figures in the text format of Prometheus."""
        return generate_latest(self._registry)


class ControllerMetrics:
    """Metrics of the sidecar about one controller.

    :param all_metrics: of all controllers
    :param number: of its subarray
    :param device: name of its device
    """

    def __init__(self, all_metrics: Metrics, number: int, device: str) -> None:
        self._all = all_metrics
        self._number = number
        self._labels = labels = (str(number), device)
        self.events = all_metrics.events.labels(*labels)
        self.streams = all_metrics.streams.labels(*labels)
        self.dropped = all_metrics.dropped.labels(*labels)

    def on_call(self, call: str, seconds: float, error: ControllerError | None) -> None:
        """Record a Tango call.

        :param call: name of the command or attribute
        :param seconds: how long it took
        :param error: why it failed; None if it did not
        """
        self._all.calls.labels(*self._labels, call).observe(seconds)
        if error is not None:
            self._all.failures.labels(*self._labels, call, type(error).__name__).inc()

    async def look(self, service: Observed, timeout: float) -> None:
        """Ask the controller for its state and its figures.

        :param service: the service of the controller
        :param timeout: seconds that the controller may take to answer
        """
        readiness, figures = await asyncio.gather(
            look(service, timeout), _figures(service.controller, timeout)
        )
        # Its former figures may be outdated.
        self._all.controllers.sights[self._number] = Sight(self._labels, readiness, figures)


async def _figures(controller: Controller, timeout: float) -> ControllerFigures | None:
    """Return the figures of a controller, None if it does not answer in time."""
    try:
        async with asyncio.timeout(timeout):
            return await controller.figures()
    except (ControllerError, TimeoutError):
        return None
