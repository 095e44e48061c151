"""Real worker processes: what they say, how they end, and what is left of them."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import PATIENCE
from tests.support.workers import (
    Busy,
    Deaf,
    Echo,
    Narrator,
    Reluctant,
    Silent,
    Slow,
    Stillborn,
    Suspender,
    SuspendsForkserver,
    Ticker,
)

from ska_oso_oet.mptools import (
    EventMessage,
    MainContext,
    PipeQueue,
    StartupError,
    WorkerContext,
    WorkerProcess,
    forkserver,
)


@contextmanager
def context(stop_wait: float = 3.0) -> Iterator[MainContext]:
    """A context that leaves no descriptor behind."""
    before = len(os.listdir("/proc/self/fd"))
    with MainContext() as main:
        main.STOP_WAIT_SECS = stop_wait
        yield main
    assert main.procs == []
    main.shutdown_event.close()
    # The first child of a process starts the forkserver, which keeps two.
    assert len(os.listdir("/proc/self/fd")) <= before + 3


@pytest.fixture
def main() -> Iterator[MainContext]:
    """A context with the usual patience."""
    with context() as made:
        yield made


def is_gone(pid: int) -> bool:
    """Whether a process is gone, or will be in a moment."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(wait([descriptor], PATIENCE))
    finally:
        os.close(descriptor)


def ended(proc: WorkerProcess) -> int | None:
    assert wait([proc.sentinel], PATIENCE)
    return proc.exitcode


def messages(main: MainContext, timeout: float = PATIENCE) -> Iterator[Any]:
    """Yield the messages of all workers as they come, until there are none for a while, or all have ended."""
    open_queues = [proc.event_q for proc in main.procs]
    while open_queues:
        ready: list[Any] = wait(open_queues, timeout)  # type: ignore[arg-type]
        if not ready:
            return
        for event_q in [known for known in open_queues if known in ready]:
            yield from event_q.drain()
            try:
                yield event_q.get(block=False)
            except EOFError:
                open_queues.remove(event_q)
            except queue.Empty:
                pass


def echo(main: MainContext, name: str = "echo") -> tuple[WorkerProcess, PipeQueue]:
    inbox = main.make_queue()
    return main.start(name, Echo, inbox), inbox


def test_a_queue_worker_handles_message_after_message_until_it_is_told_to_end(main: MainContext) -> None:
    proc, inbox = echo(main)
    for item in (1, "two", {"three": [3]}):
        inbox.put(item)
    inbox.put("END")
    kinds = [(message.msg_type, message.msg) for message in messages(main)]
    assert kinds == [
        ("STARTUP", proc.pid),
        ("ECHO", 1),
        ("ECHO", "two"),
        ("ECHO", {"three": [3]}),
        ("SHUTDOWN", None),
    ]
    assert ended(proc) == 0
    assert main.stop_procs() == (0, 0)


def test_a_queue_worker_passes_over_what_is_no_message(main: MainContext) -> None:
    _, inbox = echo(main)
    os.write(inbox.writer.fileno(), b"nonsense\n")
    inbox.put("still there")
    inbox.put("END")
    assert EventMessage("echo", "ECHO", "still there") in list(messages(main))


def test_a_queue_worker_ends_when_nobody_can_write_to_it_any_more(main: MainContext) -> None:
    proc, inbox = echo(main)
    inbox.put("last")
    inbox.close_writer()
    assert [message.msg_type for message in messages(main)] == ["STARTUP", "ECHO", "SHUTDOWN"]
    assert ended(proc) == 0


def test_the_shutdown_event_ends_all_workers(main: MainContext) -> None:
    procs = [echo(main, f"echo-{number}")[0] for number in range(3)]
    main.shutdown_event.set()
    last: dict[str, EventMessage] = {message.msg_src: message for message in messages(main)}
    assert {name: message.msg_type for name, message in last.items()} == {
        proc.name: "SHUTDOWN" for proc in procs
    }
    assert [ended(proc) for proc in procs] == [0, 0, 0]


def test_a_worker_that_raises_tells_by_its_exit_status(main: MainContext) -> None:
    proc, inbox = echo(main)
    inbox.put("raise")
    assert [message.msg_type for message in messages(main)] == ["STARTUP", "SHUTDOWN"]
    assert ended(proc) == 1
    assert main.stop_procs() == (1, 0)


def test_a_worker_that_is_killed_is_seen_as_the_end_of_its_messages(main: MainContext) -> None:
    victim, inbox = echo(main, "victim")
    survivor, other = echo(main, "survivor")
    inbox.put("still heard")
    inbox.put("die")
    for message in iter(victim.event_q.get, None):
        if message.msg == "still heard":
            break
    with pytest.raises(EOFError):
        victim.event_q.get(timeout=PATIENCE)
    assert ended(victim) == -signal.SIGKILL
    other.put("alive")
    assert survivor.event_q.get(timeout=PATIENCE).msg_type == "STARTUP"
    assert survivor.event_q.get(timeout=PATIENCE).msg == "alive"
    assert main.stop_procs() == (1, 0)


def test_a_timer_worker_is_called_at_its_cadence_and_ends_at_once(main: MainContext) -> None:
    proc = main.start("ticker", Ticker, interval=0.02)
    before = time.monotonic()
    assert [proc.event_q.get(timeout=PATIENCE).msg for _ in range(5)] == [1, 2, 3, 4, 5]
    assert time.monotonic() - before >= 0.06
    main.start("slow", Ticker, interval=3600.0)
    assert main.stop_procs() == (0, 0)


