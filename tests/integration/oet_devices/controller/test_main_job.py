"""A script runs through Tango: the events and attributes for clients, and their times."""

import json
import time

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import Uris
from tests.support.events import listen
from tests.support.operator import Operator, operate

from ska_oso_oet.model import ProcedureState, ProcedureSummary

PREPARED = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY"]
PREPARED_WITHOUT_INIT = ["CREATING", "IDLE", "LOADING", "IDLE", "READY"]
LIFECYCLE = "procedure.lifecycle."
CHANGING = ["procedureState", "runningProcedure", "lastEventId", "scriptOutput", "procedures"]
LABELS = "UNKNOWN CREATING IDLE PREP_ENV LOADING READY RUNNING STOPPED COMPLETE FAILED PAUSED"


def test_the_main_job_event_by_event(operator: Operator, uri: Uris) -> None:
    before = time.time()
    pid = operator.run(uri("hello_world"), name="telescope")
    assert operator.states(pid) == [*PREPARED, "RUNNING", "READY", "COMPLETE"]
    operator.wait_for_topic(pid, LIFECYCLE + "complete")
    assert operator.topics(pid) == [
        LIFECYCLE + "created",
        LIFECYCLE + "started",
        LIFECYCLE + "started",
        "user.script.announce",
        LIFECYCLE + "complete",
    ]
    events = operator.events()
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    times = [event["time"] for event in events]
    assert before <= times[0]
    assert times == sorted(times)
    assert times[-1] <= time.time()
    announced = next(event for event in events if event["topic"] == "user.script.announce")
    assert announced["msg"] == "Hello telescope!"


def test_each_event_is_one_change_event_with_the_text_that_the_journal_keeps(
    operator: Operator, uri: Uris
) -> None:
    pid = operator.run(uri("countdown"), seconds=0.1, steps=50)
    operator.wait_for_topic(pid, LIFECYCLE + "complete")
    heard = operator.events()
    assert heard == operator.get_events(after=heard[0]["seq"] - 1)
    assert operator.topics(pid).count("user.script.progress") == 50


def test_an_archiver_is_told_what_others_are_told(controller: tango.DeviceProxy, uri: Uris) -> None:
    names = ["events", "lastProcedure", "procedureState"]
    with listen(controller, names, tango.EventType.ARCHIVE_EVENT) as archive, operate(controller) as operator:
        pid = operator.run(uri("hello_world"), name="archiver")
        operator.wait_for_topic(pid, LIFECYCLE + "complete")
        heard = operator.events()
        archive.wait_for("procedureState", list(ProcedureState).index(ProcedureState.COMPLETE))
        archive.wait_for("lastProcedure", pid)
        archive.wait_until(lambda log: json.loads(log.of("events")[-1]).get("seq") == heard[-1]["seq"])
        archived = [json.loads(text) for text in archive.of("events")]
        assert [event for event in archived if event.get("seq", 0) >= heard[0]["seq"]] == heard
        assert not archive.errors


def test_requests_are_announced_and_what_follows_bears_their_id(operator: Operator, uri: Uris) -> None:
    pid = operator.run({"script_uri": uri("hello_world"), "script_args": {"init": {"args": [7]}}}, name="you")
    operator.wait_for_topic(pid, LIFECYCLE + "complete")
    create, start = (event for event in operator.events() if event["topic"].startswith("request."))
    assert (create["topic"], start["topic"]) == ("request.procedure.create", "request.procedure.start")
    assert create["msg_src"] == start["msg_src"] == "OETController"
    assert create["cmd"]["script"]["script_uri"] == uri("hello_world")
    assert create["cmd"]["script_args"]["init"] == {"args": [7], "kwargs": {}}
    assert create["cmd"]["init_args"] == {"args": [7], "kwargs": {}}
    given = {"args": [], "kwargs": {"name": "you"}}
    documented = {"process_uid": pid, "fn_name": "main", "run_args": given, "force_start": False}
    assert start["cmd"] == {**documented, "pid": pid, "script_args": {"main": given}}
    reported = [event["request_id"] for event in operator.events(pid) if "request_id" in event]
    # created and started for init; started for main and complete
    assert reported == [create["request_id"]] * 2 + [start["request_id"]] * 2


