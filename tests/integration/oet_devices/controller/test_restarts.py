"""What becomes of a controller when Tango's admin device restarts it, or all devices of its server."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import WAITS
from tests.support.controllers import controller_proxy, controller_server, embedded
from tests.support.operator import PATIENCE, operate

_DEVICE = "test/restarts/1"


@pytest.fixture(scope="module")
def controller(tango_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tango.DeviceProxy]:
    """A controller in a server of its own."""
    state: Path = tmp_path_factory.mktemp("state")
    with controller_server(tango_host, state, [_DEVICE], instance="restarts"):
        yield controller_proxy(tango_host, _DEVICE)


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
        assert after.describe(pid)["state"] == "STOPPED"
        assert after.get_output(pid=pid)["lines"] == ["waiting", "tidy"]
        assert after.get_events(after=seen[0]["seq"] - 1, limit=len(seen)) == seen
        assert after.run(embedded("def main(): ...")) == pid + 1


def _wait_until_reachable(controller: tango.DeviceProxy) -> None:
    """Wait until a device answers: of that there is no event, for it is the server that is away."""
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while True:
        try:
            controller.ping()
        except tango.DevFailed:
            assert time.monotonic() < deadline, "the controller has not come back"
            pause.wait(0.05)
        else:
            return
