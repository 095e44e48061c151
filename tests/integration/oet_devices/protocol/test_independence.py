"""Several controllers, in one server and in two, at work at the same time: none notices the others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all, prepare
from tests.support.controllers import embedded
from tests.support.events import EventLog, listen
from tests.support.lrc_client import LrcCall, invoke

from oet_devices.ska.enums import TaskStatus

ANNOUNCES = """
import signal
from pubsub import pub
def main(name):
    print("I am", name)
    pub.sendMessage("user.script.announce", msg=name)
    signal.pause()
"""

Controllers = list[tango.DeviceProxy]


@pytest.fixture(autouse=True)
def _nothing_runs(controllers: Controllers) -> Iterator[None]:
    """End what a test has left running, and set back what it has changed."""
    yield
    for controller in controllers:
        end_all(controller)


def _reset(controller: tango.DeviceProxy) -> LrcCall:
    with invoke(controller, "Reset") as call:
        return call.wait_for_end()


@pytest.fixture
def different(controllers: Controllers, tmp_path: Path) -> Iterator[str]:
    """Let the second controller have a script root and a history length of its own; return its script."""
    script = tmp_path / "own.py"
    script.write_text("def main(): ...\n")
    controllers[1].put_property({"ScriptRoots": [str(tmp_path)], "HistoryLength": ["2"]})
    assert _reset(controllers[1]).statuses[-1] is TaskStatus.COMPLETED
    yield script.as_uri()
    for name in ("ScriptRoots", "HistoryLength"):
        controllers[1].delete_property(name)
    assert _reset(controllers[1]).statuses[-1] is TaskStatus.COMPLETED


def _start(controller: tango.DeviceProxy, name: str, log: EventLog) -> int:
    """Have a script run that has announced its name."""
    number = prepare(controller, ANNOUNCES)
    controller.Start(json.dumps({"pid": number, "script_args": {"main": {"args": [name]}}}))
    log.wait_until(lambda log: any(event.get("msg") == name for event in _events(log)))
    return number


def _events(log: EventLog) -> list[dict[str, Any]]:
    """Return the events that have been heard, the one before the subscription left out."""
    return [json.loads(text) for text in log.of("events")[1:]]


def test_each_runs_its_own_script_and_tells_its_own_events(controllers: Controllers) -> None:
    names = ["north", "south", "west"]
    with ExitStack() as stack:
        logs = [stack.enter_context(listen(controller, ["events"])) for controller in controllers]
        numbers = [_start(*each) for each in zip(controllers, names, logs, strict=True)]
        assert [controller.runningProcedure for controller in controllers] == numbers
        assert [controller.scriptOutput for controller in controllers] == [(f"I am {n}",) for n in names]

        with invoke(controllers[1], "Stop", "") as stop:
            stop.wait_for_end()
        assert [controller.runningProcedure for controller in controllers] == [numbers[0], 0, numbers[2]]
        for name, log in zip(names, logs, strict=True):
            events = _events(log)
            assert [event["msg"] for event in events if event["topic"] == "user.script.announce"] == [name]
            seqs = [event["seq"] for event in events]
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert [any(event["topic"].endswith("stopped") for event in _events(log)) for log in logs] == [
            False,
            True,
            False,
        ]


def test_abort_of_one_leaves_the_commands_of_the_others_alone(controllers: Controllers) -> None:
    with ExitStack() as stack:
        for controller in controllers:
            prepare(controller, ANNOUNCES)
        start = '{"script_args": {"main": {"args": ["x"]}}}'
        calls = [stack.enter_context(invoke(controller, "Start", start)) for controller in controllers]
        with invoke(controllers[0], "Abort") as abort:
            abort.wait_for_end()
        assert calls[0].wait_for_end().statuses[-1] is TaskStatus.ABORTED
        assert [call.statuses[-1] for call in calls[1:]] == [TaskStatus.IN_PROGRESS] * 2
        assert [len(controller.lrcExecuting) for controller in controllers] == [0, 1, 1]


def test_each_has_its_own_script_roots_and_history(controllers: Controllers, different: str) -> None:
    assert controllers[1].scripts == (different,)
    assert different not in controllers[0].scripts
    with pytest.raises(tango.DevFailed, match="is not below a script root"):
        controllers[0].Create(different)
    for controller in controllers[:2]:
        for _ in range(3):
            with invoke(controller, "Create", embedded("def main(): ...")) as create:
                create.wait_for_end()
            with invoke(controller, "Start", "") as start:
                start.wait_for_end()
    assert len(json.loads(controllers[1].procedures)) == 2
    assert len(json.loads(controllers[0].procedures)) > 2


def test_each_keeps_its_state_in_a_folder_of_its_own(controllers: Controllers) -> None:
    folders = [Path(c.get_property("StateDirectory")["StateDirectory"][0]) for c in controllers]
    assert len(set(folders)) == len(controllers)
    for folder, controller in zip(folders, controllers, strict=True):
        number = prepare(controller, ANNOUNCES)
        assert (folder / "journal.sqlite").is_file()
        assert (folder / "output" / f"{number}.log").exists()


def test_a_fault_of_one_is_no_fault_of_the_others(controllers: Controllers) -> None:
    controllers[0].put_property({"StandbyWorkers": ["-1"]})
    assert _reset(controllers[0]).statuses[-1] is TaskStatus.FAILED
    try:
        assert [str(controller.State()) for controller in controllers] == ["FAULT", "ON", "ON"]
        assert [int(controller.healthState) for controller in controllers] == [2, 0, 0]
        prepare(controllers[1], ANNOUNCES)
    finally:
        controllers[0].delete_property("StandbyWorkers")
    assert _reset(controllers[0]).statuses[-1] is TaskStatus.COMPLETED


def test_a_restart_of_one_device_leaves_the_other_of_its_server_at_work(controllers: Controllers) -> None:
    with listen(controllers[1], ["events"]) as log:
        number = _start(controllers[1], "south", log)
        before = controllers[0].lastProcedure
        tango.DeviceProxy(controllers[0].adm_name()).DevRestart(controllers[0].dev_name())
        assert controllers[1].runningProcedure == number
        assert controllers[0].lastProcedure == before
        prepare(controllers[0], ANNOUNCES)
        with invoke(controllers[1], "Stop", "") as stop:
            stop.wait_for_end()
        assert json.loads(controllers[1].DescribeProcedure(number))["state"] == "STOPPED"
