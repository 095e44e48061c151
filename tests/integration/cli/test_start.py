"""Starting a script and listening to it until it ends."""

import json
import signal
import subprocess

import pytest
from tests.support.contract_http import PATIENCE, Answer
from tests.support.contract_server import COMPLETES, FAILS, ContractServer, Step, says, to
from tests.support.oet_command import OetCommand, OetInProcess, table_rows

URI = "file:///scripts/observe.py"


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def test_no_event_is_missed_of_a_script_that_ends_before_the_start_is_answered(
    server: ContractServer, oet: OetCommand
) -> None:
    server.running[URI] = (says("user.script.announce", msg="first"), *COMPLETES)
    server.prepare(URI)
    server.publish("user.script.announce", "77", msg="of another script")
    done = oet("procedure", "start")
    assert [line for line in done.stdout.splitlines() if line.startswith("event: ")] == [
        "event: procedure.lifecycle.statechange",
        "event: procedure.lifecycle.started",
        "event: user.script.announce",
        "event: procedure.lifecycle.statechange",
        "event: procedure.lifecycle.statechange",
        "event: procedure.lifecycle.complete",
    ]
    assert "another script" not in done.stdout
    assert done.stdout.endswith("Procedure 1 is COMPLETE\n")


def test_a_script_that_fails(server: ContractServer, invoke: OetInProcess) -> None:
    server.running[URI] = FAILS
    server.prepare(URI)
    done = invoke("procedure", "start", status=1)
    assert (
        'Traceback (most recent call last):\n  File "a.py", line 2, in main\nZeroDivisionError' in done.stdout
    )
    assert done.stderr == "Error: Procedure 1 is FAILED: ZeroDivisionError: division by zero\n"
    assert "ZeroDivisionError: division by zero" in invoke("procedure", "describe").stdout


def test_a_script_that_somebody_stops(server: ContractServer, oet: OetCommand) -> None:
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        server.events.wait_for_streams(1)
        oet("procedure", "stop", "--pid=1")
        status, _, stderr = end(process)
    assert (status, stderr) == (3, "Error: Procedure 1 is STOPPED\n")


def test_ctrl_c_ends_the_listening_and_not_the_script(server: ContractServer, oet: OetCommand) -> None:
    server.running[URI] = (says("user.script.announce", msg="at work"),)
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        assert process.stdout is not None
        while "at work" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        status, _, stderr = end(process)
    assert status == 130
    assert stderr.strip() == (
        "Error: No longer listening. Procedure 1 goes on: "
        "'oet procedure stop --pid=1' stops it, 'oet listen' listens again"
    )
    assert server.procedures[1]["state"] == "RUNNING"


def test_goes_on_where_it_was_when_the_stream_breaks(server: ContractServer, oet: OetCommand) -> None:
    server.running[URI] = (says("user.script.announce", msg="one"),)
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        assert process.stdout is not None
        while "'msg': 'one'" not in process.stdout.readline():
            assert process.poll() is None
        server.events.cut()
        server.events.wait_for_streams(0)
        server.perform(1, says("user.script.announce", msg="while nobody listened"), *COMPLETES)
        status, stdout, stderr = end(process)
    assert status == 0
    assert stdout.count("'msg': 'while nobody listened'") == 1
    assert "'msg': 'one'" not in stdout
    assert stderr.count("Lost the stream of events") == 1
    assert "Traceback" not in stderr
    assert "last-event-id" not in server.streams[0].headers
    assert int(server.streams[1].headers["last-event-id"]) > 0


