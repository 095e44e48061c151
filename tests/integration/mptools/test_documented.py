"""The package as its documentation describes it: many workers, shared queues, events of any kind."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from typing import Any

import pytest
from tests.support.documented_workers import (
    RelayWorker,
    SendWorker,
    StatusWorker,
    StopWorker,
    StubbornWorker,
)
from tests.support.patience import PATIENCE

from ska_oso_oet.mptools import (
    EventMessage,
    MainContext,
    MPQueue,
    Proc,
    SignalObject,
    TerminateInterrupt,
    default_signal_handler,
    forkserver_context,
    init_signals,
)

MP: BaseContext = forkserver_context()


@pytest.fixture
def make_queue() -> Iterator[Callable[..., MPQueue]]:
    """Makes queues that are closed in the end."""
    made: list[MPQueue] = []

    def make(maxsize: int = 0) -> MPQueue:
        made.append(MPQueue(maxsize, ctx=MP))
        return made[-1]

    yield make
    for known in made:
        known.safe_close()


def test_main_program_of_the_documentation() -> None:
    seen = set()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with MainContext() as main:
            init_signals(main.shutdown_event, default_signal_handler, default_signal_handler)
            send_q = main.MPQueue()
            main.Proc("SEND", SendWorker, send_q)
            main.Proc("STATUS", StatusWorker)
            while not main.shutdown_event.is_set():
                event = main.event_queue.safe_get(PATIENCE)
                seen.add((event.msg_src, event.msg_type))
                if event.msg_type == "STATUS":
                    send_q.put(event)
                elif event.msg_type == "SENT":
                    assert event.msg == EventMessage("STATUS", "STATUS", "OKAY")
                    os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert seen == {("STATUS", "STATUS"), ("SEND", "SENT")}


def test_one_event_queue_and_one_work_queue_serve_many_workers() -> None:
    with MainContext() as main:
        work_q = main.MPQueue()
        for number in range(3):
            main.Proc(f"worker-{number}", SendWorker, work_q)
        texts = [f"{number} {'x' * 100_000}" for number in range(30)]
        for text in texts:
            work_q.put(text)
        got = [main.event_queue.get(timeout=PATIENCE).msg for _ in texts]
        assert sorted(got) == sorted(texts)
        assert main.stop_procs() == (0, 0)
        assert main.stop_queues() == 0


def test_a_worker_writes_to_the_work_queue_of_another() -> None:
    with MainContext() as main:
        first_q, second_q = main.MPQueue(), main.MPQueue()
        main.Proc("second", SendWorker, second_q)
        main.Proc("first", RelayWorker, first_q, second_q)
        first_q.put("hello")
        assert main.event_queue.get(timeout=PATIENCE) == EventMessage("second", "SENT", ["first", "hello"])


@pytest.mark.parametrize(
    "make_event",
    [MP.Event, multiprocessing.Event, multiprocessing.get_context("spawn").Event, threading.Event],
)
def test_any_event_may_be_the_shutdown_event(
    make_event: Callable[[], Any], make_queue: Callable[..., MPQueue]
) -> None:
    shutdown, events, work = make_event(), make_queue(), make_queue()
    workers = [
        Proc(MP, "SEND", SendWorker, shutdown, events, work),
        Proc(MP, "STATUS", StatusWorker, shutdown, events),
    ]
    assert events.get(timeout=PATIENCE).msg_type == "STATUS"
    shutdown.set()
    for worker in workers:
        worker.full_stop(PATIENCE)
        assert worker.exitcode == 0
        worker.close()


@pytest.mark.parametrize("make_event", [multiprocessing.Event, threading.Event])
def test_a_worker_that_sets_the_shutdown_event_ends_all_others(
    make_event: Callable[[], Any], make_queue: Callable[..., MPQueue]
) -> None:
    shutdown, events = make_event(), make_queue()
    other = Proc(MP, "STATUS", StatusWorker, shutdown, events)
    stopping = Proc(MP, "STOP", StopWorker, shutdown, events)
    assert shutdown.wait(PATIENCE)
    other.proc.join(PATIENCE)
    assert other.exitcode == 0
    for proc in (other, stopping):
        proc.full_stop()
        proc.close()


def test_full_stop_sets_the_shutdown_event_and_ends_who_does_not_look_at_it(
    make_queue: Callable[..., MPQueue],
) -> None:
    shutdown = multiprocessing.Event()
    stubborn = Proc(MP, "stubborn", StubbornWorker, shutdown, make_queue())
    stubborn.full_stop(wait_time=0.05)
    assert not stubborn.is_alive()
    assert shutdown.is_set()
    stubborn.close()


def test_terminate_ends_a_worker_by_repeated_signals() -> None:
    with MainContext() as main:
        stubborn = main.Proc("stubborn", StubbornWorker)
        assert stubborn.terminate(max_retries=3, timeout=0.1)
        assert not stubborn.is_alive()
        assert main.stop_procs() == (1, 0)


def test_stop_procs_and_stop_queues_count_what_they_find() -> None:
    with MainContext() as main:
        main.STOP_WAIT_SECS = 1.0
        failing_q, idle_q = main.MPQueue(), main.MPQueue()
        failing = main.Proc("failing", SendWorker, failing_q)
        main.Proc("stubborn", StubbornWorker)
        failing_q.put("fail")
        failing.proc.join(PATIENCE)
        for number in range(5):
            idle_q.put(number)
        assert main.stop_procs() == (1, 1)
        assert main.stop_queues() == 5


@pytest.mark.parametrize("shutdown", [threading.Event(), multiprocessing.Event()])
def test_a_worker_runs_in_the_process_of_its_caller(
    shutdown: Any, make_queue: Callable[..., MPQueue]
) -> None:
    events, work, startup = make_queue(), make_queue(), threading.Event()
    worker = SendWorker("SEND", startup, shutdown, events, work)
    thread = threading.Thread(target=worker.main_loop, daemon=True)
    thread.start()
    work.put("hello")
    assert events.get(timeout=PATIENCE) == EventMessage("SEND", "SENT", "hello")
    shutdown.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("shutdown", [threading.Event(), multiprocessing.Event()])
def test_signal_handlers_set_any_event_and_insist_in_the_end(shutdown: Any) -> None:
    signal_object = SignalObject(shutdown)
    default_signal_handler(signal_object, TerminateInterrupt, signal.SIGTERM, None)
    assert shutdown.is_set()
    default_signal_handler(signal_object, TerminateInterrupt, signal.SIGTERM, None)
    with pytest.raises(TerminateInterrupt):
        default_signal_handler(signal_object, TerminateInterrupt, signal.SIGTERM, None)


def test_a_queue_has_the_methods_of_a_multiprocessing_queue(make_queue: Callable[..., MPQueue]) -> None:
    bounded = make_queue(maxsize=2)
    assert bounded.empty()
    assert not bounded.full()
    bounded.put_nowait("first")
    bounded.put_nowait("second")
    assert (bounded.qsize(), bounded.full()) == (2, True)
    with pytest.raises(queue.Full):
        bounded.put_nowait("third")
    assert not bounded.safe_put("third")
    assert bounded.get(timeout=PATIENCE) == "first"
    assert bounded.safe_put("third")
    assert list(bounded.drain()) == ["second", "third"]
    with pytest.raises(queue.Empty):
        bounded.get_nowait()
    assert bounded.safe_get() is None
    assert bounded.safe_get(timeout=None) is None
    bounded.close()
    bounded.join_thread()
    assert not bounded.safe_put("too late")
    assert bounded.safe_get() is None


def test_a_queue_without_a_bound_holds_more_than_a_pipe(make_queue: Callable[..., MPQueue]) -> None:
    unbounded = make_queue()
    for number in range(5_000):
        unbounded.put_nowait("x" * 100 + str(number))
    assert unbounded.safe_close() == 5_000
    assert unbounded.safe_close() == 0


def test_a_message_may_be_any_object_that_can_be_pickled(make_queue: Callable[..., MPQueue]) -> None:
    messages = make_queue()
    value = {"tuple": (1, 2), "set": {3}, "false": [None, 0, ""]}
    messages.put(value)
    for item in (None, 0, ""):
        messages.put(item)
    assert list(messages.drain()) == [value, None, 0, ""]


def test_a_queue_of_the_default_context_serves_workers_of_the_forkserver() -> None:
    events = MPQueue(ctx=multiprocessing.get_context())
    shutdown = multiprocessing.Event()
    proc = Proc(MP, "STATUS", StatusWorker, shutdown, events)
    assert events.get(timeout=PATIENCE).msg_src == "STATUS"
    proc.full_stop()
    proc.close()
    events.safe_close()
