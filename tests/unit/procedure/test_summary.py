"""Summaries cross borders and come back."""

import dataclasses
import json

import pytest

from ska_oso_oet.model import Procedure, ProcedureRequest
from ska_oso_oet.procedure.application import ArgCapture, ProcedureHistory, ProcedureSummary
from ska_oso_oet.procedure.application.recorder import to_document
from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
    ProcedureState,
)
from ska_oso_oet.procedure.gitmanager import GitArgs
from ska_oso_oet.procedure.ui import make_public_procedure_summary, to_prepare_command

SCRIPTS = [
    FileSystemScript("file:///scripts/observe.py"),
    EmbeddedStringScript("def main(): print('🚀')"),
    GitScript(
        "git:///a/b.py", GitArgs(git_repo="https://example.org/r.git", git_commit="1f3a"), create_env=True
    ),
]


def summary(script: ExecutableScript = SCRIPTS[0]) -> ProcedureSummary:
    return ProcedureSummary(
        id=7,
        script=script,
        script_args=[
            ArgCapture("init", ProcedureInput(1, subarray_id=2)),
            ArgCapture("main", ProcedureInput([1, None], {"a": 1.5}, self="it")),
        ],
        history=ProcedureHistory(
            [(ProcedureState.CREATING, 1.5), (ProcedureState.FAILED, 2.25)], "Traceback\n  🚀\n"
        ),
        state=ProcedureState.FAILED,
        created=1.25,
        command_id="1.5_7_Create",
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: type(script).__name__)
def test_a_summary_survives_its_journey(script: ExecutableScript) -> None:
    original = summary(script)
    text = original.to_model().model_dump_json()
    assert ProcedureSummary.from_model(Procedure.model_validate_json(text)) == original


def test_the_public_form_is_that_of_the_contract() -> None:
    public = make_public_procedure_summary(summary(SCRIPTS[2]))
    assert json.loads(json.dumps(public)) == {
        "id": 7,
        "uri": None,
        "script": {
            "script_type": "git",
            "script_uri": "git:///a/b.py",
            "script": None,
            "git_args": {
                "git_repo": "https://example.org/r.git",
                "git_branch": "master",
                "git_commit": "1f3a",
            },
            "create_env": True,
        },
        "script_args": {
            "init": {"args": [1], "kwargs": {"subarray_id": 2}},
            "main": {"args": [[1, None], {"a": 1.5}], "kwargs": {"self": "it"}},
        },
        "history": {
            "process_states": [["CREATING", 1.5], ["FAILED", 2.25]],
            "stacktrace": "Traceback\n  🚀\n",
        },
        "state": "FAILED",
        "created": 1.25,
        "command_id": "1.5_7_Create",
    }


def test_the_newest_arguments_of_a_function() -> None:
    made = summary()
    made.script_args.append(ArgCapture("main", ProcedureInput("newer")))
    assert made.arguments_of("main") == ProcedureInput("newer")
    assert made.arguments_of("init") == ProcedureInput(1, subarray_id=2)
    assert made.arguments_of("other") is None


def test_a_document_lives_as_long_as_its_procedure() -> None:
    made = summary()
    for state in ProcedureState:
        document = to_document(dataclasses.replace(made, state=state))
        assert (document.kind, document.id, document.live) == ("procedure", 7, not state.is_final)


def test_a_request_becomes_a_command() -> None:
    request = ProcedureRequest.model_validate(
        {"script_uri": "file:///a.py", "script_args": {"init": {"args": [1]}, "run": {"kwargs": {"name": 2}}}}
    )
    command = to_prepare_command(request)
    assert command.script == FileSystemScript("file:///a.py")
    assert command.init_args == ProcedureInput(1)
    assert command.main_args == ProcedureInput(name=2)


def test_arguments_that_were_not_given_are_no_arguments() -> None:
    command = to_prepare_command(ProcedureRequest.model_validate({"script_uri": "file:///a.py"}))
    assert command.init_args == ProcedureInput()
    assert command.main_args is None
