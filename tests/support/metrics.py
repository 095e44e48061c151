"""The metrics of a sidecar, as Prometheus gets them."""

import re
from collections.abc import Iterable

from ska_oso_oet.model import ControllerFigures, DurationCounter, HealthState, ProcessFigures
from ska_oso_oet.sidecar.controller_metrics import Sight
from ska_oso_oet.sidecar.metrics import Metrics
from ska_oso_oet.sidecar.readiness import ControllerReadiness

_NAME = re.compile(r"^((?:oet|process)_[a-z0-9_]+)[{ ]", re.MULTILINE)
_QUERIED = re.compile(r"\b((?:oet|process)_[a-z0-9_]+)\b")

USED = ProcessFigures(processes=2, cpu_seconds=1.5, resident_bytes=4096, open_files=30, threads=4)


def sample_figures(**changes: object) -> ControllerFigures:
    """Return figures in which everything is known.

    :param changes: values of fields
    """
    durations = {part: DurationCounter(0.02).distribution for part in ("load", "init", "main", "ready")}
    given = {
        "device": "d",
        "version": "1.2",
        "started": 1.0,
        "ended": {"COMPLETE": 3, "FAILED": 1},
        "activities_ended": {"COMPLETE": 1},
        "durations": durations,
        "environment_builds": {"success": 1, "failure": 0},
        "events": 100,
        "event_lag": DurationCounter(0.001).distribution,
        "requests": 9,
        "queue_ended": {"DONE": 1},
        "queue_length": 2,
        "queue_wait": DurationCounter(70.0).distribution,
        "queue_state": "RUNNING",
        "standby_workers": 1,
        "procedures_ready": 1,
        "procedures_live": 2,
        "backlog": 0,
        "journal_bytes": 8192,
        "state_directory_free_bytes": 10**9,
        "server": USED,
        "workers": USED,
    }
    return ControllerFigures.model_validate({**given, **changes})


def sight(subarray: int, device: str, figures: ControllerFigures | None) -> Sight:
    """Return what is known of a controller that is ON, or of one that does not answer."""
    known = figures is not None
    readiness = ControllerReadiness(
        subarray_id=subarray,
        device=device,
        ready=known,
        available=known,
        state="ON" if known else None,
        health_state=HealthState.OK if known else None,
        reason=None if known else "It does not answer.",
        unavailable_since=None if known else 1.0,
    )
    return Sight((str(subarray), device), readiness, figures)


def exposed(*sights: Sight) -> str:
    """Return the metrics of a sidecar that serves some controllers, and has served some requests."""
    metrics = Metrics()
    for each in sights:
        metrics.controllers.sights[each.readiness.subarray_id] = each
        of = metrics.of(each.readiness.subarray_id, each.readiness.device)
        of.on_call("Create", 0.01, None)
        of.events.inc()
        of.streams.set(1)
    return metrics.expose().decode()


def names_in(metrics: str) -> set[str]:
    """Return the names of metrics."""
    return set(_NAME.findall(metrics))


def names_in_queries(queries: Iterable[str]) -> set[str]:
    """Return the names of metrics that queries ask for."""
    return {name for query in queries for name in _QUERIED.findall(query)}
