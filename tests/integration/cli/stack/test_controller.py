"""The controller itself, its scripts and their output, on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.oet_command import OetCommand, OetInProcess
from tests.support.oet_stack import OetStack
from tests.support.tango_stack import database

DEVICE = "mid-oet/controller/01"

STEPS = """
import pathlib, time

def main(folder):
    for number in range(3):
        print("step", number, flush=True)
        while not (pathlib.Path(folder) / str(number)).exists():
            time.sleep(0.01)
"""


@pytest.fixture
def _online_again(invoke: OetInProcess) -> Iterator[None]:
    yield
    invoke("admin-mode", "ONLINE")


def test_the_status_says_what_the_controller_does(invoke: OetInProcess) -> None:
    lines = invoke("status").stdout.splitlines()
    assert lines[0] == f"{DEVICE} is ON, health OK, ONLINE"
    assert lines[1].startswith("No script is running.")
    assert len(lines) == 2
    assert json.loads(invoke("status", "--json").stdout)["admin_mode"] == "ONLINE"


@pytest.mark.usefixtures("_online_again")
def test_a_refusal_names_the_command_that_helps(invoke: OetInProcess, place: OetStack) -> None:
    assert invoke("admin-mode", "offline").stdout == f"{DEVICE} is OFFLINE, its state is DISABLE\n"
    refused = invoke("procedure", "create", place.uri("burst"), status=1)
    assert refused.stderr.endswith("The controller is DISABLE: 'oet admin-mode ONLINE' enables it\n")
    assert refused.stderr.count("\n") == 1
    assert "'oet admin-mode ONLINE' enables it" in invoke("status").stdout
    invoke("admin-mode", "ONLINE")
    assert invoke("admin-mode").stdout == f"{DEVICE} is ONLINE, its state is ON\n"
    invoke("procedure", "create", place.uri("burst"))


def test_an_operator_leaves_fault_with_reset(invoke: OetInProcess, place: OetStack) -> None:
    database(place.tango_host).put_device_property(DEVICE, {"LoggingLevelDefault": ["77"]})
    try:
        refused = invoke("reset", status=1)
        assert "LoggingLevelDefault" in refused.stderr
        assert "send 'oet reset' then" in refused.stderr
        assert "send 'oet reset' then" in invoke("procedure", "create", place.uri("burst"), status=1).stderr
    finally:
        database(place.tango_host).delete_device_property(DEVICE, "LoggingLevelDefault")
    assert invoke("reset").stdout.startswith(f"{DEVICE} is ON, health OK, ONLINE\n")


def test_other_refusals_are_as_they_are(invoke: OetInProcess) -> None:
    refused = invoke("procedure", "create", "file:///no/such/script.py", status=1)
    assert "The controller is" not in refused.stderr


def test_a_mode_that_does_not_exist(invoke: OetInProcess) -> None:
    assert "'online'" in invoke("admin-mode", "SLEEPING", status=2).stderr


def test_scripts_are_listed(invoke: OetInProcess, place: OetStack) -> None:
    assert place.uri("burst") in invoke("scripts", "list").stdout.splitlines()
    assert place.uri("burst") in json.loads(invoke("scripts", "list", "--json").stdout)["scripts"]


def test_output_is_shown_and_followed(oet: OetCommand, invoke: OetInProcess, place: OetStack) -> None:
    (place.scripts / "steps.py").write_text(STEPS)
    invoke("procedure", "create", place.uri("steps"))
    invoke("procedure", "start", str(place.scripts), "--listen=False")
    with oet.running("procedure", "output", "-f") as following:
        assert following.stdout is not None
        for number in range(3):
            assert following.stdout.readline() == f"step {number}\n"
            (place.scripts / str(number)).touch()
        assert following.wait() == 0
    assert invoke("procedure", "output").stdout == "step 0\nstep 1\nstep 2\n"
    assert invoke("procedure", "output", "--after=2").stdout == "step 2\n"
    part = json.loads(invoke("procedure", "output", "--after=1", "--json").stdout)
    assert part == {"lines": ["step 1", "step 2"], "next": 3, "dropped": 0, "ended": True}
    for number in range(3):
        (place.scripts / str(number)).unlink()


@pytest.mark.parametrize("arguments", [("--pid=99999",), ("--pid=99999", "-f")])
def test_output_of_a_procedure_that_does_not_exist(invoke: OetInProcess, arguments: tuple[str, ...]) -> None:
    assert "PID=99999" in invoke("procedure", "output", *arguments, status=1).stderr


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [
        ("log-level", "INFO", "DEBUG"),
        ("control-mode", "REMOTE", "LOCAL"),
        ("simulation-mode", "FALSE", "TRUE"),
        ("test-mode", "NONE", "TEST"),
    ],
)
def test_settings(invoke: OetInProcess, setting: str, before: str, after: str) -> None:
    assert invoke("admin", setting).stdout == f"{before}\n"
    try:
        assert invoke("admin", setting, after.lower()).stdout == f"{after}\n"
        assert after in invoke("admin", "show").stdout
        assert after in json.loads(invoke("admin", setting, "--json").stdout).values()
    finally:
        invoke("admin", setting, before)
    assert after.lower() in invoke("admin", setting, "LOUD", status=2).stderr


def test_targets_of_the_log(invoke: OetInProcess, tmp_path: Path) -> None:
    targets = ["tango::logger", f"file::{tmp_path / 'oet.log'}"]
    try:
        assert invoke("admin", "log-targets", *targets).stdout.splitlines() == targets
        assert invoke("admin", "log_targets").stdout.splitlines() == targets
        assert "is not a logging target" in invoke("admin", "log-targets", "nowhere", status=1).stderr
        assert invoke("admin", "log-targets", "--none").stdout == "none\n"
        invoke("admin", "log-targets", "--none", targets[0], status=2)
    finally:
        assert invoke("admin", "log-targets", targets[0]).stdout == f"{targets[0]}\n"


def test_the_controller_is_switched_off_and_on(invoke: OetInProcess, place: OetStack) -> None:
    try:
        assert invoke("admin", "off").stdout.startswith(f"{DEVICE} is OFF")
        refused = invoke("procedure", "create", place.uri("burst"), status=1)
        assert refused.stderr.endswith("The controller is OFF: 'oet admin on' switches it on\n")
    finally:
        assert invoke("admin", "on").stdout.startswith(f"{DEVICE} is ON")
