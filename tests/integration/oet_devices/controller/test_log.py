"""The log of a controller: each request, and its result."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.support.controllers import embedded
from tests.support.operator import Operator, operate
from tests.support.patience import wait_until

from oet_devices.controller import OETController
from oet_devices.declared_properties import QUERY_COMMANDS
from oet_devices.tools.registration import registration_file

ME = f"process {os.getpid()} on localhost"


class Log:
    """The log of a controller, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[dict[str, str]]:
        found = []
        for line in self._path.read_text().splitlines():
            _, time, level, _, _, _, tags, message = line.split("|", 7)
            known = dict(tag.split(":", 1) for tag in tags.split(",") if tag)
            found.append({**known, "time": time, "level": level, "message": message})
        return found

    def wait_for(self, **wanted: Any) -> dict[str, str]:
        """Wait for a line that has what is wanted: tags, level, or words of the message."""

        def fits(line: dict[str, str]) -> bool:
            words = wanted.get("message", "")
            return words in line["message"] and all(
                line.get(name) == str(value) for name, value in wanted.items() if name != "message"
            )

        def look() -> dict[str, str]:
            return next(filter(fits, self.lines()), {})

        return wait_until(look, f"a line with {wanted}", seen=self._path.read_text)


@pytest.fixture
def log(controller: tango.DeviceProxy, tmp_path: Path) -> Iterator[Log]:
    path = tmp_path / "controller.log"
    controller.put_property({"LoggingTargetsDefault": [f"file::{path}"]})
    controller.Reset()
    yield Log(path)
    controller.delete_property("LoggingTargetsDefault")
    controller.Reset()


@pytest.fixture
def operator(controller: tango.DeviceProxy) -> Iterator[Operator]:
    with operate(controller) as operator:
        yield operator


def test_who_asks_for_what_and_what_becomes_of_it(
    operator: Operator, log: Log, controller: tango.DeviceProxy
) -> None:
    pid = operator.run(
        embedded("def main(): raise RuntimeError('the wind is\\n too strong')"), state="FAILED"
    )
    created = log.wait_for(procedure=pid, message="Create ")
    assert created["level"] == "INFO"
    assert f" by {ME} -> STARTED {created['command']} in " in created["message"]
    assert log.wait_for(procedure=pid, state="CREATING")["message"].endswith(f"is created for {ME}")
    assert "is READY after 0." in log.wait_for(procedure=pid, state="READY")["message"]
    started = log.wait_for(procedure=pid, message="Start ")
    assert started["command"].endswith(f"_{pid}_Start")
    failed = log.wait_for(procedure=pid, state="FAILED")
    assert (failed["level"], failed["command"]) == ("ERROR", created["command"])
    assert "has FAILED after 0." in failed["message"]
    assert "RuntimeError: the wind is too strong" in failed["message"]
    assert failed["device"] == controller.dev_name()


def test_a_stop_names_who_has_asked(operator: Operator, log: Log) -> None:
    pid = operator.run(embedded("import signal\ndef main(): signal.pause()"), state="RUNNING")
    operator.send("Stop", {"pid": pid, "requested_by": "anna"})
    stopped = log.wait_for(procedure=pid, state="STOPPED")
    assert (stopped["level"], f"is STOPPED by anna ({ME}) after " in stopped["message"]) == ("INFO", True)
    assert log.wait_for(procedure=pid, message="Stop ")["user"] == "anna"


def test_a_refusal_is_logged_with_its_reason(controller: tango.DeviceProxy, log: Log) -> None:
    with pytest.raises(tango.DevFailed):
        controller.Create("file:///etc/passwd")
    assert f"Create file:///etc/passwd by {ME} -> refused: " in log.wait_for(message="Create")["message"]
    with pytest.raises(tango.DevFailed):
        controller.QueueRemove('{"id": 99999, "requested_by": "a\\nERROR forged"}')
    removed = log.wait_for(message="QueueRemove")["message"]
    assert "entry 99999 is not in the queue" in removed
    assert "by a ERROR forged (" in removed


