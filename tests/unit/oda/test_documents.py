"""Parts of a Scheduling Block that the OET interprets."""

import json
from typing import Any

import pytest

from ska_oso_oet.model import ProcedureInput
from ska_oso_oet.oda import InvalidActivityError, SBDefinition, SBInstance, ScriptKind, UnknownActivityError

GIT = {"kind": "git", "path": "git:///scripts/observe.py", "repo": "https://host/x.git", "branch": "main"}


def definition(**activities: Any) -> SBDefinition:
    document = {
        "sbd_id": "sbd-123",
        "metadata": {"version": 2},
        "activities": activities,
        "telescope": "ska_mid",
    }
    return SBDefinition.from_document(document, "the test")


def test_an_activity_without_arguments() -> None:
    activity = definition(observe=GIT).activity("observe")
    assert (activity.kind, activity.path) == (ScriptKind.GIT, "git:///scripts/observe.py")
    assert (activity.repo, activity.branch, activity.commit) == ("https://host/x.git", "main", None)
    assert activity.function_args == {}


@pytest.mark.parametrize("name", ["main", "run"])
def test_arguments(name: str) -> None:
    given = {"init": {"args": [1], "kwargs": {}}, name: {"kwargs": {"foo": "bar"}}}
    activity = definition(observe={**GIT, "function_args": given}).activity("observe")
    assert activity.function_args["init"].args == (1,)
    assert activity.function_args["main"].kwargs == {"foo": "bar"}


def test_an_unknown_activity_is_answered_with_those_that_are() -> None:
    with pytest.raises(UnknownActivityError, match="no activity 'obsreve'; it has: allocate, observe"):
        definition(observe=GIT, allocate=GIT).activity("obsreve")
    with pytest.raises(UnknownActivityError, match="no activities at all"):
        definition().activity("observe")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "svn"}, "kind: Input should be 'filesystem' or 'git'"),
        ({"path": 1}, "path: Input should be a valid string"),
        ({"path": None}, "path: this field is missing"),
        ({"kind": "filesystem"}, "the path of a filesystem script begins with 'file://'"),
        ({"path": "/scripts/observe.py"}, "the path of a git script begins with 'git://'"),
        ({"function_args": {"teardown": {}}}, "function_args"),
        ({"function_args": {"main": {"args": 1}}}, r"function_args\.main\.args"),
    ],
)
def test_a_defective_activity_leaves_the_others_usable(change: dict[str, Any], reason: str) -> None:
    block = definition(broken={**GIT, **change}, observe=GIT)
    assert block.activity("observe").kind is ScriptKind.GIT
    with pytest.raises(
        InvalidActivityError, match=f"'broken' of Scheduling Block sbd-123 is defective: .*{reason}"
    ):
        block.activity("broken")


def test_what_is_null_is_not_given() -> None:
    given = {"init": None, "main": {"args": None, "kwargs": {"target": None}}}
    block = definition(observe={**GIT, "commit": None, "function_args": given}, allocate=GIT)
    assert block.activity("observe").function_args == {"main": ProcedureInput(target=None)}
    assert definition(observe={**GIT, "function_args": None}).activity("observe").function_args == {}
    empty = SBDefinition.from_document({"sbd_id": "sbd-1", "metadata": None, "activities": None}, "the test")
    assert (empty.version, empty.activities) == (None, {})


def test_what_is_no_activity_at_all_leaves_the_others_usable() -> None:
    block = definition(broken="observe.py", observe=GIT)
    assert block.activity("observe").kind is ScriptKind.GIT
    with pytest.raises(InvalidActivityError, match="'broken' of Scheduling Block sbd-123 is defective"):
        block.activity("broken")


def test_writing_it_out_changes_nothing() -> None:
    text = json.dumps(
        {"z": [1, 2.50, None, "ü"], "sbd_id": "sbd-1", "activities": {"a": {"kind": "new", "x": {}}}}
    )
    written = SBDefinition.from_json(text, "the test").to_json()
    assert json.dumps(json.loads(written)) == text  # order of keys included


def test_the_record_of_an_activity() -> None:
    arguments = {"main": ProcedureInput(foo=1)}
    instance = SBInstance.of_activity(definition(observe=GIT), "observe", arguments)
    assert (instance.sbd_id, instance.sbd_version, instance.telescope) == ("sbd-123", 2, "ska_mid")
    (activity,) = instance.model_dump(mode="json")["activities"]
    assert activity["activity_ref"] == "observe"
    assert activity["runtime_args"] == [
        {"function_name": "main", "function_args": {"args": [], "kwargs": {"foo": 1}}}
    ]
    assert instance.sbi_id != SBInstance.of_activity(definition(), "observe", {}).sbi_id
