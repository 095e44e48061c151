"""Figures for Prometheus."""

import asyncio

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from ska_oso_oet.client import Controller, ControllerError
from ska_oso_oet.model import ProcedureState

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """What this service measures. The names begin with ``oet_``; those of its process with ``process_``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # memory, processor time and open files of this process
        self.events = Counter("oet_events", "Events received from the controller", registry=self._registry)
        self.streams = Gauge("oet_event_streams", "Event streams that are open", registry=self._registry)
        self.dropped = Counter(
            "oet_event_streams_dropped",
            "Event streams that were ended because their reader was too slow",
            registry=self._registry,
        )
        self._calls = Histogram(
            "oet_tango_call_seconds",
            "Duration of Tango calls to the controller",
            ["call"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._failures = Counter(
            "oet_tango_call_failures",
            "Tango calls that failed, by what was the matter",
            ["call", "error"],
            registry=self._registry,
        )
        self._up = Gauge("oet_controller_up", "Whether the controller answers", registry=self._registry)
        self._procedures = Gauge(
            "oet_procedures",
            "Procedures that the controller lists, by state",
            ["state"],
            registry=self._registry,
        )

    def on_call(self, call: str, seconds: float, error: ControllerError | None) -> None:
        """Take note of a Tango call.

        :param call: name of the command or attribute
        :param seconds: how long it took
        :param error: why it failed; None if it did not
        """
        self._calls.labels(call).observe(seconds)
        if error is not None:
            self._failures.labels(call, type(error).__name__).inc()

    async def expose(self, controller: Controller, timeout: float) -> bytes:
        """Return all figures in the text format of Prometheus.

        :param controller: asked for its procedures
        :param timeout: seconds that it may take to answer
        """
        self._procedures.clear()
        try:
            async with asyncio.timeout(timeout):
                procedures = await controller.procedures()
        except (ControllerError, TimeoutError):
            self._up.set(0)
        else:
            self._up.set(1)
            for state in ProcedureState:
                count = sum(procedure.state is state for procedure in procedures)
                self._procedures.labels(state.value).set(count)
        return generate_latest(self._registry)
