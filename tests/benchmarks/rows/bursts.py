"""As many events as a script can publish, all of them received."""

from collections.abc import Iterator

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Row, Unit, at_least
from tests.benchmarks.rows.events import message_size
from tests.benchmarks.stack.arrivals import Arrival, Arrivals
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger

_BURST = 20_000
_QUICK_BURST = 200


def measure(bench: Bench) -> Iterator[Row]:
    """Measure bursts of events to a Tango client."""
    oet, bare = bench.controller, bench.bare
    burst = _QUICK_BURST if bench.quick else _BURST
    with oet.publisher(bench.folder, message_size(bench)) as trigger:
        comparison = compare(
            rate(trigger, oet.arrivals, burst),
            rate(bare.trigger, bare.arrivals, burst),
            bench.plan(blocks=6, block_size=1, warm_up=1),
        )
    yield Row.of(
        "burst to Tango client",
        Unit.PER_SECOND,
        comparison,
        "bare pushes",
        (at_least(0.6),),
        f"{burst:,} events of {EVENT_SIZE} bytes, all received; from the first publication to the last arrival",
    )


def rate(trigger: Trigger, arrivals: Arrivals, burst: int) -> Probe:
    """Return a probe that tells how many events per second come through.

    :param trigger: has them published
    :param arrivals: receives them
    :param burst: how many to publish
    """

    def probe() -> float:
        trigger.fire(burst)
        received = arrivals.take(burst)
        _require_order(received)
        return burst / (received[-1].time - stamp_of(received[0].text)) * 1e9

    return probe


def _require_order(received: list[Arrival]) -> None:
    stamps = [stamp_of(arrival.text) for arrival in received]
    if stamps != sorted(stamps):
        raise AssertionError("events have come in another order than they were published in")