def test_a_worker_that_cannot_start_is_an_error_and_leaves_nothing_behind(main: MainContext) -> None:
    reported: list[Any] = []
    with pytest.raises(StartupError, match=r"stillborn ended during its start-up \(exit status 1\)"):
        _start_and_note(main, reported)
    assert main.procs == []
    assert is_gone(reported[0]), "the process that it had started lives on"


def _start_and_note(main: MainContext, reported: list[Any]) -> None:
    event_q = main.make_queue()
    try:
        WorkerProcess(main.mp_ctx, "stillborn", Stillborn, main.shutdown_event, event_q)
    finally:
        reported.append(event_q.get(timeout=PATIENCE))


def test_a_worker_that_does_not_start_in_time_is_ended(
    main: MainContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerProcess, "STARTUP_WAIT_SECS", 0.1)
    with pytest.raises(StartupError, match=r"silent was silent for 0\.1 s during its start-up"):
        main.start("silent", Silent)
    assert main.procs == []


def test_arguments_that_a_worker_does_not_take_fail_its_start(main: MainContext) -> None:
    with pytest.raises(StartupError):
        main.start("narrator", Narrator, "what is this?")


def test_a_worker_that_is_being_started_when_its_context_is_closed_does_not_stay(tmp_path: Path) -> None:
    begun, released = tmp_path / "begun", tmp_path / "released"
    for pipe in (begun, released):
        os.mkfifo(pipe)
    closed = WorkerContext()
    with ThreadPoolExecutor(1) as starter:
        start = starter.submit(closed.start, "slow", Slow, begun, released)
        pid = int(begun.read_text())
        closed.close()
        released.write_text("")
        with pytest.raises(StartupError, match="too late"):
            start.result(PATIENCE)
    assert is_gone(pid)


def test_the_end_of_a_context_is_the_end_of_the_workers_that_are_left() -> None:
    closed = WorkerContext()
    proc = closed.start("deaf", Deaf)
    closed.close()
    assert ended(proc) == -signal.SIGKILL
    closed.release(proc)


def test_workers_that_do_not_end_by_themselves_are_ended_by_force() -> None:
    with context(stop_wait=0.05) as main:
        pids = [main.start(worker.__name__, worker).pid for worker in (Deaf, Reluctant)]
        assert main.stop_procs() == (0, 2)
    assert all(is_gone(pid) for pid in pids)


def test_all_workers_together_are_given_the_time_to_end_by_themselves() -> None:
    patience = 0.4
    with context(patience) as main:
        for number in range(8):
            main.start(f"busy-{number}", Busy)
        before = time.monotonic()
        assert main.stop_procs() == (0, 8)
        assert time.monotonic() - before < 4 * patience


def test_full_stop_insists(main: MainContext) -> None:
    deaf = main.start("deaf", Deaf)
    deaf.full_stop(wait_time=0.05)
    assert not deaf.is_alive()
    assert deaf.exitcode == -signal.SIGKILL


def test_a_worker_is_a_leader_of_its_own_and_does_not_import_the_main_module(main: MainContext) -> None:
    proc = main.start("narrator", Narrator)
    reported = proc.event_q.get(timeout=PATIENCE)
    assert reported["pid"] == reported["session"] == proc.pid != os.getpid()
    assert reported["main"] is None
    assert not reported["modules"]


_STARTS_A_WORKER = """
from ska_oso_oet.mptools import MainContext
from tests.support.workers import Narrator

with MainContext() as main:
    print(main.start("narrator", Narrator).event_q.get()["main"])
"""


def test_nothing_is_imported_from_the_folder_in_which_a_program_starts_workers(tmp_path: Path) -> None:
    program, folder = tmp_path / "program.py", tmp_path / "folder"
    program.write_text(_STARTS_A_WORKER)
    folder.mkdir()
    (folder / "queue.py").write_text("raise SystemExit('imported')")
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    seen = subprocess.run(
        [sys.executable, str(program)], cwd=folder, env=known, capture_output=True, text=True, check=False
    )
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "None\n", "")


def test_a_start_does_not_change_the_environment_that_other_threads_read(main: MainContext) -> None:
    main.start("first", Narrator)  # from now on, this process has its mark
    names, failures, ended = set(os.environ), list[Exception](), threading.Event()

    def read() -> None:
        try:
            while not ended.is_set():
                assert set(dict(os.environ)) == names
        except Exception as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(10):
        main.start(f"worker {number}", Narrator)
    ended.set()
    reader.join()
    assert failures == []


def test_messages_end_when_none_come_for_a_while(main: MainContext) -> None:
    echo(main)
    assert [message.msg_type for message in messages(main, timeout=0.3)] == ["STARTUP"]


def test_leaving_a_context_stops_its_workers_and_closes_its_queues() -> None:
    with context() as main:
        proc, inbox = echo(main)
        pid = proc.pid
    assert is_gone(pid)
    assert not inbox.safe_put("too late")


@contextmanager
def forkserver_that_goes_on() -> Iterator[None]:
    """Let the forkserver go on in the end, should a test have left it suspended."""
    pid = forkserver.guardian_pid()
    assert pid is not None, "a child was started before"
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_start_is_completed_although_the_forkserver_is_suspended_in_the_midst_of_it(
    main: MainContext,
) -> None:
    echo(main)
    with ThreadPoolExecutor(1) as threads, forkserver_that_goes_on():
        start = threads.submit(main.start, "ticker", Ticker, SuspendsForkserver())
        assert start.result(PATIENCE).is_alive()


def test_the_end_of_a_child_that_has_suspended_the_forkserver_is_seen(main: MainContext) -> None:
    proc = main.start("suspender", Suspender)
    with forkserver_that_goes_on():
        assert ended(proc) == 0
