"""Resources of an idle OET."""

import time
from collections.abc import Iterator, Mapping
from functools import partial

from tests.benchmarks.core.measure import Distribution
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.footprint import processor_time, proportional_set_size

_WINDOWS = 6
_WINDOW = 5.0
_QUICK_WINDOW = 0.2
_BARE = "bare device server"


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the time of processors, and the memory, of an OET that does nothing."""
    # Clients of both, for a server without any is not what one finds at a telescope.
    _ = bench.controller, bench.bare_arrivals
    bench.wait_for_standby()
    processes = bench.stack.processes()
    yield _processor(bench, processes)
    yield from _memory(bench, processes)


def _processor(bench: Bench, processes: Mapping[int, str]) -> Row:
    window = _QUICK_WINDOW if bench.quick else _WINDOW
    totals: dict[int, float] = dict.fromkeys(processes, 0.0)
    shares: list[float] = []
    bare_shares: list[float] = []
    for _ in range(1 if bench.quick else _WINDOWS):
        began, before = time.monotonic(), _times(bench, processes)
        time.sleep(window)
        took, after = time.monotonic() - began, _times(bench, processes)
        spent = {pid: after[pid] - before[pid] for pid in after}
        bare_shares.append(100 * spent.pop(bench.bare.process.pid) / took)
        shares.append(100 * sum(spent.values()) / took)
        totals = {pid: totals[pid] + spent[pid] for pid in totals}
    measured, baseline = Distribution(tuple(shares)), Distribution(tuple(bare_shares))
    parts = ", ".join(f"{processes[pid]} {1000 * total:.1f} ms" for pid, total in totals.items())
    return Row(
        "idle, of one processor core",
        Unit.PERCENT,
        measured,
        baseline,
        _BARE,
        measured.median / baseline.median if baseline.median else None,
        (at_most(0.5, Aspect.MEDIAN),),
        f"in {window * len(shares):g} s: {parts}",
    )


def _times(bench: Bench, processes: Mapping[int, str]) -> dict[int, float]:
    return {pid: processor_time(pid) for pid in (*processes, bench.bare.process.pid)}


def _memory(bench: Bench, processes: Mapping[int, str]) -> Iterator[Row]:
    sizes = {pid: proportional_set_size(pid) for pid in processes}
    bare = proportional_set_size(bench.bare.process.pid)
    row = partial(_memory_row, bare=bare)
    yield row("memory, idle, all together", sum(sizes.values()), note="proportional set size")
    for pid, size in sizes.items():
        yield row(f"memory, idle, {processes[pid]}", size)


def _memory_row(name: str, size: float, *, bare: float, note: str = "") -> Row:
    measured, baseline = Distribution((size,)), Distribution((bare,))
    return Row(name, Unit.MEBIBYTES, measured, baseline, _BARE, size / bare, note=note)
