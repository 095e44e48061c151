"""Scripts from their creation to their end in one command, and creations that are waited for."""

import json
import re
import signal
from pathlib import Path

import pytest
from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack
from tests.support.patience import PATIENCE

SCRIPT = """
import os, time
from pubsub import pub
from ska_oso_oet.event import topics

GREETING = []

def init(greeting="hello", wait_for=None, subarray_id=0):
    print("init", greeting)
    if greeting == "no":
        raise ValueError("no greeting")
    GREETING.append(greeting)

def main(name, times=1, then="end", wait_for=None):
    for _ in range(times):
        print(GREETING[0], name)
    pub.sendMessage(topics.user.script.announce, msg="greeted")
    while wait_for and not os.path.exists(wait_for):
        time.sleep(0.01)
    if then == "fail":
        raise RuntimeError("out of words")
"""


@pytest.fixture(scope="module")
def script(place: OetStack) -> str:
    (place.scripts / "greets.py").write_text(SCRIPT)
    return place.uri("greets")


def _state_of_last(invoke: OetInProcess) -> str:
    return table_rows(invoke("procedure", "list").stdout)[-1][3]


def test_a_script_runs_from_its_creation_to_its_end(invoke: OetInProcess, script: str) -> None:
    shown = invoke("run", script, "Bob", "--times=2", "--init.greeting=good morning").stdout
    assert [line for line in shown.splitlines() if line.startswith("| ")] == [
        "| init good morning",
        "| good morning Bob",
        "| good morning Bob",
    ]
    assert re.search(r"  user\.script\.announce +#\d+  greeted\n", shown)
    assert re.search(r"procedure\.lifecycle\.statechange +#\d+  LOADING\n", shown)
    assert re.search(r"\nProcedure \d+ is COMPLETE\n$", shown)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--init.greeting=no", "Bob"), "ValueError: no greeting"),
        (("Bob", "--then=fail"), "RuntimeError: out of words"),
    ],
)
def test_a_failure_in_either_function_is_the_exit_status(
    invoke: OetInProcess, script: str, arguments: tuple[str, ...], reason: str
) -> None:
    failed = invoke("run", script, *arguments, status=1)
    assert re.fullmatch(rf"Error: Procedure \d+ is FAILED: {reason}\n", failed.stderr)
    assert "| init " in failed.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("Bob", "--speed=3"), "speed"),
        (("Bob", "--init.speed=3"), "speed"),
        ((), "name"),
    ],
)
def test_arguments_that_do_not_fit_create_nothing(
    invoke: OetInProcess, script: str, arguments: tuple[str, ...], reason: str
) -> None:
    before = invoke("procedure", "list").stdout
    assert reason in invoke("run", script, *arguments, status=1).stderr
    assert invoke("procedure", "list").stdout == before


def test_a_script_that_cannot_be_started_stays_ready_and_the_message_says_how_to_go_on(
    invoke: OetInProcess, place: OetStack, script: str
) -> None:
    invoke("procedure", "create", place.uri("hold"), "--wait")
    invoke("procedure", "start", "--listen=False")
    try:
        refused = invoke("run", script, "Bob", status=1)
        assert re.search(
            r"Procedure (\d+) stays READY: 'oet procedure start --pid=\1' starts it", refused.stderr
        )
        pid = table_rows(invoke("procedure", "list").stdout)[-1][0]
        invoke("procedure", "stop", f"--pid={pid}", "--run_abort=False")
    finally:
        invoke("procedure", "stop", "--run_abort=False")


def test_ctrl_c_ends_the_listening_and_not_the_script(
    oet: OetCommand, invoke: OetInProcess, script: str, tmp_path: Path
) -> None:
    with oet.running("run", script, "Bob", f"--wait_for={tmp_path / 'end'}") as process:
        assert process.stdout is not None
        while "greeted" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "'oet procedure stop --pid=" in stderr
    assert _state_of_last(invoke) == "RUNNING"
    invoke("procedure", "stop", "--run_abort=False")
    assert _state_of_last(invoke) == "STOPPED"


