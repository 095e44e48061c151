"""A controller after Tango's admin device has restarted it, or all devices of its server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import WAITS
from tests.support.controllers import controller_proxy, controller_server, embedded
from tests.support.lrc_client import invoke
from tests.support.operator import Operator, operate
from tests.support.patience import wait_until

_DEVICE = "test/restarts/1"


@pytest.fixture(scope="module")
def controller(tango_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tango.DeviceProxy]:
    """A controller in a server of its own."""
    state: Path = tmp_path_factory.mktemp("state")
    with controller_server(tango_host, state, [_DEVICE], instance="restarts"):
        yield controller_proxy(tango_host, _DEVICE)


REASONS = {
    "DevRestart": f"the device was restarted by DevRestart of process {os.getpid()} on localhost.",
    "RestartServer": "all devices of the server were restarted by RestartServer.",
    "Kill": "the device server was ended by Kill.",
    "SIGTERM": "the device server was ended by SIGTERM.",
}


def reason_of(operator: Operator, pid: int) -> str:
    """Return why a procedure was stopped."""
    described = operator.describe(pid)
    assert described["state"] == "STOPPED"
    return str(described["history"]["stacktrace"])


@pytest.mark.parametrize("command", ["DevRestart", "RestartServer"])
def test_a_restart_stops_scripts_and_forgets_nothing(
    tango_host: str, controller: tango.DeviceProxy, command: str
) -> None:
    with operate(controller) as before:
        pid = before.run(embedded(WAITS), state="RUNNING")
        before.wait_for_topic(pid, "user.script.announce")
        seen = before.events()
        admin = tango.DeviceProxy(controller.adm_name())
        admin.command_inout(command, _DEVICE if command == "DevRestart" else None)
        # RestartServer answers before it has begun.
        before.wait_for_state(pid, "STOPPED")
        _wait_until_reachable(controller)
    with operate(controller_proxy(tango_host, _DEVICE)) as after:
        assert after.controller.State() == tango.DevState.ON
        assert reason_of(after, pid) == f"It was stopped because {REASONS[command]}"
        assert after.get_output(pid=pid)["lines"] == ["waiting", "tidy"]
        assert after.get_events(after=seen[0]["seq"] - 1, limit=len(seen)) == seen
        assert after.run(embedded("def main(): ...")) == pid + 1


@pytest.mark.parametrize("end", ["Kill", "SIGTERM"])
def test_the_end_of_the_server_is_the_reason_why_a_script_was_stopped(
    tango_host: str, tmp_path: Path, end: str
) -> None:
    device, instance = f"test/ends/{end}", f"ends-{end}"
    with (
        controller_server(tango_host, tmp_path, [device], instance=instance) as server,
        operate(controller_proxy(tango_host, device)) as before,
    ):
        pid = before.run(embedded(WAITS), state="RUNNING")
        before.wait_for_topic(pid, "user.script.announce")
        if end == "Kill":
            tango.DeviceProxy(before.controller.adm_name()).Kill()
        else:
            server.terminate()
        server.wait()
    with (
        controller_server(tango_host, tmp_path, [device], instance=instance),
        operate(controller_proxy(tango_host, device)) as after,
    ):
        assert reason_of(after, pid) == f"It was stopped because {REASONS[end]}"


@pytest.mark.parametrize("command", ["Off", "Standby"])
def test_a_script_goes_on_when_the_device_is_switched_off(
    controller: tango.DeviceProxy, command: str
) -> None:
    with operate(controller) as operator:
        pid = operator.run(embedded(WAITS), state="RUNNING")
        with invoke(controller, command) as call:
            call.wait_for_end()
        assert operator.describe(pid)["state"] == "RUNNING"
        operator.stop(pid)
        assert operator.describe(pid)["history"]["stacktrace"] is None
        with invoke(controller, "On") as call:
            call.wait_for_end()


def _wait_until_reachable(controller: tango.DeviceProxy) -> None:
    """Wait until a device answers: there is no event, because the server is unavailable."""

    def answers() -> bool:
        try:
            controller.ping()
        except tango.DevFailed:
            return False
        return True

    wait_until(answers, "the controller answers again")
