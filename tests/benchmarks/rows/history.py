"""What a long history costs: the same things done by a controller that has one, and by one that begins."""

import json
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.history import Extent, clients, places
from tests.benchmarks.stack.oet import SCRIPTS, Controller
from tests.support.controller_site import ControllerSite
from tests.support.tango_stack import READY

_LONG = Extent(events=1_000_000, procedures=100_000)
_QUICK = Extent(events=2_000, procedures=200)
_BASELINE = "empty journal"
_NEWEST = 100
_SCRIPT = "sleeping"
# Twice the same thing differs by this much on a machine that has other things to do.
_NOISE = 1.2


def measure(bench: Bench) -> Iterator[Row]:
    """Measure what depends, if it is badly made, on how much there is in the journal."""
    extent = _QUICK if bench.quick else _LONG
    note = f"{extent.events:,} events and {extent.procedures:,} procedures in the journal"
    at = places(bench.stack.tango_host, bench.folder, extent)
    yield _row(
        "server start",
        (_starting(at.old), _starting(at.new)),
        bench,
        f"{note}; from the start of the process to the first call",
        samples=(8, 1),
    )
    with clients(at) as (old, new):
        # The first procedure of a controller pays for the start of its forkserver.
        for controller in (old, new):
            _creating(controller)()
        yield _row("Create, answered", (_creating(old), _creating(new)), bench, note, samples=(15, 2))
        yield _row("Start, answered", (_running(old), _running(new)), bench, note, samples=(15, 2))
        yield _row(
            f"GetEvents, newest {_NEWEST}",
            (_reading(old), _reading(new)),
            bench,
            note,
            samples=(40, 10),
        )


def _row(name: str, sides: tuple[Probe, Probe], bench: Bench, note: str, *, samples: tuple[int, int]) -> Row:
    comparison = compare(*sides, bench.plan(*samples, warm_up=1))
    return Row.of(name, Unit.MILLISECONDS, comparison, _BASELINE, (at_most(_NOISE),), note)


def _starting(site: ControllerSite) -> Probe:
    def start() -> float:
        began = time.monotonic_ns()
        server = site.launch()
        try:
            server.wait_for_output(READY)
            site.connect(server).proxy.state()
            return (time.monotonic_ns() - began) / 1e6
        finally:
            server.stop()

    return start


def _creating(controller: Controller) -> Probe:
    """Return a probe that creates a procedure, and stops it afterwards."""

    def create() -> float:
        took = _timed(lambda: controller.send("Create", (SCRIPTS / f"{_SCRIPT}.py").as_uri()))
        controller.reached("READY")
        controller.send("Stop", {"pid": controller.proxy.read_attribute("lastProcedure").value})
        controller.reached("STOPPED")
        return took

    return create


def _running(controller: Controller) -> Probe:
    """Return a probe that starts a procedure, and stops it afterwards."""

    def start() -> float:
        controller.create(_SCRIPT)
        took = _timed(controller.start)
        controller.send("Stop", {"pid": controller.proxy.read_attribute("lastProcedure").value})
        controller.reached("STOPPED")
        return took

    return start


def _reading(controller: Controller) -> Probe:
    def read() -> float:
        newest = controller.proxy.read_attribute("lastEventId").value
        query = json.dumps({"after": max(0, newest - _NEWEST), "limit": _NEWEST})
        return _timed(lambda: controller.proxy.command_inout("GetEvents", query))

    return read


def _timed(action: Callable[[], object]) -> float:
    """Return how many milliseconds an action takes."""
    began = time.monotonic_ns()
    action()
    return (time.monotonic_ns() - began) / 1e6
