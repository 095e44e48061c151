"""Classes and functions that the documentation of the OET 5.2.0 describes, called as described there."""

import multiprocessing
from pathlib import Path

import pytest

import ska_oso_oet
from ska_oso_oet.activity.application import ActivitySummary
from ska_oso_oet.activity.domain import Activity, ActivityState
from ska_oso_oet.activity.ui import make_public_activity_summary
from ska_oso_oet.features import Features
from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.procedure.application import (
    ArgCapture,
    PrepareProcessCommand,
    ProcedureHistory,
    ProcedureSummary,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import (
    FileSystemScript,
    GitScript,
    LifecycleMessage,
    ProcedureInput,
    ProcedureState,
)
from ska_oso_oet.procedure.environment import Environment
from ska_oso_oet.procedure.gitmanager import GitArgs
from ska_oso_oet.procedure.ui import make_public_procedure_summary
from ska_oso_oet.utils.ui import convert_request_dict_to_procedure_input

BASE = "http://localhost:5000/api/v1.0"
SCRIPT = FileSystemScript("file:///scripts/observe.py")


def procedure() -> ProcedureSummary:
    history = ProcedureHistory(process_states=[(ProcedureState.READY, 2.0)], stacktrace=None)
    calls = [ArgCapture("init", ProcedureInput(1, subarray_id=42), time=1.0)]
    return ProcedureSummary(1, SCRIPT, calls, history, ProcedureState.READY)  # type: ignore[call-arg]


def activity() -> ActivitySummary:
    return ActivitySummary(  # type: ignore[call-arg]
        3,
        1,
        "sbd-123",
        "observe",
        False,
        {"main": ProcedureInput(subarray_id=42)},
        [(ActivityState.REQUESTED, 1.0), (ActivityState.PREPARED, 2.0)],
    )


def test_a_procedure_summary_is_constructed_by_position() -> None:
    summary = procedure()
    assert (summary.id, summary.script, summary.state) == (1, SCRIPT, ProcedureState.READY)
    assert summary.script_args == [ArgCapture("init", ProcedureInput(1, subarray_id=42), 1.0)]
    assert summary.history.process_states == [(ProcedureState.READY, 2.0)]
    with pytest.raises(TypeError, match="at most 5 positional arguments"):
        ProcedureSummary(*[None] * 6)  # type: ignore[call-arg]


def test_an_activity_summary_is_constructed_by_position_and_is_in_its_last_state() -> None:
    summary = activity()
    assert (summary.id, summary.pid, summary.sbd_id) == (3, 1, "sbd-123")
    assert (summary.activity_name, summary.prepare_only) == ("observe", False)
    assert summary.script_args == {"main": ProcedureInput(subarray_id=42)}
    assert summary.state is ActivityState.PREPARED


def test_the_public_summaries_hold_the_addresses_of_the_resources() -> None:
    assert make_public_procedure_summary(procedure())["uri"] == f"{BASE}/procedures/1"
    assert make_public_activity_summary(activity())["uri"] == f"{BASE}/activities/3"
    elsewhere = "https://oet.example.org/subarrays/2/api/v1.0"
    assert make_public_procedure_summary(procedure(), elsewhere)["uri"] == f"{elsewhere}/procedures/1"


def test_commands_and_activities_are_constructed_by_position() -> None:
    arguments = ProcedureInput(1, subarray_id=42)
    assert PrepareProcessCommand(SCRIPT, arguments).init_args is arguments
    assert StartProcessCommand(1, "main", arguments).force_start is False
    assert StopProcessCommand(1, True).run_abort is True
    assert Activity(3, None, "sbd-123", "observe", False).procedure_id is None
    assert GitScript("git:///a.py", GitArgs(), create_env=True).git_args.git_branch == "master"


def test_a_request_gives_the_input_of_a_procedure() -> None:
    request = {"args": [1, 2], "kwargs": {"subarray_id": 42}}
    assert repr(convert_request_dict_to_procedure_input(request)) == "<ProcedureInput(1, 2, subarray_id=42)>"


def test_a_lifecycle_message_is_an_event_message() -> None:
    message = LifecycleMessage("1", ProcedureState.COMPLETE)
    assert isinstance(message, EventMessage)
    assert (message.msg_src, message.msg["state"]) == ("1", ProcedureState.COMPLETE)


def test_an_environment_is_what_it_was_given() -> None:
    creating, created = multiprocessing.Event(), multiprocessing.Event()
    environment = Environment("project-0123", creating, created, "/environments/x", "/environments/x/lib")
    created.set()
    assert (environment.env_id, environment.creating, environment.created.is_set()) == (
        "project-0123",
        creating,
        True,
    )
    assert (environment.location, environment.site_packages) == ("/environments/x", "/environments/x/lib")


def test_the_events_of_an_environment_are_seen_by_all_who_look_at_its_folder(tmp_path: Path) -> None:
    environment, other = Environment.at(tmp_path), Environment.at(tmp_path)
    assert environment == other
    assert not other.created.wait(0.01)
    environment.created.set()
    assert other.created.wait()
    other.created.clear()
    assert not environment.created.is_set()


def test_the_feature_flags_are_looked_up_once() -> None:
    assert isinstance(ska_oso_oet.FEATURES, Features)
    assert ska_oso_oet.FEATURES is ska_oso_oet.FEATURES
    with pytest.raises(AttributeError, match="no attribute 'FEATURE'"):
        _ = ska_oso_oet.FEATURE
