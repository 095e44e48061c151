"""Status shows the present activity at a glance, and has an event for each change."""

import re
from collections.abc import Iterator

import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all, prepare
from tests.support.controllers import embedded
from tests.support.events import EventLog, listen
from tests.support.lrc_client import invoke

OBSERVES = """
import signal
from pubsub import pub
def main():
    pub.sendMessage("user.script.progress", progress=40, msg="scan 2 of 5")
    signal.pause()
"""


@pytest.fixture
def status(controller: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of Status."""
    assert not controller.is_attribute_polled("Status")
    with listen(controller, ["Status"]) as log:
        yield log
    end_all(controller)


def _wait_for(log: EventLog, pattern: str) -> str:
    """Wait until the newest event of Status matches, and return its text."""
    log.wait_until(lambda log: re.fullmatch(pattern, log.of("Status")[-1]))
    return str(log.of("Status")[-1])


def test_what_is_going_on_while_a_script_runs(controller: tango.DeviceProxy, status: EventLog) -> None:
    observing = prepare(controller, OBSERVES)
    prepare(controller, OBSERVES)
    _wait_for(status, r"No script is running\. 2 ready\. 1 standby worker\.")
    controller.Start(str(observing))
    running = rf"Running #{observing} embedded script for \d+ s, scan 2 of 5 \(40 %\)\. 1 ready\. "
    _wait_for(status, running + r"1 standby worker\.")
    assert re.match(running, controller.Status())
    with invoke(controller, "Stop", "") as stop:
        stop.wait_for_end()
    _wait_for(status, r"No script is running\. 1 ready\. 1 standby worker\.")


def test_what_is_being_prepared_and_what_a_script_from_a_file_is_called(
    controller: tango.DeviceProxy, status: EventLog
) -> None:
    controller.Create(embedded("import signal\ndef init(): signal.pause()\ndef main(): ..."))
    _wait_for(status, r"No script is running\. 1 in preparation\. 1 standby worker\.")
    countdown = next(uri for uri in controller.scripts if uri.endswith("countdown.py"))
    with invoke(controller, "Create", countdown) as call:
        call.wait_for_end()
    controller.Start('{"script_args": {"main": {"kwargs": {"seconds": 600}}}}')
    _wait_for(status, r"Running #\d+ countdown\.py for 0 s\. 1 in preparation\. 1 standby worker\.")


@pytest.mark.parametrize(("command", "reached"), [("Off", "OFF"), ("Standby", "STANDBY")])
def test_a_controller_that_was_switched_off_says_so_though_a_script_runs_on(
    controller: tango.DeviceProxy, status: EventLog, command: str, reached: str
) -> None:
    prepare(controller, OBSERVES)
    controller.Start("")
    controller.command_inout(command)
    _wait_for(
        status,
        rf"Running #\d+ .* standby workers?\.\nNothing can be created or started in state {reached}\. "
        r"Send On first\.",
    )
    [code], [reason] = controller.Create(embedded(OBSERVES))
    assert (code, reason) == (5, f"Command Create is not allowed in state {reached}. Send On first.")
    with invoke(controller, "Stop", "") as stop:
        assert stop.wait_for_end().result is not None
    controller.On()
    _wait_for(status, r"No script is running\. 1 standby worker\.")


def test_a_controller_that_is_out_of_use_says_so(controller: tango.DeviceProxy, status: EventLog) -> None:
    controller.adminMode = "OFFLINE"
    _wait_for(
        status,
        r"No script is running\. 1 standby worker\.\n"
        r"Nothing can be created or started in state DISABLE\. Set adminMode to ONLINE first\.",
    )
    controller.adminMode = "ONLINE"
    _wait_for(status, r"No script is running\. 1 standby worker\.")
