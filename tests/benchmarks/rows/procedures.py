"""Time to run a script: from Create to READY, and from Start to COMPLETE."""

import subprocess
import sys
import time
from collections.abc import Iterator

from tests.benchmarks.core.measure import compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.footprint import processor_time

_SCRIPT = "observation"


def measure(bench: Bench) -> Iterator[Row]:
    """Measure creating and starting a script."""
    yield _create(bench)
    yield _start(bench)
    yield _processor_of_start(bench)


def _create(bench: Bench) -> Row:
    oet = bench.controller

    def create() -> float:
        _end_last(bench)
        began = time.monotonic_ns()
        return (oet.create(_SCRIPT).time - began) / 1e6

    def python() -> float:
        began = time.monotonic_ns()
        subprocess.run([sys.executable, "-c", ""], check=True)
        return (time.monotonic_ns() - began) / 1e6

    oet.create(_SCRIPT)
    comparison = compare(create, python, bench.plan(blocks=20, block_size=5))
    _end_last(bench)
    return Row.of(
        "Create to READY event",
        Unit.MILLISECONDS,
        comparison,
        "empty Python process",
        (at_most(0.5), at_most(10, Aspect.MEDIAN)),
        "the script imports tango and numpy; a standby worker was ready each time",
    )


def _end_last(bench: Bench) -> None:
    """Let the last procedure run, and wait until there is a standby worker again."""
    bench.controller.start()
    bench.controller.reached("COMPLETE")
    bench.wait_for_standby()


def _start(bench: Bench) -> Row:
    oet, bare, bare_arrivals = bench.controller, bench.bare, bench.bare_arrivals

    def start() -> float:
        oet.create(_SCRIPT)
        bench.wait_for_standby()
        began = time.monotonic_ns()
        oet.start()
        return (oet.reached("COMPLETE").time - began) / 1e6

    def command_and_event() -> float:
        began = time.monotonic_ns()
        bare.proxy.command_inout("Echo", "")
        bare.trigger.fire()
        return (bare_arrivals.next().time - began) / 1e6

    return Row.of(
        "Start to COMPLETE event",
        Unit.MILLISECONDS,
        compare(start, command_and_event, bench.plan(blocks=20, block_size=5)),
        "bare command + bare event",
        (at_most(5), at_most(3.4, Aspect.MEDIAN)),
        "an empty main",
    )


def _processor_of_start(bench: Bench) -> Row:
    """Measure the processor time of the device server in a start: the rest is waiting for other processes."""
    oet, bare, bare_arrivals = bench.controller, bench.bare, bench.bare_arrivals
    server = next(pid for pid, what in bench.stack.processes().items() if what == "device server")

    def start() -> float:
        oet.create(_SCRIPT)
        bench.wait_for_standby()
        before = processor_time(server)
        oet.start()
        oet.reached("COMPLETE")
        return (processor_time(server) - before) * 1e3

    def command_and_event() -> float:
        before = processor_time(bare.process.pid)
        bare.proxy.command_inout("Echo", "")
        bare.trigger.fire()
        bare_arrivals.next()
        return (processor_time(bare.process.pid) - before) * 1e3

    return Row.of(
        "Start to COMPLETE event, processor time of the server",
        Unit.MILLISECONDS,
        compare(start, command_and_event, bench.plan(blocks=20, block_size=5)),
        "bare command + bare event",
        (),
        "seven events of the bus in three transactions, and the updates of a long-running command",
    )
