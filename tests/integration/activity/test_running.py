"""Activities follow their procedures, also if other clients start and stop these."""

import json
from pathlib import Path

import pytest
from tests.support.activity_services import Oet, running_oet, states
from tests.support.patience import PATIENCE

from ska_oso_oet.activity.application import ActivityCommand
from ska_oso_oet.activity.application.register import KIND
from ska_oso_oet.activity.domain import ActivityNotFoundError, ActivityState
from ska_oso_oet.journal import Document, MemoryJournal
from ska_oso_oet.model import ActivitySummary, ProcedureState
from ska_oso_oet.procedure.application import Origin, StartProcessCommand, StopProcessCommand
from ska_oso_oet.procedure.domain import ProcedureInput

REQUESTED, PREPARED, RUNNING, COMPLETE, FAILED, STOPPED = ActivityState


def test_an_activity_runs_to_its_end(oet: Oet) -> None:
    described = {"kind": "filesystem", "path": "file://good.py", "function_args": {"init": {"args": [1]}}}
    path = oet.put("sbd-1", {"observe": described}, unknown_to_the_oet="Ω")
    summary = oet.ended(oet.run("observe", script_args={"init": ProcedureInput(foo="bar")}))
    assert states(summary) == [REQUESTED, PREPARED, RUNNING, COMPLETE]
    assert summary.script_args["init"] == ProcedureInput(1, foo="bar")
    procedure = oet.procedure(summary)
    assert procedure.arguments_of("init") == ProcedureInput(1, foo="bar")
    assert procedure.arguments_of("main") == ProcedureInput(sb_json=summary.sb_json)
    _, lines = oet.scripts.output(procedure.id).read(0, 100)
    assert json.loads("".join(lines)) == json.loads(path.read_text())


def test_an_argument_by_position_is_overridden_by_its_name(oet: Oet) -> None:
    (oet.roots / "positions.py").write_text(
        "def init(subarray_id, *labels, **notes): print(subarray_id, labels, notes)\ndef main(sb_json): ...\n"
    )
    given = {"init": {"args": [1, "dawn"]}}
    oet.put(
        "sbd-1", {"observe": {"kind": "filesystem", "path": "file://positions.py", "function_args": given}}
    )
    overrides = {"init": ProcedureInput(subarray_id=2, labels="dusk")}
    summary = oet.ended(oet.run("observe", script_args=overrides))
    assert summary.state is COMPLETE, summary.reason
    assert summary.script_args["init"] == ProcedureInput(2, "dawn", labels="dusk")
    procedure = oet.procedure(summary)
    assert procedure.subarray_id == 2
    assert oet.scripts.output(procedure.id).tail() == ["2 ('dawn',) {'labels': 'dusk'}"]