def test_programs_get_events_and_if_they_want_it_output(invoke: OetInProcess, script: str) -> None:
    created, *events = map(json.loads, invoke("run", script, "Bob", "--json").stdout.splitlines())
    assert set(created) == {"procedure"}
    assert events[-1]["topic"] == "procedure.lifecycle.complete"
    assert all("topic" in event for event in events)
    with_output = invoke("run", script, "Bob", "--json", "--show_output=True").stdout.splitlines()
    lines = [line for item in map(json.loads, with_output) for line in item.get("lines", [])]
    assert lines == ["init hello", "hello Bob"]


def test_a_start_shows_output_unless_it_is_not_wanted(invoke: OetInProcess, script: str) -> None:
    for option, shown in ((), True), (("--show_output=False",), False):
        invoke("procedure", "create", script, "--wait")
        assert ("| hello Bob\n" in invoke("procedure", "start", "Bob", *option).stdout) is shown


def test_a_creation_that_is_waited_for_is_ready_or_fails_with_the_reason(
    invoke: OetInProcess, script: str
) -> None:
    assert table_rows(invoke("procedure", "create", script, "--wait").stdout)[1][3] == "READY"
    failed = invoke("procedure", "create", script, "no", "--wait", status=1)
    assert re.fullmatch(r"Error: Procedure \d+ is FAILED: ValueError: no greeting\n", failed.stderr)
    (shown,) = invoke("procedure", "create", script, "--wait", "--json").stdout.splitlines()
    assert json.loads(shown)["procedure"]["state"] == "READY"


def test_a_flag_with_a_value_is_refused(invoke: OetInProcess, script: str) -> None:
    refused = invoke("procedure", "create", script, "--wait=5", status=2)
    assert "the option --wait of this command takes no value" in refused.stderr
    assert "'wait'" in invoke("procedure", "create", script, "--", "--wait=5", status=1).stderr


def test_a_script_that_is_here_is_sent(invoke: OetInProcess, tmp_path: Path) -> None:
    here = tmp_path / "my_test.py"
    here.write_bytes("# -*- coding: latin-1 -*-\ndef main(name): print('größer,', name)\n".encode("latin-1"))
    shown = invoke("run", str(here), "Vela").stdout
    assert "| größer, Vela\n" in shown
    uri = table_rows(shown)[1][1]
    assert re.fullmatch("embedded:[0-9a-f]{12}", uri)
    created = invoke("procedure", "create", "-", "--wait", stdin=b"def main(): print('typed')\n").stdout
    assert table_rows(created)[1][3] == "READY"
    pid = table_rows(created)[1][0]
    assert "| typed\n" in invoke("procedure", "start", f"--pid={pid}").stdout
    assert "| typed\n" in invoke("procedure", "rerun", pid).stdout


def test_a_script_that_is_here_is_refused_where_that_is_not_allowed(
    invoke: OetInProcess, place: OetStack, tmp_path: Path
) -> None:
    here = tmp_path / "my_test.py"
    here.write_text("def main(): ...\n")
    for row in table_rows(invoke("procedure", "list", "--all", "--state=READY").stdout)[1:]:
        # What other tests have left: a reset waits for it.
        invoke("procedure", "stop", f"--pid={row[0]}", "--run_abort=False")
    with place.properties(AllowEmbeddedScripts=["false"]):
        invoke("reset")
        refused = invoke("run", str(here), status=1).stderr
    invoke("reset")
    assert "property AllowEmbeddedScripts" in refused
    assert "give the URI of a script" in refused


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"gone\.py cannot be read here: No such file or directory\. .* 'oet scripts list'"),
        (b"\xff\xfe", "gone.py is not a Python script: invalid or missing encoding"),
        (b"# coding: klingon\n", "gone.py is not a Python script: unknown encoding: klingon"),
    ],
)
def test_a_script_that_is_not_here(
    invoke: OetInProcess, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    here = tmp_path / "gone.py"
    if content is not None:
        here.write_bytes(content)
    assert re.search(reason, invoke("run", str(here), status=1).stderr)
