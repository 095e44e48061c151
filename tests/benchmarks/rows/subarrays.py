"""Cost of a growing telescope: sixteen controllers in one server."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psutil
from tests.benchmarks.core.measure import Distribution
from tests.benchmarks.core.row import Aspect, Row, Unit, at_most
from tests.benchmarks.rows.events import message_size
from tests.benchmarks.stack.arrivals import Arrivals
from tests.benchmarks.stack.bench import EVENT_SIZE, Bench
from tests.benchmarks.stack.footprint import processor_time, proportional_set_size
from tests.benchmarks.stack.oet import SCRIPTS, Controller
from tests.benchmarks.stack.oet import controller as client_of
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger
from tests.support.controllers import MODULE, register_controller
from tests.support.tango_stack import device_server

_MANY = 16
_QUICK_MANY = 2
_RATE = 50.0
"""Events that each script publishes in a second."""
_SECONDS = 15.0
_QUICK_SECONDS = 0.2
_REST = 0.5
"""Seconds in which the last events arrive."""


@dataclass(frozen=True)
class _Idle:
    """Resources of an idle server."""

    memory: float
    threads: int
    processor: float


@dataclass(frozen=True)
class _Busy:
    """Resources of a server while each of its scripts publishes.

    :param processor: milliseconds of the server's processor time for each event
    :param latencies: milliseconds that each event was on its way
    """

    processor: Distribution
    latencies: Distribution


def measure(bench: Bench) -> Iterator[Row]:
    """Measure a server with one controller, and another with sixteen."""
    many = _QUICK_MANY if bench.quick else _MANY
    alone_idle, alone = _measured(bench, 1)
    idle, busy = _measured(bench, many)
    yield Row(
        "memory, idle, a server of its own",
        Unit.MEBIBYTES,
        Distribution((alone_idle.memory,)),
        targets=(at_most(80, Aspect.MEDIAN),),
        note="proportional set size of a device server with one controller, and of what it has started",
    )
    yield Row(
        "threads, each further controller",
        Unit.THREADS,
        Distribution(((idle.threads - alone_idle.threads) / (many - 1),)),
        targets=(at_most(10, Aspect.MEDIAN),),
        note=f"of a device server with {many} controllers, beyond those of one with a single controller",
    )
    yield Row(
        "idle, all subarrays, of one processor core",
        Unit.PERCENT,
        Distribution((idle.processor,)),
        targets=(at_most(0.5, Aspect.MEDIAN),),
        note=f"a device server with {many} controllers, and what it has started",
    )
    traffic = f"each script publishes {_RATE:g} events/s of {EVENT_SIZE} bytes, durable journal, one client"
    yield Row(
        "event, all subarrays, script to Tango client",
        Unit.MILLISECONDS,
        busy.latencies,
        alone.latencies,
        "a single controller",
        busy.latencies.median / alone.latencies.median,
        (at_most(10, Aspect.P99),),
        f"{many} controllers in one server; {traffic}",
    )
    yield Row(
        "event, all subarrays, processor time of the server",
        Unit.MILLISECONDS,
        busy.processor,
        alone.processor,
        "a single controller",
        busy.processor.median / alone.processor.median,
        (at_most(0.5, Aspect.MEDIAN),),
        f"{many} controllers in one server; {traffic}",
    )


def _measured(bench: Bench, count: int) -> tuple[_Idle, _Busy]:
    """Run a device server with some controllers, and measure what it takes."""
    instance = f"subarrays-{count}"
    devices = [f"bench/subarrays-{count}/{number}" for number in range(1, count + 1)]
    host, size = bench.stack.tango_host, message_size(bench)
    for number, device in enumerate(devices):
        state = bench.folder / instance / str(number)
        register_controller(host, device, state, instance=instance, ScriptRoots=[str(SCRIPTS)])
    with ExitStack() as exits:
        server = exits.enter_context(device_server(host, MODULE, instance))
        clients = [exits.enter_context(client_of(host, device)) for device in devices]
        for client in clients:
            bench.wait_for_standby(client)
        idle = _idle(bench, psutil.Process(server.pid))
        triggers = [exits.enter_context(client.publisher(bench.folder, size)) for client in clients]
        for client, trigger in zip(clients, triggers, strict=True):
            client.arrivals.settle(trigger)
        return idle, _busy(bench, server.pid, clients, triggers)


def _idle(bench: Bench, server: psutil.Process) -> _Idle:
    processes = [server.pid, *(child.pid for child in server.children(recursive=True))]
    before, began = sum(map(processor_time, processes)), time.monotonic()
    time.sleep(_QUICK_SECONDS if bench.quick else _SECONDS)
    spent, took = sum(map(processor_time, processes)) - before, time.monotonic() - began
    return _Idle(sum(map(proportional_set_size, processes)), server.num_threads(), 100 * spent / took)


def _busy(bench: Bench, server: int, clients: Sequence[Controller], triggers: Sequence[Trigger]) -> _Busy:
    """Have all scripts publish at a rate, one after the other, and receive all of it."""
    period = 1 / (_RATE * len(triggers))
    before, began = processor_time(server), time.monotonic()
    end = began + (_QUICK_SECONDS if bench.quick else _SECONDS)
    published = 0
    due = began
    for trigger in itertools.cycle(triggers):
        if due >= end:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        trigger.fire()
        published += 1
        due += period
    time.sleep(_REST)
    spent = processor_time(server) - before
    latencies = [latency for client in clients for latency in _latencies(client.arrivals)]
    return _Busy(Distribution((1000 * spent / published,)), Distribution(tuple(latencies)))


def _latencies(arrivals: Arrivals) -> Iterator[float]:
    """Yield how many milliseconds each event was on its way that has arrived."""
    while arrivals.waiting:
        arrival = arrivals.next()
        yield (arrival.time - stamp_of(arrival.text)) / 1e6
