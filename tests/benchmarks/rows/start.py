"""Starting all of it: from the command to the line that says that it is ready."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.core.measure import Probe, compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bare import bare_stream
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.oet import oet_stack
from tests.support.tango_stack import tango_database


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the start of a stack where there was none before, and where one has been."""
    numbers = itertools.count(1)
    old = bench.folder / "start-0"
    with oet_stack(old):
        pass
    yield _row(bench, "again", lambda: _started(old), "in the state directory of one before it")
    yield _row(
        bench,
        "the first time",
        lambda: _started(bench.folder / f"start-{next(numbers)}"),
        "in an empty state directory",
    )


def _row(bench: Bench, which: str, probe: Probe, note: str) -> Row:
    return Row.of(
        f"stack start to ready line, {which}",
        Unit.SECONDS,
        compare(probe, lambda: _bare_started(bench), bench.plan(blocks=4, block_size=1, warm_up=1)),
        "bare parts in turn",
        (at_most(2), at_most(3, Aspect.MEDIAN)),
        f"Tango database, registration, device server and sidecar, warm cache, {note}; beside a bare Tango "
        "database, device server and uvicorn, started one after the other",
    )


def _started(folder: Path) -> float:
    with oet_stack(folder) as stack:
        return stack.seconds


def _bare_started(bench: Bench) -> float:
    """Return the sum of how long the three take to start, one after the other."""
    began = time.monotonic()
    with TemporaryDirectory(dir=bench.folder) as folder, tango_database(Path(folder)):
        database = time.monotonic() - began
    with bench.another_bare_server() as server:
        began = time.monotonic()
        with TemporaryDirectory(dir=bench.folder) as folder, bare_stream(Path(folder), EVENT_SIZE):
            return database + server.seconds + time.monotonic() - began
