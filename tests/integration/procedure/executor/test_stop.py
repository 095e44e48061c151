"""Stop: it works in every live state and against any script, and after STOPPED there is silence."""

import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE, patience
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.journal import Batch, Document, JournalUnavailableError, MemoryJournal
from ska_oso_oet.mptools.posix import is_gone, wait_until_gone
from ska_oso_oet.procedure.application import StopProcessCommand
from ska_oso_oet.procedure.domain import ProcedureState, StateForbidsError

STUBBORN = {
    "ignores SIGTERM": """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("up")
        wait()
    """,
    "blocks all signals": """
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        say("up")
        wait()
    """,
    "catches everything in a loop": """
        while True:
            try:
                say("up")
                wait()
            except BaseException:
                pass
    """,
    "stays in C code": """
        ctypes.PyDLL(None).system(b"echo up; exec sleep 60")
    """,
    "is suspended": """
        os.system("echo up; kill -STOP $PPID")
    """,
    "cleans up forever": """
        try:
            say("up")
            wait()
        finally:
            wait()
    """,
}


def assert_stopped(bench: ScriptBench, procedure_id: int) -> None:
    """Check that a procedure is STOPPED, that this was published once, and that nothing came after it."""
    reported = bench.told_states(procedure_id)
    assert reported[-1] == "STOPPED"
    assert reported == bench.states(procedure_id)
    assert len(bench.of("procedure.lifecycle.stopped", procedure_id)) == 1
    topics = [event["topic"] for event in bench.events if event["msg_src"] == str(procedure_id)]
    assert topics[-2:] == ["procedure.lifecycle.statechange", "procedure.lifecycle.stopped"]


_READ_LATE = """
from ska_oso_oet.procedure.worker import stopping
request = stopping.Stop.request
stopping.Stop.request = lambda stop: (threading.Event().wait(0.05), request(stop))
"""
_READING = pytest.mark.parametrize(
    "top", [pytest.param("", id="at once"), pytest.param(_READ_LATE, id="late")]
)
"""The request to stop is read at once, or after its signal."""


def _run_until_up(bench: ScriptBench, clean_up: str, top: str = "") -> int:
    """Run a script that waits until it is stopped, and then cleans up."""
    return bench.run_until_said(
        script(
            f"""
            try:
                say("up")
                wait()
            finally:
                {clean_up}
            """,
            top=top,
        )
    )


def test_stop_interrupts_a_script_which_cleans_up(bench: ScriptBench) -> None:
    procedure_id = _run_until_up(bench, 'print("cleaned up")')
    outcome = bench.stop(procedure_id)
    assert outcome.message == f"Successfully stopped script with ID {procedure_id}"
    assert bench.lines(procedure_id) == ["cleaned up"]
    assert_stopped(bench, procedure_id)
    bench.assert_works()


@_READING
def test_a_stop_shows_no_stack_trace(bench: ScriptBench, top: str) -> None:
    procedure_id = _run_until_up(bench, "pass", top)
    bench.stop(procedure_id)
    assert bench.lines(procedure_id) == []
    assert_stopped(bench, procedure_id)


@_READING
def test_a_clean_up_that_fails_shows_why_in_the_output(bench: ScriptBench, top: str) -> None:
    procedure_id = _run_until_up(bench, 'raise RuntimeError("the receiver stays on")', top)
    bench.stop(procedure_id)
    lines = bench.lines(procedure_id)
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "RuntimeError: the receiver stays on"
    assert_stopped(bench, procedure_id)


HOARD = """
    import mmap
    SIZE = 1 << 29
    memory = ctypes.CDLL(None)
    memory.mmap.restype = ctypes.c_void_p
    memory.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    memory.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def hoard():
        \"\"\"Take memory that only the end of the process frees, page by page.\"\"\"
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        address = memory.mmap(None, SIZE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
        memory.madvise(address, SIZE, mmap.MADV_NOHUGEPAGE)
        ctypes.memset(address, 1, SIZE)
"""


def test_stop_does_not_wait_until_the_memory_of_the_script_is_freed(bench: ScriptBench) -> None:
    ended: list[bool] = []
    processes: list[int] = []

    def look(batch: Batch) -> None:
        if any('"procedure.lifecycle.stopped"' in event.text for event in batch.events):
            ended.append(bool(select.select(processes[-1:], [], [], 0)[0]))

    bench.bus.subscribe(look)
    text = script("hoard()\npub.sendMessage('user.pid', pid=os.getpid())\nsay('up')\nwait()", top=HOARD)
    # On a busy machine, the event may come after the end; but not each time.
    while len(ended) < 5 and all(ended):
        procedure_id = bench.run_until_said(text)
        processes.append(os.pidfd_open(bench.wait_for_event("user.pid", procedure_id)["pid"]))
        bench.stop(procedure_id)
    for process in processes:
        os.close(process)
    assert not all(ended), "the end of the process was awaited"