ASKS = """
from ska_oso_oet.interaction import ask, checkpoint

def main():
    ask("Which dish?")
    checkpoint()
    ask("Is the wind below the limit?", choices=["yes", "no"])
"""


def test_questions_and_pauses_are_logged(operator: Operator, log: Log) -> None:
    pid = operator.prepare(embedded(ASKS))
    operator.start(pid)
    first = log.wait_for(procedure=pid, level="WARNING", message="is asked: Which dish?")
    operator.controller.Pause(json.dumps({"pid": pid}))
    operator.controller.Answer(json.dumps({"question": int(first["question"]), "answer": "SKA001"}))
    assert log.wait_for(procedure=pid, state="PAUSED")["level"] == "INFO"
    operator.controller.Resume(json.dumps({"pid": pid, "requested_by": "anna"}))
    asked = log.wait_for(procedure=pid, level="WARNING", message="is asked: Is the wind below the limit?")
    operator.controller.Answer(
        json.dumps({"question": int(asked["question"]), "answer": "yes", "requested_by": "bob"})
    )
    assert log.wait_for(question=asked["question"], message="was answered 'yes' by bob")["user"] == "bob"
    operator.wait_for_state(pid, "COMPLETE")
    assert log.wait_for(procedure=pid, message="continues")
    assert log.wait_for(message="Resume ", user="anna")


def test_the_queue_is_logged_step_by_step(controller: tango.DeviceProxy, log: Log) -> None:
    entry = {"procedure": {"script": {"script_type": "embedded", "script": "def main(): 1 / 0"}}}
    added = json.loads(controller.QueueAdd(json.dumps({**entry, "requested_by": "anna"})))
    number = added["entries"][0]["id"]
    controller.QueueStart("")
    failed = log.wait_for(entry=number, state="FAILED", level="WARNING")
    assert "ZeroDivisionError" in failed["message"]
    for state in ("WAITING", "PREPARING", "READY", "RUNNING"):
        assert log.wait_for(entry=number, state=state, message="Queue entry")["level"] == "INFO"
    assert log.wait_for(message="The queue is STOPPED")
    assert log.wait_for(message="QueueAdd", user="anna")
    controller.QueueClear("")


def test_state_and_health_are_logged(controller: tango.DeviceProxy, log: Log) -> None:
    controller.adminMode = 1
    controller.adminMode = 0
    assert f"adminMode OFFLINE by {ME} -> done" in log.wait_for(message="adminMode OFFLINE by")["message"]
    assert log.wait_for(message="State is DISABLE")["level"] == "INFO"
    roots = controller.get_property("ScriptRoots")["ScriptRoots"]
    controller.put_property({"ScriptRoots": ["/no/such/folder"]})
    try:
        controller.Reset()
        assert log.wait_for(message="State is FAULT", level="ERROR")
        assert "/no/such/folder" in log.wait_for(message="State is FAULT")["message"]
        assert log.wait_for(message="Health is FAILED", level="ERROR")
    finally:
        controller.put_property({"ScriptRoots": list(roots)})
        controller.Reset()
    assert log.wait_for(message="Health is OK")
    assert log.wait_for(message=f"Reset by {ME} -> QUEUED")


def test_every_command_that_changes_something_is_logged() -> None:
    commands = {
        name: each
        for name in dir(OETController)
        if hasattr(each := getattr(OETController, name), "__tango_command__")
    }
    assert len(commands) > 20
    silent = {name for name, each in commands.items() if not hasattr(each, "is_logged")}
    assert silent <= {*QUERY_COMMANDS, "DebugDevice"}


@pytest.mark.parametrize("name", ["oet-mid", "oet-low", "oet-four-subarrays"])
def test_controllers_that_are_registered_log_to_the_console(name: str) -> None:
    servers = json.loads(registration_file(name).read_text())["servers"]["OETController"]
    for server in servers.values():
        for device in server["OETController"].values():
            assert device["properties"]["LoggingTargetsDefault"] == ["tango::logger", "console::cout"]
