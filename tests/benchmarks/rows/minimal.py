"""Cost of a start, compared with the minimum cost of isolation and durability."""

from collections.abc import Iterator

from tests.benchmarks.core.measure import compare
from tests.benchmarks.core.row import Row, Unit
from tests.benchmarks.rows import starts
from tests.benchmarks.stack.bench import Bench

_BASELINE = "minimal program"
_NOTE = (
    "the minimal program has a command, a script's process, pipes, and two transactions of three events that "
    "are pushed; no queue, no states, no long-running commands"
)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure a start beside a minimal program of the same shape."""
    _ = bench.minimal  # its start is not to be measured
    plan = bench.plan(blocks=20, block_size=5)
    yield Row.of(
        "Start, answered, beside a minimal program",
        Unit.MILLISECONDS,
        compare(starts.oet_answered(bench), starts.minimal_answered(bench), plan),
        _BASELINE,
        (),
        _NOTE,
    )
    yield Row.of(
        "Start to COMPLETE event, beside a minimal program",
        Unit.MILLISECONDS,
        compare(starts.oet_complete(bench), starts.minimal_complete(bench), plan),
        _BASELINE,
        (),
        "an empty main",
    )
