"""Requests to prepare scripts: both forms of the POST body, and what is refused."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ska_oso_oet.model import (
    ExecutableScript,
    FileSystemScript,
    GitArgs,
    GitScript,
    ProcedureInput,
    ProcedureRequest,
    ProcedureState,
    ProcedureSummary,
    script_from_json,
    script_to_json,
)

URI = "file:///scripts/observe.py"


def request(**fields: Any) -> ProcedureRequest:
    return ProcedureRequest.model_validate(fields)


def script(**fields: Any) -> ExecutableScript:
    return script_from_json(fields)


def test_the_form_of_the_rest_contract() -> None:
    made = request(
        script={"script_type": "filesystem", "script_uri": URI},
        script_args={"init": {"args": [1], "kwargs": {"subarray_id": 2}}, "main": {"kwargs": {"scans": 3}}},
    )
    assert made.script == FileSystemScript(URI)
    assert made.script_args == {
        "init": ProcedureInput(1, subarray_id=2),
        "main": ProcedureInput(scans=3),
    }


def test_the_form_of_the_documentation() -> None:
    args = {"init": {"args": [1, 2]}}
    assert request(script_uri=URI, script_args=args) == request(script={"script_uri": URI}, script_args=args)


def test_the_two_forms_do_not_mix() -> None:
    with pytest.raises(ValidationError, match="script_uri"):
        request(script_uri=URI, script={"script_uri": URI})


def test_run_is_a_synonym_of_main() -> None:
    made = request(script_uri=URI, script_args={"run": {"args": [1]}, "init": {}})
    assert made.script_args == {"main": ProcedureInput(1), "init": ProcedureInput()}


def test_run_and_main_together_are_ambiguous() -> None:
    with pytest.raises(ValidationError, match="'main' or of its synonym 'run', not of both"):
        request(script_uri=URI, script_args={"run": {}, "main": {}})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"script": URI},
        {"script": {"script_uri": URI, "colour": "red"}},
        {"script_uri": URI, "colour": "red"},
        {"script_uri": URI, "script_args": {"fly": {}}},
        {"script_uri": URI, "script_args": {"main": {"arguments": []}}},
        {"script_uri": URI, "script_args": {"main": {"args": {"a": 1}}}},
        {"script_uri": URI, "script_args": {"main": {"args": "abc"}}},
        {"script_uri": URI, "script_args": {"main": {"kwargs": [1]}}},
        {"script_uri": URI, "script_args": {"main": [1]}},
        {"script_uri": URI, "script_args": [1]},
        {"script_uri": 7},
        {"script": {"script_type": "shell", "script_uri": URI}},
    ],
    ids=json.dumps,
)
def test_requests_that_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        request(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"script_uri": URI},
        {"script_type": "filesystem", "script_uri": URI},
        {"script_type": "filesystem", "script_uri": URI, "create_env": False},
        {"script_type": "git", "script_uri": "git:///a.py"},
        {
            "script_type": "git",
            "script_uri": "git:///a.py",
            "git_args": {"git_branch": "x"},
            "create_env": True,
        },
        {"script_type": "embedded", "script": "def main(): ..."},
    ],
    ids=json.dumps,
)
def test_fields_that_fit_the_type_of_script(fields: dict[str, Any]) -> None:
    script(**fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"script_type": "embedded"}, "gives its text as 'script'"),
        ({"script_type": "embedded", "script": "pass", "script_uri": URI}, "and no 'script_uri'"),
        ({"script_type": "filesystem"}, "a filesystem script gives a 'script_uri'"),
        ({"script_type": "git"}, "a git script gives a 'script_uri'"),
        ({"script_uri": URI, "script": "pass"}, "and no 'script'"),
        ({"script_uri": URI, "git_args": {}}, "belong to a script of type 'git'"),
        ({"script_uri": URI, "create_env": True}, "belong to a script of type 'git'"),
        ({"script_type": "git", "script_uri": URI}, "is not a script URI of this kind"),
        ({"script_type": "git", "script_uri": "git:///a.py", "create_env": "maybe"}, "create_env"),
        ({"script_type": "git", "script_uri": "git:///a.py", "create_env": "yes"}, "create_env"),
    ],
    ids=str,
)
def test_fields_that_do_not_fit_the_type_of_script(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        script(**fields)


def test_git_arguments_are_complete_whatever_was_given() -> None:
    made = script(script_type="git", script_uri="git:///a.py", git_args={"git_branch": "main"})
    assert script_to_json(made)["git_args"] == {
        "git_repo": GitArgs().git_repo,
        "git_branch": "main",
        "git_commit": None,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"git_args": None},
        {"git_args": {}},
        {"git_args": {"git_branch": None}},
        {"git_args": {"git_repo": "https://example.org/r"}},
    ],
    ids=json.dumps,
)
def test_json_that_names_no_branch_means_the_default_branch(fields: dict[str, Any]) -> None:
    made = script(script_type="git", script_uri="git:///a.py", **fields)
    git_args = script_to_json(made)["git_args"]
    assert set(git_args) == {"git_repo", "git_branch", "git_commit"}
    assert git_args["git_branch"] is None
    # What is in a journal, or comes from Python, names its branch.
    made = GitScript("git:///a.py", GitArgs())
    assert script_from_json(script_to_json(made)) == made


def test_a_local_path_is_the_url_of_its_repository() -> None:
    args = GitArgs(git_repo="/srv/my git/a.git")
    assert args.repository == "file:///srv/my%20git/a.git"
    assert args.git_repo == "/srv/my git/a.git"


def test_a_summary_survives_its_journey() -> None:
    summary = {
        "id": 3,
        "script": {"script_type": "embedded", "script": "def main(): ..."},
        "script_args": {"main": {"args": [1, None, {"a": []}], "kwargs": {"self": 1}}},
        "history": {"process_states": [["CREATING", 1.5], ["FAILED", 2.5]], "stacktrace": "Größe 🚀"},
        "state": "FAILED",
        "created": 1.25,
    }
    made = ProcedureSummary.model_validate(summary)
    assert made.state is ProcedureState.FAILED
    assert ProcedureSummary.model_validate_json(made.model_dump_json()) == made
    dumped = json.loads(made.model_dump_json())
    assert dumped["history"] == summary["history"]


def test_the_states_that_end() -> None:
    ended = {state.name for state in ProcedureState if state.is_final}
    assert ended == {"UNKNOWN", "STOPPED", "COMPLETE", "FAILED"}
