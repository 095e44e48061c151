"""Scripts that take too long, and processes that do not answer."""

import os
import signal
from collections.abc import Callable

from tests.support.patience import PATIENCE
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools.posix import is_gone
from ska_oso_oet.procedure.domain import ProcedureState

TELL_PID = "pub.sendMessage('user.pid', pid=os.getpid())"


def test_init_that_takes_too_long_is_failed_with_the_reason(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(init_timeout=0.2, stop_grace_period=10 * PATIENCE)
    procedure_id = bench.create(script(init=f"{TELL_PID}\nwhile True:\n    pass"))
    assert "InitTimeout" in bench.failure_of(procedure_id)
    bench.assert_works()
    assert is_gone(bench.wait_for_event("user.pid")["pid"])


def test_loading_that_takes_too_long_is_failed(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(init_timeout=0.2)
    procedure_id = bench.create(script(top="wait()"))
    assert "InitTimeout" in bench.failure_of(procedure_id)
    assert bench.states(procedure_id)[-2:] == ["LOADING", "FAILED"]


def test_init_timeout_does_not_concern_main(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(init_timeout=0.2)
    procedure_id = bench.run(script("say('begun')\nthreading.Event().wait(0.5)", init="pass"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)


def test_stop_of_a_script_that_init_timeout_would_end_is_a_stop(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(init_timeout=0.2, stop_grace_period=0.4)
    procedure_id = bench.create(
        script(init="signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()")
    )
    bench.wait_for(lambda: bench.said(procedure_id))
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_worker_that_does_not_answer_is_reported_and_not_killed(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(watchdog_period=0.1)
    procedure_id = bench.ready(script("say('back')", init=TELL_PID))
    pid = bench.wait_for_event("user.pid")["pid"]
    os.kill(pid, signal.SIGSTOP)
    bench.wait_for(lambda: bench.manager.unresponsive == [procedure_id])
    assert bench.states(procedure_id)[-1] == "READY"
    os.kill(pid, signal.SIGCONT)
    bench.wait_for(lambda: bench.manager.unresponsive == [])
    bench.start(procedure_id)
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)


def test_busy_script_answers(make_bench: Callable[..., ScriptBench]) -> None:
    # Long enough that an answer is in time on a machine that has other things to do.
    bench = make_bench(watchdog_period=1.0)
    procedure_id = bench.run_until_said(
        script("""
            import time
            say("up")
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                pass
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    # A standby worker coming and going is all that health has heard of.
    assert bench.manager.unresponsive == []
    assert bench.mute_seen == []


def test_end_of_a_worker_that_did_not_answer_ends_the_report(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(watchdog_period=0.1)
    procedure_id = bench.ready(script(init=TELL_PID))
    os.kill(bench.wait_for_event("user.pid")["pid"], signal.SIGSTOP)
    bench.wait_for(lambda: bench.manager.unresponsive == [procedure_id])
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    bench.wait_for(lambda: bench.manager.unresponsive == [])
