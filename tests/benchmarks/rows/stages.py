"""Stages of an event on its way to a Tango client, with their times.

The last stage is that of a bare push. The others are what is added by a process of its own for each script,
and by a journal that is written before the publication.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from tests.benchmarks.core.measure import Distribution
from tests.benchmarks.core.row import Row, Unit
from tests.benchmarks.rows.events import message_size, next_event
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.oet import SCRIPTS
from tests.benchmarks.stack.oet import controller as client_of
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.tracing_server import TRACE_FILE
from tests.support.controller_site import ControllerSite

_SERVER = "tests.benchmarks.stack.tracing_server"
_DEVICE = "bench/stages/1"

_STAGES = {
    "sent": "",
    "received": "script to message loop",
    "numbered": "message loop to bus",
    "committed": "journal",
    "taken": "bus to publisher",
    "arrived": "push to client",
}
"""Stages that an event has passed."""


_SAMPLES = 500
_QUICK_SAMPLES = 3


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the stages of an event's way to a Tango client."""
    times = _traced(bench)
    for before, stage in pairwise(_STAGES):
        took = tuple((at[stage] - at[before]) / 1e6 for at in times)
        yield Row(f"stage of an event: {_STAGES[stage]}", Unit.MILLISECONDS, Distribution(took))


def _traced(bench: Bench) -> Collection[Mapping[str, int]]:
    """Return, of each event, the time at which it came to each stage, in nanoseconds."""
    trace = bench.folder / "trace.json"
    properties = {"ScriptRoots": [str(SCRIPTS)]}
    site = ControllerSite(bench.stack.tango_host, _DEVICE, bench.folder / "stages", properties, _SERVER)
    size = message_size(bench)
    times: dict[int, dict[str, int]] = {}
    with (
        site.served({TRACE_FILE: str(trace)}),
        client_of(site.tango_host, site.device) as client,
        client.publisher(bench.folder, size) as trigger,
    ):
        for _ in range(_QUICK_SAMPLES if bench.quick else _SAMPLES):
            arrival = next_event(trigger, client.arrivals)
            stamp = stamp_of(arrival.text)
            times[stamp] = {"sent": stamp, "arrived": arrival.time}
    for stage, stamp, at in json.loads(trace.read_text()):
        times[stamp][stage] = at
    return times.values()
