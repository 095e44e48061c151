"""Figures of controllers as metrics for Prometheus. The controllers count; this module only assigns names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ska_oso_oet.model import ControllerFigures, Distribution, HealthState, QueueState

from .readiness import ControllerReadiness

LABELS = ("subarray", "device")
"""Labels of every figure of a controller."""

_STATES = ("ON", "OFF", "STANDBY", "ALARM", "FAULT", "DISABLE", "INIT", "UNKNOWN")


class Sight(NamedTuple):
    """State of a controller, as it was read last.

    :param labels: values of its labels
    :param readiness: whether it can be used
    :param figures: its figures; None if it does not answer
    """

    labels: tuple[str, str]
    readiness: ControllerReadiness
    figures: ControllerFigures | None


class ControllerCollector(Collector):
    """Converts the last figures of each controller to metrics.

    :ivar sights: states of controllers, by the number of the subarray
    """

    def __init__(self) -> None:
        self.sights: dict[int, Sight] = {}

    def describe(self) -> Iterable[Metric]:
        """Return no names: they depend on the figures."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return the metrics of all controllers."""
        sights = list(self.sights.values())
        yield from _of_readiness(sights)
        known = [(sight.labels, sight.figures) for sight in sights if sight.figures is not None]
        yield from _of_figures(known)


def _of_readiness(sights: Iterable[Sight]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "oet_controller_up",
        "Whether scripts can be created and started: 0 in FAULT, while switched off, or without answer",
        labels=LABELS,
    )
    available = GaugeMetricFamily(
        "oet_controller_available",
        "Whether the controller answers and its events are received",
        labels=LABELS,
    )
    state = GaugeMetricFamily(
        "oet_controller_state", "1 for the state of the Tango device, 0 for others", labels=[*LABELS, "state"]
    )
    health = GaugeMetricFamily(
        "oet_controller_health",
        "1 for the health of the controller, 0 for others",
        labels=[*LABELS, "health"],
    )
    for labels, readiness, _ in sights:
        up.add_metric(labels, readiness.ready)
        available.add_metric(labels, readiness.available)
        if readiness.state is not None:
            for each in _STATES:
                state.add_metric((*labels, each), readiness.state == each)
            for known in HealthState:
                health.add_metric((*labels, known.value), readiness.health_state is known)
    yield from (up, available, state, health)


_Known = list[tuple[tuple[str, str], ControllerFigures]]


def _of_figures(known: _Known) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "oet_controller_info", "1; the version of the controller", labels=[*LABELS, "version"]
    )
    for labels, figures in known:
        info.add_metric((*labels, figures.version), 1)
    yield info
    yield from _gauges(known)
    yield from _counters(known)
    yield from _histograms(known)
    yield from _processes(known)


def _gauges(known: _Known) -> Iterator[Metric]:
    for field, name, words in (
        ("started", "oet_controller_start_time_seconds", "When the controller was started, since 1970"),
        ("queue_length", "oet_queue_length", "Entries of the queue that have not ended"),
        ("standby_workers", "oet_standby_workers", "Processes that are kept warm for the next Create"),
        ("procedures_ready", "oet_procedures_ready", "Procedures that wait to be started"),
        ("procedures_live", "oet_procedures_live", "Procedures that have not ended"),
        ("backlog", "oet_journal_backlog", "Entries that wait to be written to the journal"),
        ("journal_bytes", "oet_journal_size_bytes", "Size of the file of the journal"),
        (
            "state_directory_free_bytes",
            "oet_state_directory_free_bytes",
            "Free space of the disk with the state directory",
        ),
    ):
        family = GaugeMetricFamily(name, words, labels=LABELS)
        for labels, figures in known:
            if (value := getattr(figures, field)) is not None:
                family.add_metric(labels, value)
        yield family
    state = GaugeMetricFamily(
        "oet_queue_state", "1 for the state of the queue, 0 for others", labels=[*LABELS, "state"]
    )
    for labels, figures in known:
        for each in QueueState:
            state.add_metric((*labels, each.value), figures.queue_state == each)
    yield state


def _counters(known: _Known) -> Iterator[Metric]:
    for field, name, words in (
        ("events", "oet_controller_events", "Events that the controller has published"),
        ("requests", "oet_controller_requests", "Requests that may change something"),
    ):
        family = CounterMetricFamily(name, words, labels=LABELS)
        for labels, figures in known:
            family.add_metric(labels, getattr(figures, field))
        yield family
    for field, name, label, words in (
        ("ended", "oet_procedures_ended", "state", "Procedures that have ended, by their state"),
        ("activities_ended", "oet_activities_ended", "state", "Activities that have ended, by their state"),
        ("queue_ended", "oet_queue_entries_ended", "state", "Entries of the queue that have ended"),
        ("environment_builds", "oet_environment_builds", "result", "Preparations of Python environments"),
    ):
        family = CounterMetricFamily(name, words, labels=[*LABELS, label])
        for labels, figures in known:
            counts: Mapping[str, int] = getattr(figures, field)
            for value, count in counts.items():
                family.add_metric((*labels, value), count)
        yield family


def _histograms(known: _Known) -> Iterator[Metric]:
    durations = HistogramMetricFamily(
        "oet_procedure_duration_seconds",
        "Duration of load, init and main, and of ready: from Create to READY",
        labels=[*LABELS, "part"],
    )
    lag = HistogramMetricFamily(
        "oet_event_lag_seconds", "From a change of a procedure's state to its events", labels=LABELS
    )
    wait = HistogramMetricFamily(
        "oet_queue_wait_seconds", "From when an entry was added, or may start, to its start", labels=LABELS
    )
    for labels, figures in known:
        for part, distribution in figures.durations.items():
            _add(durations, (*labels, part), distribution)
        _add(lag, labels, figures.event_lag)
        _add(wait, labels, figures.queue_wait)
    yield from (durations, lag, wait)


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], distribution: Distribution) -> None:
    family.add_metric(labels, list(distribution.cumulative), distribution.sum)


def _processes(known: _Known) -> Iterator[Metric]:
    kinds = [*LABELS, "kind"]
    for field, name, words in (
        ("processes", "oet_controller_processes", "Processes: the server, and its workers"),
        ("cpu_seconds", "oet_controller_cpu_seconds", "Processor time of the processes that live"),
        ("resident_bytes", "oet_controller_resident_memory_bytes", "Memory of the processes"),
        ("open_files", "oet_controller_open_fds", "Open descriptors of the processes"),
        ("threads", "oet_controller_threads", "Threads of the processes"),
    ):
        family = GaugeMetricFamily(name, words, labels=kinds)
        for labels, figures in known:
            for kind, used in (("server", figures.server), ("workers", figures.workers)):
                if used is not None:
                    family.add_metric((*labels, kind), getattr(used, field))
        yield family
