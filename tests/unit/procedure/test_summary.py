"""Summaries cross borders and come back."""

import json

import pytest

from ska_oso_oet.model import GitArgs, ProcedureFile, ProcedurePhase, ProcedureRequest, with_call
from ska_oso_oet.procedure.application import ArgCapture, ProcedureHistory, ProcedureSummary
from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
    ProcedureState,
)
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
def test_lists_have_all_of_a_summary_but_the_text_of_its_script(script: ExecutableScript) -> None:
    original = summary(script)
    whole, listed = original.model_dump(mode="json"), original.in_lists().model_dump(mode="json")
    if isinstance(script, EmbeddedStringScript):
        uri = "embedded:f6871893350e"
        assert whole["script"].pop("script") == script.script
        assert listed["script"] == whole["script"] == {"script_type": "embedded", "script_uri": uri}
        assert listed.pop("truncated") == ["script"]
    assert listed == whole
    assert ProcedureSummary.model_validate_json(json.dumps(listed)).model_dump(mode="json") == listed


def test_lists_have_no_long_results_and_few_files() -> None:
    files = [ProcedureFile(str(number), 1) for number in range(17)]
    short = summary(SCRIPTS[0]).model_copy(update={"result": "x" * 1000, "files": files[:16]})
    assert short.in_lists() is short
    listed = short.model_copy(update={"result": "x" * 1100, "files": files}).in_lists()
    assert (listed.result, listed.files, listed.truncated) == (None, files[:16], ["result", "files"])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: type(script).__name__)
def test_a_summary_survives_its_journey(script: ExecutableScript) -> None:
    original = summary(script)
    assert ProcedureSummary.model_validate_json(original.model_dump_json()) == original


def test_the_public_form_is_that_of_the_contract() -> None:
    public = make_public_procedure_summary(summary(SCRIPTS[2]))
    assert json.loads(json.dumps(public)) == {
        "id": 7,
        "uri": "http://localhost:5000/api/v1.0/procedures/7",
        "script": {
            "script_type": "git",
            "script_uri": "git:///a/b.py",
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
        "subarray_id": None,
        "requested_by": None,
        "started_by": None,
        "stopped_by": None,
        "queue_entry": None,
        "checkpoint": None,
        "at_checkpoint": None,
        "result": None,
        "result_omitted": None,
        "files": [],
        "files_omitted": 0,
        "script_sha256": None,
        "commit": None,
        "environment": None,
    }


def test_the_newest_arguments_of_a_function() -> None:
    known = summary()
    calls = with_call(known.script_args, ArgCapture("main", ProcedureInput("newer"), time=2.0))
    made = known.entering(ProcedureState.RUNNING, 2.0, script_args=calls)
    assert made.arguments_of("main") == ProcedureInput("newer")
    assert made.arguments_of("init") == ProcedureInput(1, subarray_id=2)
    assert made.arguments_of("other") is None


def test_a_summary_does_not_change() -> None:
    before = summary()
    text = before.model_dump_json()
    before.entering(ProcedureState.UNKNOWN, 3.0, "its server died")
    with_call(before.script_args, ArgCapture("main", ProcedureInput("newer"), time=2.0))
    assert before.model_dump_json() == text


PHASES = {
    "PREPARING": ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING"],
    "READY": ["RUNNING", "READY"],
    "MAIN": ["RUNNING", "READY", "RUNNING"],
    "ENDED": ["RUNNING", "READY", "RUNNING", "READY", "COMPLETE"],
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_phase_tells_init_from_main(phase: str) -> None:
    states = [(ProcedureState(state), 1.0) for state in PHASES[phase]]
    made = summary().model_copy(update={"history": ProcedureHistory(states), "state": states[-1][0]})
    assert made.phase == phase
    assert made.main_began is (phase in ("MAIN", "ENDED"))


def test_main_goes_on_until_its_end_is_announced() -> None:
    states = [(ProcedureState(state), 1.0) for state in ("READY", "RUNNING", "READY")]
    made = summary().model_copy(update={"history": ProcedureHistory(states), "state": ProcedureState.READY})
    assert made.phase is ProcedurePhase.MAIN


def test_a_procedure_that_failed_before_main() -> None:
    assert summary().main_began is False
    assert summary().was_ready is False
    assert summary().failure_line == "Traceback"


def test_a_record_of_an_older_version_can_be_read() -> None:
    script = {"script_type": "filesystem", "script_uri": "file:///a.py", "script": None, "git_args": None}
    values = {**json.loads(summary().model_dump_json()), "script": {**script, "create_env": None}}
    assert ProcedureSummary.model_validate(values).script == FileSystemScript("file:///a.py")


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