def test_script_that_returns_when_it_is_told_to_stop_is_stopped_all_the_same(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(
        script("""
            try:
                say("up")
                wait()
            except BaseException:
                return
        """)
    )
    bench.stop(procedure_id)
    assert_stopped(bench, procedure_id)


@pytest.mark.parametrize("kind", STUBBORN)
def test_stop_ends_a_stubborn_script_by_force(
    make_bench: Callable[..., ScriptBench], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    # The script that ends by itself at the end of this test is given as long.
    bench = make_bench(stop_grace_period=patience(0.1))
    procedure_id = bench.run(script(STUBBORN[kind], init="pub.sendMessage('user.pid', pid=os.getpid())"))
    bench.wait_for(lambda: "up" in [*bench.said(procedure_id), *bench.lines(procedure_id)])
    bench.stop(procedure_id)
    pid = bench.wait_for_event("user.pid")["pid"]
    if "killing it" not in caplog.text:
        # It was stopped before it had become stubborn: it has ended by itself, and that is not awaited.
        wait_until_gone([pid], PATIENCE)
    assert is_gone(pid)
    assert_stopped(bench, procedure_id)
    bench.assert_works()


def test_no_other_script_starts_beside_one_that_does_not_heed_stop(bench: ScriptBench) -> None:
    stubborn = bench.run_until_said(script(STUBBORN["ignores SIGTERM"]))
    other = bench.ready(script())
    stopping = bench.service.request_stop(StopProcessCommand(stubborn, False))
    with pytest.raises(StateForbidsError, match="is running"):
        bench.start(other)
    stopping.result(PATIENCE)
    bench.start(other)
    bench.wait_for_state(other, ProcedureState.COMPLETE)


@pytest.mark.parametrize("abort", [False, True])
def test_stop_while_waiting_for_a_worker(make_bench: Callable[..., ScriptBench], abort: bool) -> None:
    bench = make_bench(standby_workers=0)
    procedure_id = bench.create(script())
    assert bench.states(procedure_id) == ["CREATING"]
    bench.stop(procedure_id, abort)
    # The worker may come while the abort script is made ready.
    states = bench.states(procedure_id)
    assert states[-1] == "STOPPED"
    assert abort or states == ["CREATING", "STOPPED"]
    bench.assert_works()


def test_stop_while_a_script_is_being_loaded(bench: ScriptBench) -> None:
    procedure_id = bench.create(script(top="say('up')\nwait()"))
    bench.wait_for(lambda: bench.said(procedure_id))
    assert bench.states(procedure_id)[-1] == "LOADING"
    bench.stop(procedure_id)
    assert_stopped(bench, procedure_id)


def test_stop_in_init(bench: ScriptBench) -> None:
    procedure_id = bench.create(script(init="say('up')\nwait()"))
    bench.wait_for(lambda: bench.said(procedure_id))
    bench.stop(procedure_id)
    assert_stopped(bench, procedure_id)
    assert bench.states(procedure_id) == ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "STOPPED"]
    bench.assert_works()


def test_script_that_never_returns_from_init_blocks_no_other(bench: ScriptBench) -> None:
    stuck = bench.create(script(init="say('up')\nwait()"))
    bench.wait_for(lambda: bench.said(stuck))
    bench.assert_works()
    bench.stop(stuck)


def test_stop_of_a_ready_script(bench: ScriptBench) -> None:
    procedure_id = bench.ready(script())
    bench.stop(procedure_id)
    assert_stopped(bench, procedure_id)


def test_stops_at_the_same_time_are_one(bench: ScriptBench, tmp_path: Path) -> None:
    # The script ends when all have asked for it: a stop that came later would be refused.
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    main = f"try:\n    say('up')\n    wait()\nfinally:\n    open({str(gate)!r}).close()"
    procedure_id = bench.run_until_said(script(main))
    command = StopProcessCommand(procedure_id, run_abort=False)
    with ThreadPoolExecutor(8) as pool:
        stops = list(pool.map(lambda _: bench.service.request_stop(command), range(8)))
    with gate.open("w"):
        pass
    assert {stop.result(PATIENCE).stopped.state for stop in stops} == {ProcedureState.STOPPED}
    assert_stopped(bench, procedure_id)


def test_stop_of_an_ended_procedure_says_so(bench: ScriptBench) -> None:
    procedure_id = bench.run(script())
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    refusal = f"Cannot stop script with ID {procedure_id}: Script is not running"
    with pytest.raises(StateForbidsError, match=refusal):
        bench.stop(procedure_id)
    assert bench.states(procedure_id)[-1] == "COMPLETE"


def test_stop_answers_where_no_history_is_kept(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(standby_workers=0, service={"history_length": 0})
    for _ in range(5):
        procedure_id = bench.create(script())
        assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_stop_answers_where_the_journal_cannot_be_read_any_more(
    make_bench: Callable[..., ScriptBench],
) -> None:
    class Failing(MemoryJournal):
        is_readable = True

        def read_document(self, kind: str, document_id: int) -> Document | None:
            if not self.is_readable:
                raise JournalUnavailableError("the disk is gone")
            return super().read_document(kind, document_id)

    journal = Failing()
    bench = make_bench(journal=journal, service={"history_length": 0})
    procedure_id = bench.run_until_said(script("say('up')\nwait()"))
    journal.is_readable = False
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_side_effects_end_with_the_stop(bench: ScriptBench, tmp_path: Path) -> None:
    """A thread of the script that continues writing is silent once STOPPED is published."""
    file = tmp_path / "effects"
    work = f"def work():\n    while True:\n        open({str(file)!r}, 'a').write('.')\n"
    procedure_id = bench.run_until_said(
        script("threading.Thread(target=work).start()\nsay('up')\nwait()", top=work)
    )
    sizes: list[int] = []

    def on_batch(batch: Batch) -> None:
        if any(event.topic == "procedure.lifecycle.stopped" for event in batch.events):
            sizes.append(file.stat().st_size)

    bench.bus.subscribe(on_batch)
    bench.stop(procedure_id)
    bench.bus.committed().result(PATIENCE)
    assert sizes == [file.stat().st_size]


# The end of the service


def test_shutdown_stops_in_order_what_ten_scripts_do(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(stop_grace_period=30)
    stubborn = [bench.create(script(init=STUBBORN["catches everything in a loop"])) for _ in range(3)]
    for procedure_id in stubborn:
        bench.wait_for_state(procedure_id, ProcedureState.RUNNING)
    ready = [bench.ready(script()) for _ in range(6)]
    running = bench.run_until_said(script("say('up')\nwait()"))
    begin = time.monotonic()
    bench.service.shutdown(timeout=0.5)
    assert time.monotonic() - begin < patience(2.0)
    for procedure_id in (*stubborn, *ready, running):
        assert_stopped(bench, procedure_id)


def test_shutdown_does_not_wait_for_the_grace_period_of_a_stop_that_is_under_way(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(stop_grace_period=30)
    procedure_id = bench.run_until_said(script(STUBBORN["ignores SIGTERM"]))
    stopping = bench.service.request_stop(StopProcessCommand(procedure_id, False))
    begin = time.monotonic()
    bench.service.shutdown(timeout=0.5)
    assert time.monotonic() - begin < patience(2.0)
    assert stopping.result(PATIENCE).stopped.state is ProcedureState.STOPPED
    assert_stopped(bench, procedure_id)


def test_requests_during_and_after_shutdown_are_refused_and_never_hang(bench: ScriptBench) -> None:
    def create_until_refused() -> str:
        while True:
            try:
                bench.create(script())
            except RuntimeError as error:
                return str(error)

    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(create_until_refused) for _ in range(2)]
        bench.wait_for(lambda: len(bench.of("procedure.lifecycle.created")) > 5)
        bench.service.shutdown()
        assert all("shut down" in client.result(PATIENCE) for client in clients)
    for created in bench.of("procedure.lifecycle.created"):
        assert bench.service.summary(created["result"]["id"]).state.is_final
    with pytest.raises(RuntimeError, match="shut down"):
        bench.create(script())


def test_stop_does_not_hang_when_the_service_ends_meanwhile(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(script("say('up')\nwait()"))
    stopper = threading.Thread(target=bench.manager.stop, args=[procedure_id])
    stopper.start()
    bench.service.shutdown()
    stopper.join(PATIENCE)
    assert not stopper.is_alive()
