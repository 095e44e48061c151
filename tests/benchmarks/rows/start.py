"""Starting all of it: from the command to the line that says that it is ready."""

import itertools
from collections.abc import Iterator

from tests.benchmarks.core.measure import compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.oet import oet_stack


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the start of a stack in an empty folder."""
    folders = (bench.folder / f"start-{number}" for number in itertools.count(1))

    def stack() -> float:
        with oet_stack(next(folders)) as started:
            return started.seconds

    def bare_server() -> float:
        with bench.another_bare_server() as started:
            return started.seconds

    yield Row.of(
        "stack start to ready line",
        Unit.SECONDS,
        compare(stack, bare_server, bench.plan(blocks=6, block_size=1, warm_up=1)),
        "bare device server",
        (at_most(3, Aspect.MEDIAN),),
        "Tango database, registration, device server and sidecar, in an empty folder; warm cache",
    )
