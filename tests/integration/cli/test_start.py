"""Starting a script and listening to it until it ends."""

import json
import re
import signal
import subprocess
import threading

import pytest
from tests.support.contract_http import Answer
from tests.support.contract_server import COMPLETES, FAILS, ContractServer, ScriptStep, says, to
from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.patience import PATIENCE, wait_until

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
    assert re.findall(r"^ *\d+ [\d:.]{12}  (\S+) +#1  (.*)$", done.stdout, re.MULTILINE) == [
        ("procedure.lifecycle.statechange", "RUNNING"),
        ("procedure.lifecycle.started", "observe.py is RUNNING"),
        ("user.script.announce", "first"),
        ("procedure.lifecycle.statechange", "READY"),
        ("procedure.lifecycle.statechange", "COMPLETE"),
        ("procedure.lifecycle.complete", "observe.py is COMPLETE"),
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
        "Error: No longer listening. Procedure 1 continues: "
        "'oet procedure stop --pid=1' stops it, 'oet listen' listens again"
    )
    assert server.procedures[1]["state"] == "RUNNING"


def test_goes_on_where_it_was_when_the_stream_breaks(server: ContractServer, oet: OetCommand) -> None:
    server.running[URI] = (says("user.script.announce", msg="one"),)
    server.prepare(URI)
    with oet.running("procedure", "start") as process:
        assert process.stdout is not None
        while not process.stdout.readline().endswith("#1  one\n"):
            assert process.poll() is None
        server.events.cut()
        server.events.wait_for_streams(0)
        server.perform(1, says("user.script.announce", msg="while nobody listened"), *COMPLETES)
        status, stdout, stderr = end(process)
    assert status == 0
    assert stdout.count("#1  while nobody listened\n") == 1
    assert "#1  one" not in stdout
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
        ((to("RUNNING"),), "it is RUNNING. It runs once: 'oet procedure rerun 1' runs its script again"),
        (
            (to("RUNNING"), *COMPLETES),
            "it is COMPLETE. It runs once: 'oet procedure rerun 1' runs its script again",
        ),
    ],
)
def test_says_why_a_procedure_was_not_started(
    server: ContractServer, invoke: OetInProcess, steps: tuple[ScriptStep, ...], reason: str
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
        server.perform(1, says("procedure.environment.progress", msg="Installing\n12 packages"))
        assert process.stderr is not None
        reported = [process.stderr.readline() for _ in range(2)]
        server.perform(1, to("READY"))
        status, stdout, stderr = end(process)
    assert (status, stderr) == (0, "")
    assert reported == [
        "Procedure 1 is in preparation: waiting until it is READY\n",
        "Procedure 1: Installing 12 packages\n",
    ]
    assert "LOADING" not in stdout
    assert stdout.endswith("Procedure 1 is COMPLETE\n")


def test_a_creation_that_is_waited_for_shows_progress_and_ends_as_the_preparation_does(
    server: ContractServer, oet: OetCommand
) -> None:
    server.preparing[URI] = (to("IDLE"), to("LOADING"))
    for end_state, status in (("READY", 0), ("FAILED", 1), ("STOPPED", 3)):
        with oet.running("procedure", "create", URI, "--wait") as process:
            server.events.wait_for_streams(1)
            wait_until(lambda: server.state_of_last() == "LOADING", "the script is loaded")
            pid = len(server.procedures)
            server.perform(pid, says("procedure.environment.progress", msg="half done"))
            assert process.stderr is not None
            assert process.stderr.readline() == f"Procedure {pid}: half done\n"
            server.perform(pid, to(end_state))
            exit_status, stdout, stderr = end(process)
        assert exit_status == status, stderr
        assert end_state in stdout
        assert ("Error: " in stderr) is (status != 0)


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
    assert "#1  at work\n" in invoke("activity", "run", "allocate", "sbd-1").stdout


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


def test_an_end_that_the_service_does_not_confirm_is_none(
    server: ContractServer, invoke: OetInProcess
) -> None:
    fake = says("procedure.lifecycle.failed", request_id=1.0, result=None)
    server.running[URI] = (fake, says("user.script.announce", msg="still at work"))
    server.prepare(URI)
    server.events.heartbeat = 0.1
    threading.Timer(0.5, lambda: server.perform(1, *COMPLETES)).start()
    assert invoke("procedure", "start").stdout.endswith("Procedure 1 is COMPLETE\n")


def test_a_number_of_a_subarray_is_an_argument_where_there_is_one_controller(
    server: ContractServer, invoke: OetInProcess
) -> None:
    invoke("procedure", "create", URI, "--subarray_id=3")
    invoke("procedure", "start", "--subarray_id=3", "--listen=False")
    create, start = (request.body["script_args"] for request in server.requests)
    assert create["init"]["kwargs"] == start["main"]["kwargs"] == {"subarray_id": 3}
    # It chooses nothing there: what it is meant for must not be done elsewhere.
    done = invoke("procedure", "stop", "--subarray_id=3", status=1)
    assert "omit --subarray_id" in done.stderr
    assert len(server.requests) == 2
