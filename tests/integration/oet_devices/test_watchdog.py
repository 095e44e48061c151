"""A script whose process does not answer: clients are notified, and it is not stopped."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.controllers import controller_proxy, embedded, register_controller
from tests.support.operator import operate
from tests.support.tango_stack import device_server, tango_database

from oet_devices.ska.enums import HealthState

_DEVICE = "test/watchdog/1"
_TELLS_ITS_PID = """
import os
from pubsub import pub

def init():
    pub.sendMessage("user.pid", pid=os.getpid())

def main(): ...
"""


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller that asks its scripts' processes often whether they are alive."""
    with tango_database(tmp_path) as host:
        register_controller(host, _DEVICE, tmp_path / "state")
        with device_server(host, "tests.support.watchful_server", "01"):
            yield controller_proxy(host, _DEVICE)


def test_a_process_that_does_not_answer_degrades_health_until_it_does(controller: tango.DeviceProxy) -> None:
    with operate(controller, ["healthState"]) as operator:
        pid = operator.prepare(embedded(_TELLS_ITS_PID))
        [reported] = [event for event in operator.events() if event["topic"] == "user.pid"]
        os.kill(reported["pid"], signal.SIGSTOP)
        operator.log.wait_for("healthState", HealthState.DEGRADED)
        assert f"The process of procedure #{pid} does not answer." in controller.Status()
        assert controller.State() == tango.DevState.ON
        assert operator.describe(pid)["state"] == "READY"
        os.kill(reported["pid"], signal.SIGCONT)
        operator.log.wait_until(lambda log: log.of("healthState")[-1] == HealthState.OK)
        assert "does not answer" not in controller.Status()
        operator.start(pid)
        operator.wait_for_state(pid, "COMPLETE")