def test_the_states_have_the_times_of_the_procedure(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"})
    summary = oet.ended(oet.run("observe"))
    times = dict(summary.activity_states)
    history = oet.procedure(summary).history.process_states
    ready, _ = [time for state, time in history if state is ProcedureState.READY]
    assert (times[PREPARED], times[COMPLETE]) == (ready, history[-1][1])


def test_what_is_published(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"})
    origin = Origin("tests", 12.5, lambda number: f"12.5_{number}_RunActivity")
    accepted = oet.activities.prepare_run_activity(ActivityCommand("observe", "sbd-1"), origin=origin)
    summary = oet.ended(accepted.id)
    assert (accepted.command_id, summary.command_id) == ("12.5_1_RunActivity",) * 2
    (request,) = oet.events("request.activity.run")
    assert (request["msg_src"], request["request_id"]) == ("tests", 12.5)
    assert (request["cmd"]["activity_name"], request["cmd"]["sbd_id"]) == ("observe", "sbd-1")
    (running,) = oet.events("activity.lifecycle.running")
    assert (running["request_id"], running["result"]["state"]) == (12.5, "REQUESTED")
    changes = oet.events("activity.lifecycle.statechange")
    assert [change["new_state"] for change in changes] == ["REQUESTED", "PREPARED", "RUNNING", "COMPLETE"]
    assert {change["activity_id"] for change in changes} == {accepted.id}
    # Requests of an activity are recorded as its own.
    caused = [*oet.events("request.procedure"), *oet.events("procedure.lifecycle.complete")]
    assert [event["request_id"] for event in caused] == [12.5] * 3
    assert oet.procedure(summary).command_id == "12.5_1_RunActivity"


def test_prepared_only_and_started_by_hand(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"})
    summary = oet.wait_for(oet.run("observe", prepare_only=True), PREPARED)
    assert oet.procedure(summary).state is ProcedureState.READY
    assert summary.pid is not None
    oet.scripts.start(StartProcessCommand(summary.pid, "main", ProcedureInput()))
    ended = oet.ended(summary.id)
    assert states(ended) == [REQUESTED, PREPARED, RUNNING, COMPLETE]
    assert oet.procedure(ended).arguments_of("main") == ProcedureInput(sb_json=ended.sb_json)


@pytest.mark.parametrize(
    ("script", "passed", "reason"),
    [
        ("fails.py", [REQUESTED, PREPARED, RUNNING, FAILED], "RuntimeError: the antenna is stuck"),
        ("fails_in_init.py", [REQUESTED, FAILED], "ZeroDivisionError: division by zero"),
    ],
)
def test_a_script_that_fails(oet: Oet, script: str, passed: list[ActivityState], reason: str) -> None:
    oet.put("sbd-1", {"observe": script})
    summary = oet.ended(oet.run("observe"))
    assert (states(summary), summary.reason) == (passed, reason)


def test_the_procedure_is_stopped(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "waits.py"})
    summary = oet.wait_for(oet.run("observe"), RUNNING)
    assert summary.pid is not None
    oet.scripts.stop(StopProcessCommand(summary.pid, run_abort=False))
    assert states(oet.ended(summary.id)) == [REQUESTED, PREPARED, RUNNING, STOPPED]


def test_the_activity_is_stopped(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "waits.py"})
    activity_id = oet.wait_for(oet.run("observe"), RUNNING).id
    oet.activities.request_stop(activity_id)
    assert oet.ended(activity_id).state is STOPPED
    with pytest.raises(ActivityNotFoundError):
        oet.activities.request_stop(activity_id)


def test_another_one_runs_by_the_time_it_is_ready(oet: Oet) -> None:
    oet.put("sbd-1", {"first": "waits.py", "second": "good.py"})
    first = oet.wait_for(oet.run("first"), RUNNING)
    second = oet.ended(oet.run("second"))
    assert states(second) == [REQUESTED, PREPARED, FAILED]
    assert f"procedure {first.pid} (waits.py) is running" in str(second.reason)
    # Its script is not left waiting for a start that will not come.
    assert second.pid is not None
    document = oet.scripts.view.ended(second.pid).result(PATIENCE)
    assert json.loads(document.text)["state"] == "STOPPED"
    assert oet.activities.summary(first.id).state is RUNNING


def test_a_procedure_for_an_activity_that_was_stopped_meanwhile_is_stopped(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"})
    prepared = oet.wait_for(oet.run("observe", prepare_only=True), PREPARED)
    procedure = oet.procedure(prepared)
    late = oet.run("observe", "sbd-unknown")
    oet.ended(late)
    assert oet.activities.attach_procedure(procedure, late) is None
    oet.ended(prepared.id)
    assert oet.no_procedure_is_live()


def document_of(summary: ActivitySummary) -> Document:
    """Return a document as a server reads it that did not write it."""
    return Document(KIND, summary.id, summary.model_dump_json(), live=not summary.state.is_final)


def test_a_server_that_died_leaves_no_activity_alive(tmp_path: Path) -> None:
    journal = MemoryJournal()
    with running_oet(tmp_path, journal=journal) as before:
        before.put("sbd-1", {"observe": "good.py"})
        prepared = before.wait_for(before.run("observe", prepare_only=True), PREPARED)
        procedure = before.scripts.view.get(prepared.pid or 0)
        assert procedure is not None
    # As kill -9 leaves it: the last that was committed is that both live.
    journal.append([], [document_of(prepared), procedure])
    with running_oet(tmp_path, journal=journal) as after:
        found = after.activities.summary(prepared.id)
        assert (found.state, found.pid) == (FAILED, prepared.pid)
        assert "server of this activity ended" in str(found.reason)
        assert after.events("activity.lifecycle.statechange")[-1]["new_state"] == "FAILED"
        assert after.run("observe") == prepared.id + 1


@pytest.mark.parametrize(
    ("script", "end", "reason"),
    [("good.py", COMPLETE, None), ("fails.py", FAILED, "RuntimeError: the antenna is stuck")],
)
def test_an_activity_whose_procedure_had_ended_when_the_server_died_ends_as_that_did(
    tmp_path: Path, script: str, end: ActivityState, reason: str | None
) -> None:
    journal = MemoryJournal()
    with running_oet(tmp_path, journal=journal) as before:
        before.put("sbd-1", {"observe": script})
        ended = before.ended(before.run("observe"))
    # As kill -9 leaves it if it comes between the two commits: of the procedure's end, and of the activity's.
    states = ended.activity_states[:2]
    earlier = ended.model_copy(update={"activity_states": states, "state": states[-1][0], "reason": None})
    journal.append([], [document_of(earlier)])
    with running_oet(tmp_path, journal=journal) as after:
        found = after.activities.summary(ended.id)
        assert (found.activity_states, found.reason) == (ended.activity_states, reason)
        reported = [event["new_state"] for event in after.events("activity.lifecycle.statechange")]
        assert reported[-2:] == [RUNNING, end]


def test_history_is_bounded(tmp_path: Path) -> None:
    with running_oet(tmp_path, history_length=2) as oet:
        oet.put("sbd-1", {"observe": "good.py"})
        live = oet.wait_for(oet.run("observe", prepare_only=True), PREPARED).id
        ended = [oet.ended(oet.run("observe", "sbd-unknown")).id for _ in range(3)]
        assert [summary.id for summary in oet.activities.summarise()] == [live, *ended[1:]]
        assert [summary.id for summary in oet.activities.summarise([ended[0]])] == [ended[0]]
        with pytest.raises(ActivityNotFoundError, match="No information available for ID=99"):
            oet.activities.summarise([99])
