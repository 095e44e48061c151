"""Rights of a user with read access under Tango's access control."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.controllers import embedded
from tests.support.operator import operate
from tests.support.patience import PATIENCE
from tests.support.tango_stack import device_name, device_proxy, device_server
from tests.support.tango_system import TangoSystem

from .conftest import require

ACCESS_CONTROL = "sys/access_control/1"
CONTROLLER = "mid-oet/controller/01"

CLIENT = """
import json, sys, tango
controller = tango.DeviceProxy(sys.argv[1])

def watch():
    heard = []
    controller.subscribe_event("events", tango.EventType.CHANGE_EVENT, heard.append)
    return [event.err for event in heard]

def outcome(action):
    try:
        return str(action())
    except tango.DevFailed as error:
        return error.args[0].reason

print(json.dumps({
    "state": outcome(controller.State),
    "procedures": outcome(lambda: len(json.loads(controller.procedures))),
    "describe": outcome(lambda: json.loads(controller.DescribeProcedure(0))["state"]),
    "unknown": outcome(lambda: controller.DescribeProcedure(7)),
    "output": outcome(lambda: json.loads(controller.GetOutput(""))["lines"]),
    "events": outcome(lambda: json.loads(controller.GetEvents('{"limit": 1}'))[0]["seq"]),
    "watch": outcome(watch),
    "create": outcome(lambda: controller.Create("file:///nothing.py")),
    "stop": outcome(lambda: controller.Stop("")),
    "write": outcome(lambda: controller.write_attribute("adminMode", 0)),
}))
"""


@contextmanager
def users_may_only_read(system: TangoSystem) -> Iterator[None]:
    """Have access control give the user of this process read access as long as the context lasts."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    with system.running("TangoAccessControl", "1"):
        control = device_proxy(system.tango_host, ACCESS_CONTROL)
        control.command_inout("AddAddressForUser", [user, "*.*.*.*"])
        control.command_inout("AddDeviceForUser", [user, "*/*/*", "read"])
        control.command_inout("RegisterService")
        try:
            yield
        finally:
            control.command_inout("UnregisterService")
            control.command_inout("RemoveUser", user)


def as_another_process(system: TangoSystem) -> dict[str, str]:
    """Return what a client that has just been started can do."""
    command = [sys.executable, "-c", CLIENT, device_name(system.tango_host, CONTROLLER)]
    variables = {**os.environ, "TANGO_HOST": system.tango_host}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def test_a_read_only_user_can_look_and_not_touch(system: TangoSystem, environment: dict[str, str]) -> None:
    require("TangoAccessControl")
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        with operate(device_proxy(system.tango_host, CONTROLLER)) as operator:
            operator.run(embedded("def main():\n    print('seen')\n"))
            with users_may_only_read(system):
                reader = as_another_process(system)
            assert operator.listed() == [1]
        assert reader == {
            "state": "ON",
            "procedures": "1",
            "describe": "COMPLETE",
            "unknown": "OET_ProcedureNotFound",
            "output": "['seen']",
            "events": "1",
            "watch": "[False]",
            "create": "API_ReadOnlyMode",
            "stop": "API_ReadOnlyMode",
            "write": "API_ReadOnlyMode",
        }
        assert as_another_process(system)["stop"] != "API_ReadOnlyMode"