def test_an_end_that_no_event_told_of_is_found_at_the_next_heartbeat(
    server: ContractServer, oet: OetCommand
) -> None:
    server.events.heartbeat = 0.2
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        server.events.wait_for_streams(1)
        assert process.stdout is not None
        while "RUNNING" not in process.stdout.readline():
            assert process.poll() is None
        # No stack trace of Python: its first line is the sentence, and below is what led to it.
        reason = "the server died while it lived\nIts last words were:\nout of memory"
        server.procedures[1]["history"]["stacktrace"] = reason
        server.procedures[1]["state"] = "UNKNOWN"
        status, stdout, stderr = end(process)
    assert "out of memory" in stdout
    assert (status, stderr) == (1, "Error: Procedure 1 is UNKNOWN: the server died while it lived\n")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((to("RUNNING"),), "it is RUNNING. It runs once: create it again to run it again"),
        ((to("RUNNING"), *COMPLETES), "it is COMPLETE. It runs once: create it again to run it again"),
    ],
)
def test_says_why_a_procedure_was_not_started(
    server: ContractServer, invoke: OetInProcess, steps: tuple[Step, ...], reason: str
) -> None:
    server.prepare(URI)
    server.perform(1, *steps)
    done = invoke("procedure", "start", status=1)
    assert (done.stdout, done.stderr) == ("", f"Error: Procedure 1 was not started, as {reason}\n")


def test_a_procedure_that_is_still_in_preparation_is_started_when_it_is_ready(
    server: ContractServer, oet: OetCommand
) -> None:
    server.preparing[URI] = (to("IDLE"), to("LOADING"), to("IDLE"), to("RUNNING"))
    server.running[URI] = COMPLETES
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        server.events.wait_for_streams(1)
        server.perform(1, to("READY"))
        status, stdout, stderr = end(process)
    assert status == 0, stderr
    assert stderr == "Procedure 1 is in preparation: waiting until it is READY\n"
    assert stdout.endswith("Procedure 1 is COMPLETE\n")


def test_a_preparation_that_fails_is_told(server: ContractServer, oet: OetCommand) -> None:
    server.preparing[URI] = (to("IDLE"), to("LOADING"))
    server.prepare(URI)
    with oet.running("procedure", "start", "--listen=False") as process:
        server.events.wait_for_streams(1)
        server.perform(1, to("FAILED"))
        status, _, stderr = end(process)
    assert status == 1
    assert "Procedure 1 was not started, as it is FAILED" in stderr


def test_a_start_that_is_granted_and_never_happens_is_noticed(
    server: ContractServer, invoke: OetInProcess
) -> None:
    server.events.heartbeat = 0.2
    server.prepare(URI)
    procedure = server.procedures[1]
    looks = [Answer(200, {"procedures": [procedure]}), Answer(200, {"procedure": procedure})]
    server.answers.extend(looks)
    done = invoke("procedure", "start", status=1)
    assert "Procedure 1 was not started, as it is READY" in done.stderr


def test_an_activity_that_fails(server: ContractServer, invoke: OetInProcess) -> None:
    server.running["file://allocate.py"] = FAILS
    done = invoke("activity", "run", "allocate", "sbd-1", status=1)
    assert done.stderr == "Error: Activity 1 is FAILED: ZeroDivisionError: division by zero\n"
    assert table_rows(done.stdout)[1][-1] == "REQUESTED"


def test_the_procedure_of_an_activity_may_become_known_later(
    server: ContractServer, invoke: OetInProcess
) -> None:
    server.names_procedures = False
    server.running["file://allocate.py"] = (says("user.script.announce", msg="at work"), *COMPLETES)
    assert "'msg': 'at work'" in invoke("activity", "run", "allocate", "sbd-1").stdout


def test_json_is_all_that_is_printed_for_programs(server: ContractServer, oet: OetCommand) -> None:
    progress = says("user.script.progress", progress=50)
    server.running[URI] = (says("user.script.announce", msg="Ω\n"), progress, *COMPLETES)
    server.prepare(URI)
    done = oet("procedure", "start", "--json")
    reply, *events = [json.loads(line) for line in done.stdout.splitlines()]
    assert reply["procedure"]["state"] == "RUNNING"
    assert {event["topic"] for event in events} >= {"user.script.announce", "procedure.lifecycle.complete"}
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert done.stderr == ""
