"""The way of one event, from a script to a client."""

import time
from collections.abc import Iterator

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.arrivals import Arrival, Receiver
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger

PAUSE = 0.003
"""Seconds between two events: whatever the one before has caused is over when the next is published."""

_NOTE = f"one at a time, {EVENT_SIZE} bytes, durable journal"


def measure(bench: Bench) -> Iterator[Row]:
    """Measure events one at a time."""
    with bench.controller.publisher(bench.folder, message_size(bench)) as trigger:
        yield _to_tango(bench, trigger)
        yield _to_stream(bench, trigger)


def _to_tango(bench: Bench, trigger: Trigger) -> Row:
    return Row.of(
        "event, script to Tango client",
        Unit.MILLISECONDS,
        compare(
            latency(trigger, bench.controller.arrivals),
            latency(bench.bare.trigger, bench.bare_arrivals),
            bench.plan(blocks=60, block_size=20, warm_up=50),
        ),
        "bare push",
        (at_most(1.8), at_most(3, Aspect.P99_RATIO)),
        _NOTE,
    )


def _to_stream(bench: Bench, trigger: Trigger) -> Row:
    with (
        bench.controller.arrivals.paused(trigger),
        bench.stack.clients() as client,
        bench.bare_stream.clients() as bare_client,
    ):
        client.settle(trigger)
        bare_push = latency(bench.bare.trigger, bench.bare_arrivals)
        bare_stream = latency(bench.bare_stream.trigger, bare_client)
        comparison = compare(
            latency(trigger, client),
            lambda: bare_push() + bare_stream(),
            bench.plan(blocks=60, block_size=10, warm_up=50),
        )
    return Row.of(
        "event, script to SSE client",
        Unit.MILLISECONDS,
        comparison,
        "bare push + bare SSE",
        (at_most(2), at_most(3, Aspect.MEDIAN)),
        _NOTE,
    )


def message_size(bench: Bench) -> int:
    """Return how long a script's message must be for its event to have `EVENT_SIZE` characters."""
    probe_size = 100
    with bench.controller.publisher(bench.folder, probe_size) as trigger:
        trigger.fire()
        text = bench.controller.arrivals.until(lambda text: "user.script.announce" in text).text
    return EVENT_SIZE - (len(text) - probe_size)


def latency(trigger: Trigger, receiver: Receiver) -> Probe:
    """Return a probe that measures how many milliseconds an event is on its way.

    :param trigger: has it published
    :param receiver: receives it
    """

    def probe() -> float:
        arrival = next_event(trigger, receiver)
        return (arrival.time - stamp_of(arrival.text)) / 1e6

    return probe


def next_event(trigger: Trigger, receiver: Receiver) -> Arrival:
    """Have an event published after a pause, and return it when it has come.

    :param trigger: has it published
    :param receiver: receives it
    """
    time.sleep(PAUSE)
    trigger.fire()
    return receiver.next()
