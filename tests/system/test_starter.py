"""A Starter, which is what Astor talks to, controls the device server."""

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import tango
from tests.support.events import EventLog, listen
from tests.support.lrc_client import invoke
from tests.support.patience import PATIENCE
from tests.support.tango_stack import LOOPBACK, device_proxy, register
from tests.support.tango_system import TangoSystem

from .conftest import require

SERVER = "OETController/01"
CONTROLLER = "mid-oet/controller/01"

ENDLESS = """
import time

def main():
    try:
        print("begun")
        time.sleep(60)
    finally:
        print("tidied up")
"""
SCRIPT = json.dumps({"script": {"script_type": "embedded", "script": ENDLESS}})


@pytest.fixture
def starter(system: TangoSystem, environment: dict[str, str], tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A Starter of this host, which finds the device server where it is installed."""
    require("Starter")
    host = socket.gethostname().split(".")[0]
    device = f"tango/admin/{host}"
    properties = {
        "StartDsPath": [str(Path(sys.executable).parent)],
        "LogFileHome": [str(tmp_path)],
        "UseEvents": ["1"],
    }
    register(system.tango_host, f"Starter/{host}", "Starter", device, properties)
    # What it starts is to listen there as well.
    variables = {**environment, "ORBendPoint": f"giop:tcp:{LOOPBACK}:"}
    with system.running("Starter", host, environment=variables):
        yield device_proxy(system.tango_host, device)


@contextmanager
def states_of_servers(starter: tango.DeviceProxy) -> Iterator[EventLog]:
    """Listen, as Astor does, to what the Starter says of its servers as long as the context lasts."""
    log = EventLog()
    subscription = starter.subscribe_event("Servers", tango.EventType.CHANGE_EVENT, log.callback("Servers"))
    try:
        yield log
    finally:
        starter.unsubscribe_event(subscription)


def says(state: str) -> Callable[[EventLog], bool]:
    """Return a condition: that the newest list says that the server is in a state."""

    def condition(log: EventLog) -> bool:
        lists = log.of("Servers")
        return bool(lists) and any(line.split("\t")[:2] == [SERVER, state] for line in lists[-1] or ())

    return condition


def wait_for_polled_state(controller: tango.DeviceProxy, state: tango.DevState) -> None:
    """Have the State polled until it is the one that is expected."""
    log = EventLog()
    controller.poll_attribute("State", 100)
    subscription = controller.subscribe_event("State", tango.EventType.PERIODIC_EVENT, log.callback("State"))
    try:
        # The first is the answer to the subscription.
        log.wait_until(lambda log: state in log.of("State")[1:])
    finally:
        controller.unsubscribe_event(subscription)
        controller.stop_poll_attribute("State")


def test_a_starter_starts_pings_and_stops_the_device_server(
    starter: tango.DeviceProxy, system: TangoSystem
) -> None:
    with states_of_servers(starter) as states:
        starter.command_inout("DevStart", SERVER)
        states.wait_until(says("ON"))
        process = psutil.Process(system.database.get_device_info(CONTROLLER).pid)
        try:
            controller = device_proxy(system.tango_host, CONTROLLER)
            assert controller.ping() > 0
            wait_for_polled_state(controller, tango.DevState.ON)
            # Under a Starter a process begins with all signals blocked; its scripts must heed them still.
            with invoke(controller, "Create", SCRIPT) as create:
                create.wait_for_end()
            with listen(controller, ["scriptOutput"]) as output, invoke(controller, "Start", "") as start:
                output.wait_until(lambda log: any("begun" in lines for lines in log.of("scriptOutput")))
                with invoke(controller, "Stop", "") as stop:
                    stop.wait_for_end()
                start.wait_for_end()
            assert "tidied up" in controller.scriptOutput

            starter.command_inout("DevStop", SERVER)
            assert process.wait(PATIENCE) is None
            states.wait_until(says("FAULT"))
        finally:
            if process.is_running():
                process.kill()
