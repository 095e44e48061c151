"""The OET beside Sardana, whose macros run in threads of its server, without a journal."""

from collections.abc import Iterator

from tests.benchmarks.core.measure import compare
from tests.benchmarks.core.row import Row, Unit, at_least, at_most
from tests.benchmarks.rows import starts
from tests.benchmarks.rows.bursts import rate
from tests.benchmarks.rows.events import latency, message_size
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench

_BURST = 5_000
_QUICK_BURST = 200


def measure(bench: Bench) -> Iterator[Row]:
    """Measure starts and events beside Sardana."""
    door, plan = bench.sardana, bench.plan(blocks=20, block_size=5)
    yield Row.of(
        "Start, answered, beside Sardana",
        Unit.MILLISECONDS,
        compare(starts.oet_answered(bench), starts.sardana_answered(door), plan),
        "RunMacro, answered",
        (at_most(1),),
        f"an empty main, an empty macro; Sardana {door.version}",
    )
    yield Row.of(
        "Start to COMPLETE event, beside Sardana",
        Unit.MILLISECONDS,
        compare(starts.oet_complete(bench), starts.sardana_on(door), plan),
        "RunMacro to ON event",
        (at_most(1),),
        "an empty main, an empty macro",
    )
    yield from _events(bench)


def _events(bench: Bench) -> Iterator[Row]:
    burst = _QUICK_BURST if bench.quick else _BURST
    with (
        bench.controller.publisher(bench.folder, message_size(bench)) as trigger,
        bench.sardana.publisher(bench.folder, EVENT_SIZE) as sardana_trigger,
    ):
        yield Row.of(
            "event, script to Tango client, beside Sardana",
            Unit.MILLISECONDS,
            compare(
                latency(trigger, bench.controller.arrivals),
                latency(sardana_trigger, bench.sardana.outputs),
                bench.plan(blocks=30, block_size=20, warm_up=50),
            ),
            "Output event",
            (at_most(1),),
            f"one at a time, {EVENT_SIZE} bytes; Sardana keeps none of them",
        )
        yield Row.of(
            "burst to Tango client, beside Sardana",
            Unit.PER_SECOND,
            compare(
                rate(trigger, bench.controller.arrivals, burst),
                rate(sardana_trigger, bench.sardana.outputs, burst),
                bench.plan(blocks=6, block_size=1, warm_up=1),
            ),
            "Output events",
            (at_least(1.3),),
            f"{burst:,} events of {EVENT_SIZE} bytes, all received; the sidecar hears those of the OET, too",
        )
