"""Stops at the checkpoints of a script, and of one that is paused."""

from typing import Any

import pytest
from tests.integration.procedure.executor.test_checkpoints import (
    COMPLETE,
    PAUSED,
    PRELUDE,
    WITHOUT,
    pause,
    resume,
    step,
)
from tests.support.patience import PATIENCE
from tests.support.script_bench import ScriptBench

from ska_oso_oet.model import AtCheckpoint
from ska_oso_oet.procedure.application import StopProcessCommand
from ska_oso_oet.procedure.domain import ProcedureState, StateForbidsError, StopWithdrawnError


def stop_at_checkpoint(bench: ScriptBench, procedure_id: int, abort: bool = False) -> Any:
    return bench.service.request_stop(StopProcessCommand(procedure_id, abort, at_checkpoint=True))


def test_a_stop_interrupts_a_paused_script_at_its_checkpoint(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def main():
    say("up")
    try:
        while True:
            checkpoint("a scan")
            time.sleep(0.001)
    except BaseException as error:
        say(type(error).__name__)
        checkpoint("clean-up")
        say("cleaned up")
        raise
"""
    )
    procedure_id = bench.run_until_said(source)
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    assert bench.said(procedure_id)[1:] == ["TerminateInterrupt", "cleaned up"]
    assert bench.states(procedure_id)[-2:] == ["PAUSED", "STOPPED"]


def test_a_stop_at_a_checkpoint_lets_the_script_come_there(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def main():
    checkpoint("begin")
    say("up")
    time.sleep(0.3)
    say("scan done")
    checkpoint("between scans")
    say("not reached")
"""
    )
    procedure_id = bench.run_until_said(source)
    stopping = stop_at_checkpoint(bench, procedure_id)
    bench.wait_for(lambda: bench.service.summary(procedure_id).at_checkpoint is AtCheckpoint.STOP)
    with pytest.raises(StateForbidsError, match="is stopped at its next checkpoint"):
        step(bench, procedure_id)
    stopped = stopping.result(PATIENCE).stopped
    assert (stopped.state, stopped.checkpoint) == (ProcedureState.STOPPED, "between scans")
    assert bench.said(procedure_id) == ["up", "scan done"]


def test_a_stop_at_a_checkpoint_can_be_withdrawn_and_its_abort_script_too(bench: ScriptBench) -> None:
    source = WITHOUT.replace("def main()", "def main(subarray_id=1)")
    procedure_id = bench.run_until_said(source)
    stopping = stop_at_checkpoint(bench, procedure_id, abort=True)
    abort_id = stopping.abort_id
    assert abort_id is not None
    resume(bench, procedure_id)
    with pytest.raises(StopWithdrawnError, match="was withdrawn by Resume"):
        stopping.result(PATIENCE)
    bench.wait_for_state(abort_id, ProcedureState.STOPPED)
    assert bench.states(procedure_id)[-1] == "RUNNING"
    bench.stop(procedure_id)


def test_a_stop_at_a_checkpoint_of_a_script_that_ends_before_is_reported(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(PRELUDE + "def main():\n    say('up')\n    time.sleep(0.3)\n")
    stopping = stop_at_checkpoint(bench, procedure_id)
    with pytest.raises(StopWithdrawnError, match="has ended COMPLETE before it reached another checkpoint"):
        stopping.result(PATIENCE)
    assert bench.wait_for_state(procedure_id, COMPLETE)


def test_an_immediate_stop_goes_first(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(WITHOUT)
    at_checkpoint = stop_at_checkpoint(bench, procedure_id)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    assert at_checkpoint.result(PATIENCE).stopped.state is ProcedureState.STOPPED


def test_a_clean_up_waits_at_no_checkpoint_whenever_the_stop_comes(bench: ScriptBench) -> None:
    """The signal may arrive before the message that announces it."""
    source = (
        PRELUDE
        + """
def main():
    try:
        say("up")
        while True:
            checkpoint("a scan")
            time.sleep(0.001)
    finally:
        for number in range(20):
            checkpoint(f"clean-up {number}")
        say("cleaned up")
"""
    )
    for pid in range(1, 16):
        assert bench.run_until_said(source) == pid
        pause(bench, pid)
        if pid % 2:
            bench.wait_for_state(pid, PAUSED)
        assert bench.stop(pid).stopped.state is ProcedureState.STOPPED
        assert bench.said(pid)[-1] == "cleaned up"
