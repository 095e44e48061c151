"""Refusals of the controller: each with a reason of its own, and without side effects."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import Uris
from tests.support.lrc_client import invoke
from tests.support.operator import Operator, RefusedError


@contextmanager
def nothing_changes(operator: Operator) -> Iterator[None]:
    """What is tried in this context leaves no trace, and the controller as able as it was."""
    before = _look(operator)
    yield
    assert _look(operator) == before
    assert operator.controller.State() == tango.DevState.ON


def _look(operator: Operator) -> list[Any]:
    shown = operator.controller
    finished = [json.loads(text)["uid"] for text in shown.lrcFinished]
    return [shown.lastProcedure, shown.lastEventId, shown.procedures, shown.lrcExecuting, finished]


def refusal(operator: Operator, command: str, argument: str) -> tuple[str, str]:
    """Return reason and sentence of the refusal of a command."""
    with nothing_changes(operator), pytest.raises(tango.DevFailed) as raised:
        operator.controller.command_inout(command, argument)
    error = raised.value.args[0]
    assert error.origin == f"OETController.{command}"
    return str(error.reason), str(error.desc)


@pytest.fixture(scope="module", autouse=True)
def _one_procedure_is_there(controller: tango.DeviceProxy, script_root: Path) -> None:
    """There is a procedure that a wrong request could be taken to mean."""
    with invoke(controller, "Create", (script_root / "prints.py").as_uri()) as call:
        # It is over when its last trace is there: what is looked at then does not change by itself.
        call.wait_for_end()
        assert call.id.endswith("_1_Create")


def embedded(text: str, **script_args: Any) -> str:
    return json.dumps({"script": {"script_type": "embedded", "script": text}, "script_args": script_args})


def with_argument(value: Any) -> str:
    return embedded("def main(a): ...", main={"args": [value]})


INVALID = "OET_InvalidArgument"
CREATE = {
    "nothing": ("", INVALID, "give the URI of a script, e.g. file:///scripts/observe.py"),
    "malformed": ('{"script": ', INVALID, "not valid JSON"),
    "a list": (
        "[1, 2]",
        INVALID,
        "'[1, 2]' is not a script URI of this kind: write file:///path/to/script.py",
    ),
    "no scheme": ("/scripts/observe.py", INVALID, "write file:///path/to/script.py"),
    "unknown scheme": ("http://example.org/a.py", INVALID, "write file:///path/to/script.py"),
    "unknown field": ('{"script_uri": "file:///a.py", "colour": 1}', INVALID, "colour: there is no"),
    "wrong type": ('{"script": {"script_uri": 7}}', INVALID, "script.script_uri: "),
    "unknown type": ('{"script": {"script_type": "shell", "script_uri": "x"}}', INVALID, "script_type"),
    "unknown function": ('{"script_uri": "x", "script_args": {"fly": {}}}', INVALID, "script_args.fly"),
    "zero byte": ("file:///a%00.py", INVALID, "cannot contain a NUL"),
    "half a character": (with_argument("\ud800"), INVALID, "contains half a character"),
    "huge number": (with_argument(2**70), INVALID, "does not fit into 64 bits"),
    "deep": (with_argument(json.loads("[" * 90 + "]" * 90)), INVALID, "nested too deeply"),
    "long": (embedded("#" * (1 << 20)), INVALID, "1048576 are allowed"),
    "outside": ("file:///etc/passwd", "OET_ScriptNotAllowed", "the property ScriptRoots"),
    "git": ("git:///a.py", "OET_ScriptNotAllowed", "git"),
    "no python": (embedded("def main(:"), "OET_ScriptDefective", "in line 1"),
    "compiler": (embedded("def main(): ...\nreturn"), "OET_ScriptDefective", "in line 2: 'return' outside"),
    "deep code": (embedded("def main(): ...\n" + "-" * 50_000 + "1"), "OET_ScriptDefective", "deeply nested"),
    "no main": (embedded("def observe(): ..."), "OET_ScriptDefective", "define what is to run as main()"),
    "misfit of init": (
        embedded("def init(subarray_id): ...\ndef main(): ...", init={"kwargs": {"subaray_id": 1}}),
        "OET_ArgumentsDoNotFit",
        "init() do not fit: missing a required argument: 'subarray_id'",
    ),
    "wrong type for init": (
        embedded("def init(n: int): ...\ndef main(): ...", init={"kwargs": {"n": "three"}}),
        "OET_ArgumentsDoNotFit",
        "init() do not fit: n is 'three', and should be a valid integer; the script defines init(n: int)",
    ),
    "misfit of main": (
        embedded("def main(target): ...", main={"args": [1, 2]}),
        "OET_ArgumentsDoNotFit",
        "main() do not fit: too many positional arguments; the script defines main(target)",
    ),
}


@pytest.mark.parametrize("case", CREATE)
def test_what_create_refuses(operator: Operator, case: str) -> None:
    argument, reason, sentence = CREATE[case]
    found, reported = refusal(operator, "Create", argument)
    assert found == reason
    assert sentence in reported


@pytest.mark.parametrize(
    ("script", "reason", "sentence"),
    [
        ("gone", "OET_ScriptNotFound", "check the path of"),
        ("broken", "OET_ScriptDefective", "broken.py is not valid Python in line 1"),
        ("no_main", "OET_ScriptDefective", "no_main.py has no function main()"),
        ("needs_arguments", "OET_ArgumentsDoNotFit", "'subarray_id'"),
    ],
)
def test_files_that_create_refuses(
    operator: Operator, uri: Uris, script_root: Path, script: str, reason: str, sentence: str
) -> None:
    target = (script_root / "gone.py").as_uri() if script == "gone" else uri(script)
    found, reported = refusal(operator, "Create", target)
    assert found == reason
    assert sentence in reported


def test_links_and_dots_out_of_a_root_are_refused(
    operator: Operator, script_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.py").write_text("def main(): ...\n")
    link = script_root / "link.py"
    link.symlink_to(tmp_path / "secret.py")
    try:
        for target in (link.as_uri(), f"file://{script_root}/../{tmp_path.name}/secret.py"):
            assert refusal(operator, "Create", target)[0] == "OET_ScriptNotAllowed"
        assert link.as_uri() not in operator.controller.scripts
    finally:
        link.unlink()


@pytest.mark.parametrize("command", ["Start", "Stop"])
@pytest.mark.parametrize(
    ("argument", "reason", "sentence"),
    [
        ("two", INVALID, "'two' is not a procedure ID: give nothing, an ID, e.g. 2, or a JSON object"),
        ("true", INVALID, "is not a procedure ID"),
        ("0", INVALID, "greater than or equal to 1"),
        ("-1", INVALID, "is not a procedure ID"),
        ('{"pid": "1"}', INVALID, "pid: Input should be a valid integer"),
        ('{"pid": 1', INVALID, "not valid JSON"),
        ('{"id": 1}', INVALID, "id: there is no such field"),
        ("99999", "OET_ProcedureNotFound", "No information available for PID=99999"),
        (str(2**63 - 1), "OET_ProcedureNotFound", "No information available"),
        (str(2**64), INVALID, "does not fit into 64 bits"),
    ],
)
def test_what_start_and_stop_refuse(
    operator: Operator, command: str, argument: str, reason: str, sentence: str
) -> None:
    found, reported = refusal(operator, command, argument)
    assert found == reason
    assert sentence in reported


@pytest.mark.parametrize(
    ("command", "argument", "reason", "sentence"),
    [
        ("Start", {"pid": 1, "script_args": {"init": {}}}, INVALID, "are given to Create"),
        ("Start", {"pid": 1, "script_args": {"main": {}, "run": {}}}, INVALID, "not of both"),
        ("Stop", {"pid": 1, "abort": "no"}, INVALID, "abort: Input should be a valid boolean"),
        ("GetEvents", {"after": -1}, INVALID, "after: "),
        ("GetEvents", {"limit": 100_000}, INVALID, "limit: "),
        ("GetEvents", {"since": 1}, INVALID, "since: there is no such field"),
        ("GetEvents", [1], INVALID, "a JSON object was expected"),
        ("GetOutput", {"pid": True}, INVALID, "pid: "),
        ("GetOutput", {"pid": 99_999}, "OET_ProcedureNotFound", "No information available for PID=99999"),
    ],
)
def test_what_else_is_refused(
    operator: Operator, command: str, argument: Any, reason: str, sentence: str
) -> None:
    found, reported = refusal(operator, command, json.dumps(argument))
    assert found == reason
    assert sentence in reported


def test_arguments_that_do_not_fit_leave_a_procedure_ready(operator: Operator, uri: Uris) -> None:
    args = {"init": {"kwargs": {"subarray_id": 1}}}
    pid = operator.prepare({"script_uri": uri("needs_arguments"), "script_args": args})
    for kwargs, sentence in (
        ({}, "missing a required argument: 'target'"),
        ({"target": "Vega", "colour": "red"}, "unexpected keyword argument 'colour'"),
    ):
        with pytest.raises(tango.DevFailed, match=sentence) as raised:
            operator.start(pid, **kwargs)
        assert raised.value.args[0].reason == "OET_ArgumentsDoNotFit"
        assert operator.describe(pid)["state"] == "READY"
    operator.start(pid, "Vega")
    operator.wait_for_state(pid, "COMPLETE")


def test_a_signature_that_only_the_loaded_script_knows_is_held_against_arguments_too(
    operator: Operator,
) -> None:
    source = "import functools\ndef run(a, b: int): ...\nmain = functools.partial(run, 1)"
    pid = operator.prepare(embedded(source))
    for args, sentence in (
        ([], "missing a required argument: 'b'"),
        (["x"], "b is 'x', and should be a valid integer"),
    ):
        with pytest.raises(tango.DevFailed, match=sentence) as raised:
            operator.start(pid, *args)
        assert raised.value.args[0].reason == "OET_ArgumentsDoNotFit"
        assert operator.describe(pid)["state"] == "READY"
    operator.start(pid, 2)
    operator.wait_for_state(pid, "COMPLETE")


def test_what_the_state_of_a_procedure_forbids(operator: Operator, uri: Uris) -> None:
    preparing = operator.create(uri("init_waits"))
    operator.wait_for_topic(preparing, "procedure.lifecycle.started")
    with pytest.raises(RefusedError, match=f"^procedure {preparing} is RUNNING: wait until it is READY$"):
        operator.send("Start", str(preparing))
    operator.stop(preparing)

    running = operator.run(uri("waits"), state="RUNNING")
    other = operator.prepare(uri("prints"))
    with pytest.raises(RefusedError, match=f"^procedure {running} has been started already$"):
        operator.send("Start", str(running))
    with pytest.raises(RefusedError, match=rf"^procedure {running} \(waits\.py\) is running: wait until"):
        operator.send("Start", str(other))
    operator.stop(running)

    for command, sentence in (
        ("Start", f"^procedure {running} has ended: create it again$"),
        ("Stop", f"^Cannot stop script with ID {running}: Script is not running$"),
    ):
        with nothing_changes(operator), pytest.raises(RefusedError, match=sentence):
            operator.send(command, str(running))
    with nothing_changes(operator), pytest.raises(RefusedError, match=r"^no script is running: name"):
        operator.send("Stop", "")
    operator.send("Start", str(other))
    operator.wait_for_state(other, "COMPLETE")


def test_a_controller_that_is_not_in_use_says_how_to_change_that(operator: Operator, uri: Uris) -> None:
    controller = operator.controller
    controller.adminMode = "OFFLINE"
    try:
        assert controller.State() == tango.DevState.DISABLE
        for command, argument in (("Create", uri("prints")), ("Start", ""), ("Create", "{")):
            with pytest.raises(RefusedError, match=r"in state DISABLE\. Set adminMode to ONLINE first\."):
                operator.send(command, argument)
        assert json.loads(controller.procedures), "one can still read"
    finally:
        controller.adminMode = "ONLINE"
    operator.run(uri("prints"))


def test_a_script_can_be_stopped_though_the_controller_was_taken_out_of_use(
    operator: Operator, uri: Uris
) -> None:
    pid = operator.run(uri("waits"), state="RUNNING")
    operator.controller.adminMode = "OFFLINE"
    try:
        operator.stop(pid)
    finally:
        operator.controller.adminMode = "ONLINE"


def test_script_that_a_request_contains_is_refused_unless_a_property_allows_it(
    fresh: tango.DeviceProxy,
) -> None:
    fresh.delete_property("AllowEmbeddedScripts")
    fresh.Init()
    with pytest.raises(tango.DevFailed, match=r"AllowEmbeddedScripts.*script roots") as refused:
        fresh.Create(embedded("def main(): ...\n"))
    assert refused.value.args[0].reason == "OET_ScriptNotAllowed"
    assert fresh.lastProcedure == 0
