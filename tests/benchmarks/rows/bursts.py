"""As many events as a script can publish, all of them received."""

from collections.abc import Iterator

from tests.benchmarks.core.measure import Comparison, Probe, compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_least
from tests.benchmarks.rows.events import message_size
from tests.benchmarks.stack.arrivals import Receiver
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.oet import SCRIPTS
from tests.benchmarks.stack.oet import controller as client_of
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger
from tests.support.controller_site import ControllerSite

_BURST = 20_000
_QUICK_BURST = 200
_MANY = 50
_LONE_DEVICE = "bench/lone/1"
_BARE_BURST_TO_MANY = 2_000
"""A bare stream sends each event to each client by itself: a whole burst to many would take a minute."""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure bursts of events."""
    burst = _QUICK_BURST if bench.quick else _BURST
    with bench.controller.publisher(bench.folder, message_size(bench)) as trigger:
        yield _to_tango(bench, trigger, burst)
        # A client beside those that are measured would take from them.
        with bench.controller.arrivals.paused(trigger):
            yield _to_stream(bench, trigger, burst)
            yield _to_streams(bench, trigger, burst)
    yield _without_sidecar(bench, burst)


def _to_tango(bench: Bench, trigger: Trigger, burst: int) -> Row:
    return Row.of(
        "burst to Tango client",
        Unit.PER_SECOND,
        _beside_bare_pushes(bench, trigger, bench.controller.arrivals, burst),
        "bare pushes",
        (at_least(0.6),),
        f"{_described(burst)}; from the first one sent to the last arrival",
    )


def _without_sidecar(bench: Bench, burst: int) -> Row:
    """Measure the share of the sidecar in the time of a burst: it receives all events, too."""
    properties = {"ScriptRoots": [str(SCRIPTS)]}
    site = ControllerSite(bench.stack.tango_host, _LONE_DEVICE, bench.folder / "lone", properties)
    size = message_size(bench)
    with (
        site.served(),
        client_of(site.tango_host, site.device) as client,
        client.publisher(bench.folder, size) as trigger,
    ):
        client.arrivals.settle(trigger)
        comparison = _beside_bare_pushes(bench, trigger, client.arrivals, burst)
    return Row.of(
        "burst to Tango client, no sidecar",
        Unit.PER_SECOND,
        comparison,
        "bare pushes",
        (),
        f"{_described(burst)}, of a controller that nobody else listens to, as of the bare server",
    )


def _beside_bare_pushes(bench: Bench, trigger: Trigger, receiver: Receiver, burst: int) -> Comparison:
    return compare(
        rate(trigger, receiver, burst),
        rate(bench.bare.trigger, bench.bare_arrivals, burst),
        bench.plan(blocks=4, block_size=1, warm_up=1),
    )


def _to_stream(bench: Bench, trigger: Trigger, burst: int) -> Row:
    with bench.stack.clients() as client, bench.bare_stream.clients() as bare_client:
        client.settle(trigger)
        comparison = compare(
            rate(trigger, client, burst),
            rate(bench.bare_stream.trigger, bare_client, burst),
            bench.plan(blocks=4, block_size=1, warm_up=1),
        )
    return Row.of(
        "burst to SSE client",
        Unit.PER_SECOND,
        comparison,
        "bare SSE",
        (at_least(12_000, Aspect.MEDIAN),),
        f"{_described(burst)}; the bare stream is fed by its own process, without Tango",
    )


def _to_streams(bench: Bench, trigger: Trigger, burst: int) -> Row:
    bare_burst = min(burst, _BARE_BURST_TO_MANY)
    with bench.stack.clients(_MANY) as clients, bench.bare_stream.clients(_MANY) as bare_clients:
        clients.settle(trigger)
        comparison = compare(
            rate(trigger, clients, burst),
            rate(bench.bare_stream.trigger, bare_clients, bare_burst),
            bench.plan(blocks=3, block_size=1, warm_up=1),
        )
    return Row.of(
        f"burst to {_MANY} SSE clients, each",
        Unit.PER_SECOND,
        comparison,
        "bare SSE",
        (at_least(2_000, Aspect.MEDIAN),),
        f"{_described(burst)}, in order, by each of {_MANY}; to the last arrival at the last of them; "
        f"the bare stream sends {bare_burst:,}",
    )


def _described(burst: int) -> str:
    return f"{burst:,} events of {EVENT_SIZE} bytes, all received"


def rate(trigger: Trigger, receiver: Receiver, burst: int) -> Probe:
    """Return a probe that measures how many events per second come through.

    :param trigger: has them published
    :param receiver: receives them
    :param burst: how many to publish
    """

    def probe() -> float:
        trigger.fire(burst)
        received = receiver.burst(burst)
        return burst / (received.time - stamp_of(received.text)) * 1e9

    return probe
