"""The metrics of the REST service as Markdown, from its registry."""

from prometheus_client.metrics_core import Metric

from ska_oso_oet.client import DeviceAwayError
from ska_oso_oet.model import ControllerFigures, Distribution, HealthState, ProcessFigures
from ska_oso_oet.sidecar.controller_metrics import Sight
from ska_oso_oet.sidecar.metrics import Metrics
from ska_oso_oet.sidecar.readiness import ControllerReadiness

from .markdown import code, table

_USED = ProcessFigures(processes=1, cpu_seconds=0.0, resident_bytes=0, open_files=0, threads=1)
_COUNTS = {"COMPLETE": 0}

_FIGURES = ControllerFigures(
    device="device",
    version="version",
    started=0.0,
    ended=_COUNTS,
    activities_ended=_COUNTS,
    queue_ended=_COUNTS,
    environment_builds=_COUNTS,
    durations={"main": Distribution()},
    event_lag=Distribution(),
    queue_wait=Distribution(),
    events=0,
    requests=0,
    queue_length=0,
    queue_state="STOPPED",
    standby_workers=0,
    procedures_ready=0,
    procedures_live=0,
    backlog=0,
    journal_bytes=0,
    state_directory_free_bytes=0,
    server=_USED,
    workers=_USED,
)
"""Figures of a controller that has all of them, so that each metric has its labels."""

_READINESS = ControllerReadiness(
    subarray_id=1,
    device="device",
    ready=True,
    available=True,
    state="ON",
    health_state=HealthState.OK,
    reason=None,
    unavailable_since=None,
)


def metrics() -> str:
    """Return the metrics: names, types, labels, meanings."""
    measured = Metrics()
    measured.of(1, "device").on_call("State", 0.0, DeviceAwayError("no answer"))
    measured.controllers.sights[1] = Sight(("1", "device"), _READINESS, _FIGURES)
    families = sorted(measured.collect(), key=lambda family: family.name)
    return table(("metric", "type", "labels", "meaning"), map(_row, families))


def _row(family: Metric) -> tuple[str, str, str, str]:
    # What Prometheus stores of a counter ends in _total; of a histogram it is _bucket, _sum and _count.
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = dict.fromkeys(label for sample in family.samples for label in sample.labels if label != "le")
    return code(name), family.type, ", ".join(map(code, labels)), family.documentation
