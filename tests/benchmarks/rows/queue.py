"""The observing queue: from one entry to the next, and what a long one costs."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from tests.benchmarks.core.measure import Distribution, Probe, sample
from tests.benchmarks.core.row import Aspect, Row, Target, Unit, at_most
from tests.benchmarks.stack.bench import Bench
from tests.benchmarks.stack.oet import SCRIPTS, Controller

_ENTRIES = 60
_QUICK_ENTRIES = 4
_TAKES = 0.3
_SHORT, _LONG = 200, 10_000
_QUICK_LONG = 300
_BATCH = 1_000
"""Entries of one request: the argument of a command has at most a mebibyte."""
_NOISE = 1.5
"""Twice the same thing differs by this much on a machine that has other things to do."""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the handover between entries, and the queue with few and with many entries."""
    oet = bench.controller
    bench.wait_for_standby()
    late, early = (_handovers(bench, oet, prepare) for prepare in ("late", "early"))
    yield _row(
        "queue, end of an entry to main of the next",
        early,
        late,
        "prepared when its turn comes",
        (at_most(50, Aspect.MEDIAN),),
        f"entries that take {_TAKES:g} s and import nothing; the next is loaded meanwhile, its init is not",
    )
    long = _QUICK_LONG if bench.quick else _LONG
    few, many = (_figures(bench, oet, length) for length in (_SHORT, long))
    for name, measured in many.items():
        yield _row(
            f"queue, {name}, {long:,} entries", measured, few[name], f"{_SHORT} entries", (at_most(_NOISE),)
        )


def _row(
    name: str,
    measured: Distribution,
    baseline: Distribution,
    baseline_name: str,
    targets: tuple[Target, ...],
    note: str = "",
) -> Row:
    ratio = measured.median / baseline.median
    return Row(name, Unit.MILLISECONDS, measured, baseline, baseline_name, ratio, targets, note)


def _entry(**more: Any) -> dict[str, Any]:
    script = {"script_uri": (SCRIPTS / "queued.py").as_uri()}
    return {"procedure": {"script": script, "script_args": {"main": more}}}


def _handovers(bench: Bench, oet: Controller, prepare: str) -> Distribution:
    """Let entries run, and return the milliseconds between them."""
    log = bench.folder / f"queue-{prepare}"
    count = _QUICK_ENTRIES if bench.quick else _ENTRIES
    arguments = {"kwargs": {"log": str(log), "seconds": _TAKES}}
    _send(oet, "QueueAdd", entries=[{**_entry(**arguments), "prepare": prepare}] * count)
    _send(oet, "QueueStart")
    oet.arrivals.until(lambda _: oet.proxy.queueLength == 0)
    _send(oet, "QueueStop")
    runs = [[int(stamp) for stamp in line.split()] for line in log.read_text().splitlines()]
    return Distribution(tuple((after[0] - before[1]) / 1e6 for before, after in pairwise(runs)))


def _figures(bench: Bench, oet: Controller, length: int) -> dict[str, Distribution]:
    """Measure what is done with a queue of some length, which is STOPPED."""
    entry = _entry(kwargs={"log": "/dev/null", "seconds": 0})
    ids: list[int] = []
    while len(ids) < length:
        batch = [entry] * min(_BATCH, length - len(ids))
        ids += [each["id"] for each in _send(oet, "QueueAdd", entries=batch)["entries"]]
    middle = {"before": ids[length // 2]}
    plan = bench.plan(blocks=20, block_size=10, warm_up=10)
    actions: dict[str, Callable[[], object]] = {
        "QueueMove": lambda: _send(oet, "QueueMove", id=ids[0], position=middle),
        "reading the attribute": lambda: oet.proxy.read_attribute("queue"),
        "QueueAdd": lambda: _send(oet, "QueueAdd", **entry),
    }
    found = {name: sample(_timed(action), plan) for name, action in actions.items()}
    _send(oet, "QueueClear")
    return found


def _send(oet: Controller, command: str, **argument: Any) -> dict[str, Any]:
    # Its answers are not those of long-running commands.
    oet.proxy.set_timeout_millis(60_000)
    answer: dict[str, Any] = json.loads(oet.proxy.command_inout(command, json.dumps(argument)))
    return answer


def _timed(action: Callable[[], object]) -> Probe:
    """Return a probe that measures how many milliseconds an action takes."""

    def probe() -> float:
        began = time.monotonic_ns()
        action()
        return (time.monotonic_ns() - began) / 1e6

    return probe
