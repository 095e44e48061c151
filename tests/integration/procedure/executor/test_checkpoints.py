"""Pauses, steps and stops at the checkpoints of a script."""

import random
from pathlib import Path
from typing import Any

import pytest
from tests.support.script_bench import ScriptBench

from ska_oso_oet.model import AtCheckpoint, CheckpointReply, CheckpointRequest
from ska_oso_oet.procedure.domain import (
    ProcedureNotFoundError,
    ProcedureState,
    StateForbidsError,
)

PAUSED, RUNNING, COMPLETE = ProcedureState.PAUSED, ProcedureState.RUNNING, ProcedureState.COMPLETE

PRELUDE = """
import asyncio, os, threading, time
from pubsub import pub
from ska_oso_oet.interaction import checkpoint, checkpoint_async

def say(what):
    pub.sendMessage("user.script.announce", msg=what)
"""

SCANS = (
    PRELUDE
    + """
def main(scans):
    for scan in range(scans):
        checkpoint(f"scan {scan}")
        say(scan)
"""
)

# Runs until it is paused: its checkpoints follow each other quickly.
FOREVER = (
    PRELUDE
    + """
def main():
    say("up")
    scan = 0
    while True:
        scan += 1
        checkpoint(f"scan {scan}")
        time.sleep(0.001)
"""
)

WITHOUT = (
    PRELUDE
    + """
def main():
    say("up")
    threading.Event().wait()
"""
)

NO_PROCEDURE = CheckpointRequest()


def pause(bench: ScriptBench, procedure_id: int) -> CheckpointReply:
    return bench.service.operator.pause(CheckpointRequest(pid=procedure_id))


def resume(bench: ScriptBench, procedure_id: int) -> CheckpointReply:
    return bench.service.operator.resume(CheckpointRequest(pid=procedure_id))


def step(bench: ScriptBench, procedure_id: int) -> CheckpointReply:
    return bench.service.operator.step(CheckpointRequest(pid=procedure_id))


def pauses(bench: ScriptBench, procedure_id: int) -> list[str]:
    """The checkpoints at which a procedure was paused."""
    return [event["result"]["checkpoint"] for event in bench.of("procedure.lifecycle.paused", procedure_id)]


