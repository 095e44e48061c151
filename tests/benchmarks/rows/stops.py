"""Stopping: a script that lets itself be stopped, and one that does not."""

import time
from collections.abc import Iterator

from tests.benchmarks.core.measure import Distribution, sample
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench

_REACTION = 50.0
"""Milliseconds that it may take beyond the time that a script is given."""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the time from the command Stop to the event that the procedure is STOPPED."""
    yield Row(
        "Stop to STOPPED event",
        Unit.MILLISECONDS,
        _stopping(bench, "sleeping", samples=50),
        targets=(at_most(20, Aspect.MEDIAN),),
        note="main sleeps",
    )
    yield Row(
        "Stop to STOPPED event, SIGTERM ignored",
        Unit.MILLISECONDS,
        _stopping(bench, "stubborn", samples=15),
        targets=(at_most(1000 * bench.grace + _REACTION, Aspect.MEDIAN),),
        note=f"StopGracePeriod is {bench.grace:g} s",
    )


def _stopping(bench: Bench, script: str, samples: int) -> Distribution:
    """Return how many milliseconds it takes to stop a script while its main runs."""
    oet = bench.controller

    def stop() -> float:
        oet.create(script)
        oet.start()
        # Published by main once nothing but the signal can end it.
        oet.arrivals.until(lambda text: "user.script.announce" in text)
        bench.wait_for_standby()
        began = time.monotonic_ns()
        oet.send("Stop")
        return (oet.reached("STOPPED").time - began) / 1e6

    return sample(stop, bench.plan(blocks=samples, block_size=1, warm_up=2))
