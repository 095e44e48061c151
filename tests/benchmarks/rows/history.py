"""Cost of a long history: the same actions on controllers with a growing history."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks.core.measure import Plan, Probe, compare
from tests.benchmarks.core.row import Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.history import Extent, clients, places
from tests.benchmarks.stack.oet import SCRIPTS, Controller
from tests.support.controller_site import ControllerSite
from tests.support.tango_stack import READY

_SHORT = Extent(10)
_LONGER = (Extent(1_000), Extent(100_000))
_QUICK_LONGER = (Extent(100),)
_NEWEST = 100
_SCRIPT = "sleeping"
# Twice the same thing differs by this much on a machine that has other things to do.
_NOISE = 1.2


@dataclass(frozen=True)
class _Figure:
    """Something that is done with a controller, whatever its history.

    :param name: what it is
    :param probe: returns what measures it
    :param blocks: how often the controllers take turns
    :param block_size: samples of one before it is the other's turn
    :param note: what one must know to read it
    """

    name: str
    probe: Callable[[Controller], Probe]
    blocks: int
    block_size: int
    note: str = ""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure what depends, if it is badly made, on how much there is in the journal."""
    longer = _QUICK_LONGER if bench.quick else _LONGER
    with places(bench.stack.tango_host, bench.folder, (_SHORT, *longer)) as at:
        starting = {extent: _starting(site) for extent, site in at.items()}
        note = "from the start of the process to the first call"
        yield from _rows("server start", starting, bench.plan(4, 1, warm_up=1), note)
        with clients(at) as controllers:
            # The first procedure of a controller pays for the start of its forkserver.
            for controller in controllers.values():
                _creating(controller)()
            for figure in _FIGURES:
                probes = {extent: figure.probe(controller) for extent, controller in controllers.items()}
                plan = bench.plan(figure.blocks, figure.block_size)
                yield from _rows(figure.name, probes, plan, figure.note)


def _rows(name: str, probes: Mapping[Extent, Probe], plan: Plan, note: str = "") -> Iterator[Row]:
    """Measure a figure with each longer history beside the short one."""
    for extent in sorted(probes.keys() - {_SHORT}):
        yield Row.of(
            f"{name}, {extent.procedures:,} procedures",
            Unit.MILLISECONDS,
            compare(probes[extent], probes[_SHORT], plan),
            f"{_SHORT.procedures} procedures",
            (at_most(_NOISE),),
            f"{extent.events:,} events in the journal{'; ' if note else ''}{note}",
        )


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


def _describing(controller: Controller) -> Probe:
    return lambda: _timed(lambda: controller.proxy.command_inout("DescribeProcedure", 1))


def _timed(action: Callable[[], object]) -> float:
    """Return how many milliseconds an action takes."""
    began = time.monotonic_ns()
    action()
    return (time.monotonic_ns() - began) / 1e6


_FIGURES = (
    _Figure("Create, answered", _creating, 15, 2),
    _Figure("Start, answered", _running, 15, 2),
    _Figure(f"GetEvents, newest {_NEWEST}", _reading, 40, 10),
    _Figure("DescribeProcedure, the oldest", _describing, 40, 10),
)