def test_a_paused_script_waits_at_its_next_checkpoint_until_it_is_resumed(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(FOREVER)
    reply = pause(bench, procedure_id)
    assert (reply.pid, reply.at_checkpoint) == (procedure_id, AtCheckpoint.PAUSE)
    bench.wait_for_state(procedure_id, PAUSED)
    summary = bench.service.summary(procedure_id)
    passed = [event["checkpoint"] for event in bench.of("procedure.checkpoint.passed", procedure_id)]
    assert summary.checkpoint == passed[-1]
    assert summary.at_checkpoint is None
    assert bench.manager.running == procedure_id
    assert resume(bench, procedure_id).state in ("PAUSED", "RUNNING")
    bench.wait_for_event("procedure.lifecycle.resumed", procedure_id)
    bench.wait_for(lambda: len(bench.of("procedure.checkpoint.passed", procedure_id)) > len(passed))
    assert bench.states(procedure_id)[-3:] == ["RUNNING", "PAUSED", "RUNNING"]
    assert len(bench.of("procedure.lifecycle.started", procedure_id)) == 1
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_each_step_goes_to_the_next_checkpoint(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def init():
    checkpoint("init")

def main():
    for scan in range(4):
        checkpoint(f"scan {scan}")
        say(scan)
"""
    )
    procedure_id = bench.create(source)
    bench.wait_for_state(procedure_id, ProcedureState.READY)
    with pytest.raises(StateForbidsError, match="is READY: only a script that runs can be paused"):
        pause(bench, procedure_id)
    slow = source.replace("say(scan)", "say(scan); time.sleep(0.02)").replace("range(4)", "range(400)")
    procedure_id = bench.run_until_said(slow, 0)
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    first = int(pauses(bench, procedure_id)[0].split()[1])
    for count in range(1, 4):
        assert step(bench, procedure_id).message.endswith("continues to its next checkpoint.")
        bench.wait_for(lambda: len(pauses(bench, procedure_id)) == count + 1)  # noqa: B023
        assert pauses(bench, procedure_id)[-1] == f"scan {first + count}"
        assert bench.said(procedure_id)[-1] == first + count - 1
    bench.stop(procedure_id)


def test_pausing_at_random_moments_loses_no_checkpoint_and_no_event(bench: ScriptBench) -> None:
    """100 pauses, of which the script itself counts what it did."""
    source = (
        PRELUDE
        + """
def main():
    count = 0
    while True:
        count += 1
        checkpoint(f"scan {count}")
        say(count)
        if count % 7 == 0:
            time.sleep(0.002)
"""
    )
    procedure_id = bench.run_until_said(source, 1)
    chance = random.Random(19)
    for number in range(1, 101):
        pause(bench, procedure_id)
        bench.wait_for(lambda: len(pauses(bench, procedure_id)) == number)  # noqa: B023
        before = bench.said(procedure_id)
        # It does nothing while it is paused: the checkpoint is the one after what it has announced last.
        assert pauses(bench, procedure_id)[-1] == f"scan {before[-1] + 1}"
        assert before == list(range(1, len(before) + 1))
        resume(bench, procedure_id)
        bench.wait_for(lambda: len(bench.said(procedure_id)) > len(before) + chance.randrange(20))  # noqa: B023
    bench.stop(procedure_id)
    said = bench.said(procedure_id)
    assert said == list(range(1, len(said) + 1))
    assert bench.told_states(procedure_id).count("PAUSED") == 100
    assert len(bench.of("procedure.lifecycle.resumed", procedure_id)) == 100
    numbers = [event["number"] for event in bench.of("procedure.checkpoint.passed", procedure_id)]
    assert numbers == sorted(set(numbers))
    assert bench.service.summary(procedure_id).at_checkpoint is None


def test_a_pause_can_be_withdrawn_before_it_takes_effect(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(WITHOUT)
    reply = pause(bench, procedure_id)
    assert "a script without checkpoints never pauses. Resume withdraws this." in reply.message
    assert bench.service.summary(procedure_id).at_checkpoint is AtCheckpoint.PAUSE
    assert resume(bench, procedure_id).at_checkpoint is None
    assert bench.service.summary(procedure_id).at_checkpoint is None
    pending = [event["at_checkpoint"] for event in bench.of("procedure.checkpoint.pending", procedure_id)]
    assert pending == ["PAUSE", None]
    with pytest.raises(StateForbidsError, match="there is nothing to resume"):
        resume(bench, procedure_id)
    bench.stop(procedure_id)
    assert "PAUSED" not in bench.told_states(procedure_id)


def test_a_pause_that_never_took_effect_ends_with_the_script(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(PRELUDE + "def main():\n    say('up')\n    time.sleep(0.3)\n")
    pause(bench, procedure_id)
    assert bench.wait_for_state(procedure_id, COMPLETE).at_checkpoint is None


def test_a_quick_succession_of_requests_ends_as_the_last_one_says(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(FOREVER)
    chance = random.Random(7)
    for _ in range(200):
        chance.choice([pause, step])(bench, procedure_id)
        if chance.random() < 0.5:
            resume(bench, procedure_id)
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    resume(bench, procedure_id)
    bench.wait_for_state(procedure_id, RUNNING)
    reported = bench.told_states(procedure_id)
    main = reported[reported.index("READY") + 1 :]
    assert main == [("RUNNING", "PAUSED")[index % 2] for index in range(len(main))]
    bench.stop(procedure_id)


def test_every_yield_of_a_generator_is_a_checkpoint_with_its_value_as_label(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def main():
    say("up")
    for scan in range(10000):
        yield f"scan {scan}"
        say(scan)
        time.sleep(0.005)
"""
    )
    procedure_id = bench.run_until_said(source, 0)
    pause(bench, procedure_id)
    summary = bench.wait_for_state(procedure_id, PAUSED)
    assert summary.checkpoint == f"scan {bench.said(procedure_id)[-1] + 1}"
    bench.stop(procedure_id)


def test_an_asynchronous_script_pauses_and_its_event_loop_goes_on(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
async def beat():
    count = 0
    while True:
        await asyncio.sleep(0.01)
        count += 1
        say(f"beat {count}")

async def main():
    task = asyncio.create_task(beat())
    try:
        while True:
            await checkpoint_async("a scan")
            await asyncio.sleep(0.01)
    finally:
        task.cancel()
        say("cleaned up")
"""
    )
    procedure_id = bench.run_until_said(source, "beat 1")
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    beats = len(bench.said(procedure_id))
    bench.wait_for(lambda: len(bench.said(procedure_id)) > beats + 3)
    resume(bench, procedure_id)
    bench.wait_for_event("procedure.lifecycle.resumed", procedure_id)
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    # The other task may have had its turn once more before the loop ended.
    assert "cleaned up" in bench.said(procedure_id)[-2:]


def test_threads_and_child_processes_pass_checkpoints(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def main():
    say("up")
    while not os.path.exists("go"):
        time.sleep(0.01)
    thread = threading.Thread(target=checkpoint, args=("in a thread",))
    thread.start()
    thread.join()
    if os.fork() == 0:
        checkpoint("in a child")
        os._exit(7)
    say(os.waitstatus_to_exitcode(os.wait()[1]))
    checkpoint("in the script")
"""
    )
    source = source.replace('"up"', "os.getcwd()")
    procedure_id = bench.run(source)
    folder = bench.wait_for(lambda: bench.said(procedure_id))[0]
    pause(bench, procedure_id)
    Path(folder, "go").touch()
    bench.wait_for_state(procedure_id, PAUSED)
    assert bench.said(procedure_id)[1:] == [7]
    assert pauses(bench, procedure_id) == ["in the script"]
    resume(bench, procedure_id)
    bench.wait_for_state(procedure_id, COMPLETE)


def test_init_can_be_paused_and_its_time_limit_does_not_end_it(make_bench: Any) -> None:
    bench: ScriptBench = make_bench(init_timeout=0.5)
    source = (
        PRELUDE
        + """
def init():
    say("up")
    while True:
        checkpoint("in init")
        time.sleep(0.01)

def main():
    pass
"""
    )
    procedure_id = bench.create(source)
    bench.wait_for(lambda: "up" in bench.said(procedure_id))
    pause(bench, procedure_id)
    bench.wait_for_state(procedure_id, PAUSED)
    summary = bench.service.summary(procedure_id)
    assert (str(summary.phase), bench.manager.running) == ("PREPARING", None)
    # Another one that is not paused shows that the time is up.
    other = bench.create("import time\ndef init():\n    time.sleep(60)\ndef main(): pass\n")
    bench.wait_for_state(other, ProcedureState.FAILED)
    assert bench.states(procedure_id)[-1] == "PAUSED"
    bench.stop(procedure_id)


def test_requests_without_a_procedure_are_about_the_one_that_runs(bench: ScriptBench) -> None:
    with pytest.raises(StateForbidsError, match="no script is running"):
        bench.service.operator.pause(NO_PROCEDURE)
    with pytest.raises(ProcedureNotFoundError):
        pause(bench, 77)
    procedure_id = bench.run_until_said(FOREVER)
    assert bench.service.operator.pause(NO_PROCEDURE).pid == procedure_id
    bench.wait_for_state(procedure_id, PAUSED)
    bench.stop(procedure_id)


def test_a_crowd_of_checkpoints_is_counted_and_does_not_flood_the_journal(bench: ScriptBench) -> None:
    source = (
        PRELUDE
        + """
def main():
    for number in range(200_000):
        checkpoint(f"sample {number}")
    say("done")
"""
    )
    procedure_id = bench.run(source)
    bench.wait_for_state(procedure_id, COMPLETE)
    passed = bench.of("procedure.checkpoint.passed", procedure_id)
    assert (passed[-1]["checkpoint"], passed[-1]["number"]) == ("sample 199999", 200_000)
    assert len(passed) < 1500
    topics = [event["topic"] for event in bench.events]
    assert topics.index("user.script.announce") > max(
        index for index, topic in enumerate(topics) if topic == "procedure.checkpoint.passed"
    )
