"""Starting a script that does nothing, of the OET and of what it is compared with."""

import time
from collections.abc import Callable

from tests.benchmarks.core.measure import Probe
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.sardana import Door

SCRIPT = "observation"


def oet_answered(bench: Bench) -> Probe:
    """Return a probe that measures how many milliseconds Start takes to be answered."""
    return _oet(bench, lambda began, answered, complete: answered - began)


def oet_complete(bench: Bench) -> Probe:
    """Return a probe that measures the milliseconds from Start to the client's event of COMPLETE."""
    return _oet(bench, lambda began, answered, complete: complete - began)


def _oet(bench: Bench, took: Callable[[int, int, int], int]) -> Probe:
    oet = bench.controller

    def start() -> float:
        oet.create(SCRIPT)
        bench.wait_for_standby()
        began = time.monotonic_ns()
        oet.start()
        answered = time.monotonic_ns()
        return took(began, answered, oet.reached("COMPLETE").time) / 1e6

    return start


def minimal_answered(bench: Bench) -> Probe:
    """Return the probe of the minimal program that is like `oet_answered`."""

    def start() -> float:
        began = time.monotonic_ns()
        bench.minimal.start()
        answered = time.monotonic_ns()
        bench.minimal.completed()
        return (answered - began) / 1e6

    return start


def minimal_complete(bench: Bench) -> Probe:
    """Return the probe of the minimal program that is like `oet_complete`."""

    def start() -> float:
        began = time.monotonic_ns()
        bench.minimal.start()
        return (bench.minimal.completed().time - began) / 1e6

    return start


def sardana_answered(door: Door) -> Probe:
    """Return the probe of Sardana that is like `oet_answered`."""

    def run() -> float:
        began = time.monotonic_ns()
        door.run("Empty")
        answered = time.monotonic_ns()
        door.wait_until_on()
        return (answered - began) / 1e6

    return run


def sardana_on(door: Door) -> Probe:
    """Return the probe of Sardana that is like `oet_complete`."""

    def run() -> float:
        began = time.monotonic_ns()
        door.run("Empty")
        return (door.wait_until_on() - began) / 1e6

    return run
