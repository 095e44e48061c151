"""States and arguments of an activity, from its Scheduling Block, its request and its procedure."""

import pytest

from ska_oso_oet.activity.domain import (
    Activity,
    ActivityRefusedError,
    ActivityState,
    activity_states,
    merge_arguments,
    require_overrides,
    to_script,
)
from ska_oso_oet.model import DEFAULT_REPOSITORY, GitArgs, ProcedureState
from ska_oso_oet.oda import SBActivity
from ska_oso_oet.procedure.domain import FileSystemScript, GitScript, ProcedureInput

CREATING, IDLE, READY, RUNNING = (
    ProcedureState.CREATING,
    ProcedureState.IDLE,
    ProcedureState.READY,
    ProcedureState.RUNNING,
)


def described(**more: object) -> SBActivity:
    return SBActivity.model_validate({"kind": "filesystem", "path": "file:///a.py", **more})


def test_a_user_overrides_keyword_arguments_one_by_one() -> None:
    activity = described(
        function_args={
            "init": {"args": [1, "foo"], "kwargs": {"foo": "foo", "kept": True}},
            "main": {"kwargs": {"scans": 3}},
        }
    )
    overrides = {"init": ProcedureInput(foo="bar", added=None), "main": ProcedureInput(scans=4)}
    assert merge_arguments(activity, overrides, "/sb.json") == {
        "init": ProcedureInput(1, "foo", foo="bar", kept=True, added=None),
        "main": ProcedureInput(scans=4, sb_json="/sb.json"),
    }


def test_main_gets_the_scheduling_block_though_nobody_speaks_of_main() -> None:
    assert merge_arguments(described(), {}, "/sb.json") == {"main": ProcedureInput(sb_json="/sb.json")}


def test_a_scheduling_block_may_use_the_older_name_of_main() -> None:
    activity = described(function_args={"run": {"args": [7]}})
    assert merge_arguments(activity, {}, "/sb.json") == {"main": ProcedureInput(7, sb_json="/sb.json")}


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        ({"init": ProcedureInput(1)}, "positional arguments of init.*give arguments by name"),
        ({"main": ProcedureInput(sb_json="/mine.json")}, "'sb_json'.*sbd_uri"),
    ],
)
def test_what_cannot_be_overridden(given: dict[str, ProcedureInput], reported: str) -> None:
    with pytest.raises(ActivityRefusedError, match=reported):
        require_overrides(given)


def test_a_file_of_the_same_argument_name_elsewhere_is_nobodys_business() -> None:
    require_overrides({"init": ProcedureInput(sb_json="/mine.json")})


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([CREATING, IDLE], []),
        ([CREATING, IDLE, RUNNING], []),
        ([CREATING, IDLE, RUNNING, READY], ["PREPARED"]),
        (
            [CREATING, IDLE, READY, RUNNING, READY, ProcedureState.COMPLETE],
            ["PREPARED", "RUNNING", "COMPLETE"],
        ),
        ([CREATING, IDLE, RUNNING, ProcedureState.FAILED], ["FAILED"]),
        ([CREATING, READY, ProcedureState.STOPPED], ["PREPARED", "STOPPED"]),
        ([CREATING, READY, RUNNING, ProcedureState.UNKNOWN], ["PREPARED", "RUNNING", "FAILED"]),
    ],
)
def test_states_follow_from_those_of_the_procedure(states: list[ProcedureState], expected: list[str]) -> None:
    history = [(state, float(index)) for index, state in enumerate(states)]
    assert [state for state, _ in activity_states(history)] == expected


def test_states_have_the_times_of_the_procedure() -> None:
    history = [(CREATING, 1.0), (RUNNING, 2.0), (READY, 3.0), (RUNNING, 4.0), (READY, 5.0)]
    assert activity_states(history) == [(ActivityState.PREPARED, 3.0), (ActivityState.RUNNING, 4.0)]


def test_an_activity_enters_each_state_once_and_none_after_the_end() -> None:
    activity = Activity(1, None, "sbd-123", "observe", False)
    prepared = (ActivityState.PREPARED, 2.0)
    assert activity.enter([prepared]) == [ActivityState.PREPARED]
    assert activity.enter([prepared, (ActivityState.STOPPED, 3.0)]) == [ActivityState.STOPPED]
    assert activity.enter([(ActivityState.FAILED, 4.0)]) == []
    assert [state for state, _ in activity.activity_states] == ["REQUESTED", "PREPARED", "STOPPED"]


def test_the_script_of_a_file() -> None:
    assert to_script(described(path="file://observe.py"), create_env=False) == FileSystemScript(
        "file://observe.py"
    )
    with pytest.raises(ActivityRefusedError, match="'create_env' is for scripts in git"):
        to_script(described(), create_env=True)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, GitArgs(DEFAULT_REPOSITORY, None, None)),
        ({"repo": "https://host/r.git", "branch": "b"}, GitArgs("https://host/r.git", "b", None)),
        ({"commit": "c0ffee"}, GitArgs(DEFAULT_REPOSITORY, None, "c0ffee")),
    ],
)
def test_the_script_of_a_repository(place: dict[str, str], expected: GitArgs) -> None:
    activity = described(kind="git", path="git:///scripts/observe.py", **place)
    assert to_script(activity, create_env=True) == GitScript("git:///scripts/observe.py", expected, True)