def test_the_result_of_an_event_is_the_summary_of_that_moment(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("hello_world"), name="you")
    operator.wait_for_topic(pid, LIFECYCLE + "complete")
    results = [
        ProcedureSummary.model_validate(event["result"])
        for event in operator.events(pid)
        if "result" in event
    ]
    assert [result.state for result in results] == ["CREATING", "RUNNING", "RUNNING", "COMPLETE"]
    assert all(result.history.process_states for result in results)
    assert results[-1].model_dump(mode="json") == operator.describe(pid)
    assert operator.describe(pid)["script_args"]["main"] == {"args": [], "kwargs": {"name": "you"}}


def test_the_description_holds_each_state_with_its_time(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("hello_world"))
    summary = operator.describe(pid)
    states = [state for state, _ in summary["history"]["process_states"]]
    times = [entered for _, entered in summary["history"]["process_states"]]
    assert states == operator.states(pid)
    assert summary["created"] <= times[0]
    assert times == sorted(times)
    assert (summary["state"], summary["history"]["stacktrace"]) == ("COMPLETE", None)
    assert summary["command_id"].endswith(f"_{pid}_Create")


def test_a_script_without_init(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("prints"))
    assert operator.states(pid) == [*PREPARED_WITHOUT_INIT, "RUNNING", "READY", "COMPLETE"]


@pytest.mark.parametrize(
    ("script", "states", "reason"),
    [
        ("fails_at_load", ["CREATING", "IDLE", "LOADING", "FAILED"], "RuntimeError: no licence"),
        ("fails_in_init", [*PREPARED[:-1], "FAILED"], "RuntimeError: no subarray"),
    ],
)
def test_a_script_that_fails_before_it_is_ready(
    operator: Operator, uri: Uris, script: str, states: list[str], reason: str
) -> None:
    pid = operator.create(uri(script))
    operator.wait_for_topic(pid, LIFECYCLE + "stacktrace")
    assert operator.states(pid) == states
    assert operator.topics(pid)[-2:] == [LIFECYCLE + "failed", LIFECYCLE + "stacktrace"]
    trace = operator.events(pid)[-1]["stacktrace"]
    assert trace.strip().endswith(reason)
    assert operator.describe(pid)["history"]["stacktrace"] == trace


def test_a_script_that_fails_in_main(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("fails"), reason="the antenna is stuck", state="FAILED")
    operator.wait_for_topic(pid, LIFECYCLE + "stacktrace")
    assert operator.states(pid) == [*PREPARED_WITHOUT_INIT, "RUNNING", "FAILED"]
    trace = operator.describe(pid)["history"]["stacktrace"]
    assert trace.startswith("Traceback")
    assert "fails.py" in trace
    assert "oet_devices" not in trace, "an operator sees the script, not the machinery"
    assert trace.strip().endswith("RuntimeError: the antenna is stuck")


def test_a_script_that_is_stopped(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("waits"), state="RUNNING")
    operator.wait_for_topic(pid, "user.script.announce")
    operator.stop(pid)
    assert operator.states(pid)[-2:] == ["RUNNING", "STOPPED"]
    assert operator.get_output(pid=pid)["lines"] == ["waiting", "tidy"]
    # Nothing comes after that: the events of another script are next.
    operator.run(uri("prints"))
    assert operator.topics(pid)[-1] == LIFECYCLE + "stopped"
    assert operator.topics(pid).count(LIFECYCLE + "stopped") == 1


def test_a_script_is_stopped_while_its_init_runs(operator: Operator, uri: Uris) -> None:
    pid = operator.create(uri("init_waits"))
    operator.wait_for_topic(pid, LIFECYCLE + "started")
    operator.stop(pid)
    assert operator.states(pid)[-2:] == ["RUNNING", "STOPPED"]


def test_arguments_that_create_was_given_are_used_by_a_start_that_gives_none(
    operator: Operator, uri: Uris
) -> None:
    args = {"main": {"kwargs": {"count": 3, "first": 5}}}
    for start, lines in (({}, ["line 5", "line 6", "line 7"]), ({"main": {"args": [1]}}, ["line 0"])):
        pid = operator.prepare({"script_uri": uri("prints"), "script_args": args})
        operator.send("Start", {"pid": pid, "script_args": start})
        operator.wait_for_state(pid, "COMPLETE")
        assert operator.get_output(pid=pid)["lines"] == lines


