"""Time of reads: a query command, and the attribute that shows the procedures."""

import json
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench

_PROCEDURES = 10


def measure(bench: Bench) -> Iterator[Row]:
    """Measure a query command and the reading of ten procedures."""
    oet, bare = bench.controller, bench.bare
    _have_procedures(bench)
    plan = bench.plan(blocks=60, block_size=20, warm_up=50)

    summary = oet.proxy.command_inout("DescribeProcedure", 0)
    yield Row.of(
        "query command",
        Unit.MILLISECONDS,
        compare(
            _timed(lambda: oet.proxy.command_inout("DescribeProcedure", 0)),
            _timed(lambda: bare.proxy.command_inout("Echo", summary)),
            plan,
        ),
        "bare echo",
        (at_most(1.5),),
        f"DescribeProcedure, {len(summary)} bytes; the echo takes and returns as many",
    )

    procedures = oet.proxy.read_attribute("procedures").value
    bare.proxy.write_attribute("text", procedures)
    yield Row.of(
        "attribute procedures",
        Unit.MILLISECONDS,
        compare(
            _timed(lambda: oet.proxy.read_attribute("procedures")),
            _timed(lambda: bare.proxy.read_attribute("text")),
            plan,
        ),
        "bare attribute",
        (at_most(1.5),),
        f"{len(json.loads(procedures))} entries, {len(procedures)} bytes",
    )


def _have_procedures(bench: Bench) -> None:
    """Have as many procedures to look at as the attribute shows."""
    known = len(json.loads(bench.controller.proxy.read_attribute("procedures").value))
    for _ in range(_PROCEDURES - known):
        bench.controller.create("observation")
        bench.controller.start()
        bench.controller.reached("COMPLETE")


def _timed(action: Callable[[], object]) -> Probe:
    """Return a probe that measures how many milliseconds an action takes."""

    def probe() -> float:
        began = time.monotonic_ns()
        action()
        return (time.monotonic_ns() - began) / 1e6

    return probe
