"""The way of one event, from a script to a Tango client."""

import time
from collections.abc import Iterator

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.arrivals import Arrivals
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger

PAUSE = 0.003
"""Seconds between two events: whatever the one before has caused is over when the next is published."""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure events one at a time."""
    oet, bare = bench.controller, bench.bare
    with oet.publisher(bench.folder, message_size(bench)) as trigger:
        comparison = compare(
            latency(trigger, oet.arrivals),
            latency(bare.trigger, bare.arrivals),
            bench.plan(blocks=60, block_size=20, warm_up=50),
        )
    yield Row.of(
        "event, script to Tango client",
        Unit.MILLISECONDS,
        comparison,
        "bare push",
        (at_most(1.8), at_most(3, Aspect.P99_RATIO)),
        f"one at a time, {EVENT_SIZE} bytes, durable journal",
    )


def message_size(bench: Bench) -> int:
    """Return how long a script's message must be for its event to have `EVENT_SIZE` characters."""
    probe_size = 100
    with bench.controller.publisher(bench.folder, probe_size) as trigger:
        trigger.fire()
        text = bench.controller.arrivals.until(lambda text: "user.script.announce" in text).text
    return EVENT_SIZE - (len(text) - probe_size)


def latency(trigger: Trigger, arrivals: Arrivals) -> Probe:
    """Return a probe that tells how many milliseconds an event is on its way.

    :param trigger: has it published
    :param arrivals: receives it
    """

    def probe() -> float:
        time.sleep(PAUSE)
        trigger.fire()
        arrival = arrivals.next()
        return (arrival.time - stamp_of(arrival.text)) / 1e6

    return probe