def test_start_and_stop_without_a_name_mean_the_last_and_the_running_one(
    operator: Operator, uri: Uris
) -> None:
    first, last = operator.prepare(uri("waits")), operator.prepare(uri("waits"))
    operator.send("Start", "")
    operator.wait_for_topic(last, "user.script.announce")
    third = operator.prepare(uri("prints"))
    operator.send("Stop", "")
    operator.wait_for_state(last, "STOPPED")
    assert [operator.describe(pid)["state"] for pid in (first, last, third)] == ["READY", "STOPPED", "READY"]


EMBEDDED = """
from pubsub import pub

def main(name):
    '''Größe, Δ and 🚀.'''
    print("Δ", name)
    pub.sendMessage("user.script.announce", msg="🚀 " + name)
    raise RuntimeError("Ωmega " + name)
"""


def test_an_embedded_script_with_text_that_tango_strings_cannot_hold(operator: Operator) -> None:
    pid = operator.run(
        {"script": {"script_type": "embedded", "script": EMBEDDED}}, name="Größe 𝕊", state="FAILED"
    )
    operator.wait_for_topic(pid, LIFECYCLE + "stacktrace")
    announced = next(event for event in operator.events(pid) if event["topic"] == "user.script.announce")
    assert announced["msg"] == "🚀 Größe 𝕊"
    assert operator.get_output(pid=pid)["lines"] == ["Δ Größe 𝕊"]
    assert list(operator.controller.scriptOutput) == ["? Größe ?"]
    summary = operator.describe(pid)
    assert (summary["script"]["script_type"], summary["script"]["script"]) == ("embedded", EMBEDDED)
    assert summary["history"]["stacktrace"].strip().endswith("RuntimeError: Ωmega Größe 𝕊")
    assert 'raise RuntimeError("Ωmega " + name)' in summary["history"]["stacktrace"]


def test_attributes_change_with_the_procedure(controller: tango.DeviceProxy, uri: Uris) -> None:
    names = [
        "procedureState",
        "runningProcedure",
        "lastProcedure",
        "lastEventId",
        "scriptOutput",
        "procedures",
    ]
    with operate(controller, names) as operator:
        pid = operator.run(uri("waits"), state="RUNNING")
        operator.log.wait_for("runningProcedure", pid)
        operator.log.wait_for("scriptOutput", ("waiting",))
        # The output may be there before its line break is written. A print() that a signal interrupts there
        # leaves its line unfinished, in Python too: what `finally` prints would be in the same line.
        operator.log.wait_until(lambda log: any("announce" in text for text in log.of("events")))
        assert controller.runningProcedure == controller.lastProcedure == pid
        assert controller.procedureState.name == "RUNNING"
        operator.stop(pid)
        last = operator.events()[-1]["seq"]
        operator.log.wait_for("lastEventId", last)
        operator.log.wait_for("procedureState", list(ProcedureState).index(ProcedureState.STOPPED))
        operator.log.wait_until(lambda log: log.of("runningProcedure")[-1] == 0)
        operator.log.wait_for("scriptOutput", ("waiting", "tidy"))
        operator.log.wait_until(lambda log: json.loads(log.of("procedures")[-1])[-1]["state"] == "STOPPED")
        assert not operator.log.errors
    assert (controller.runningProcedure, controller.lastProcedure) == (0, pid)
    assert controller.procedureState.name == "STOPPED"


def test_who_hears_of_an_event_and_looks_finds_nothing_older(operator: Operator, uri: Uris) -> None:
    shown = operator.controller
    for _ in range(10):
        pid = operator.run(uri("waits"), state="RUNNING")
        assert (shown.runningProcedure, shown.procedureState.name) == (pid, "RUNNING")
        operator.stop(pid)
        assert (shown.runningProcedure, shown.procedureState.name) == (0, "STOPPED")
        assert shown.lastEventId >= operator.events()[-1]["seq"]


def test_labels_of_the_procedure_state(controller: tango.DeviceProxy) -> None:
    labels = controller.get_attribute_config("procedureState").enum_labels
    assert " ".join(labels) == LABELS


def test_status_says_what_is_going_on(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("waits"), state="RUNNING")
    operator.log.wait_until(lambda _: operator.controller.runningProcedure == pid)
    assert operator.controller.Status().startswith(f"Running #{pid} waits.py for ")
    operator.stop(pid)
    assert operator.controller.Status().startswith("No script is running.")
