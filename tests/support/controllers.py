"""Real OETControllers in a real device server, for tests."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango
from tests.support.processes import ServerProcess
from tests.support.tango_stack import database, device_proxy, device_server, register

MODULE = "oet_devices.server"
CLASS = "OETController"


def register_controller(
    tango_host: str, device: str, state: Path, *, instance: str = "01", **properties: Sequence[str]
) -> None:
    """Register a controller that is ONLINE.

    :param tango_host: the database's ``host:port``
    :param device: ``domain/family/member``
    :param state: folder for its journal and output
    :param instance: instance name of its server
    :param properties: further properties of the device
    """
    # Tests that share a controller leave procedures that are READY: no limit of those.
    defaults = {"AllowEmbeddedScripts": ["true"], "ReadyLimit": ["0"]}
    known = {"StateDirectory": [str(state)], **defaults, **properties}
    register(tango_host, f"{CLASS}/{instance}", CLASS, device, known)
    # Memorised: 0 is ONLINE.
    database(tango_host).put_device_attribute_property(device, {"adminMode": {"__value": ["0"]}})


def allow_embedded_scripts(tango_host: str, *devices: str) -> None:
    """Have registered controllers accept scripts that a request contains.

    :param tango_host: the database's ``host:port``
    :param devices: their names
    """
    for device in devices:
        database(tango_host).put_device_property(device, {"AllowEmbeddedScripts": ["true"]})


@contextmanager
def controller_server(
    tango_host: str, state: Path, devices: Sequence[str], *, instance: str = "01"
) -> Iterator[ServerProcess]:
    """Run a server of some controllers, each with a state directory of its own.

    :param tango_host: the database's ``host:port``
    :param state: folder for all of them
    :param devices: their names
    :param instance: instance name of the server
    """
    for number, device in enumerate(devices):
        register_controller(tango_host, device, state / f"{instance}-{number}", instance=instance)
    with device_server(tango_host, MODULE, instance) as server:
        yield server


def controller_proxy(tango_host: str, device: str) -> tango.DeviceProxy:
    """Return a client of a controller."""
    return device_proxy(tango_host, device)


def embedded(text: str, **script_args: Any) -> str:
    """Return the argument of Create for a script given as its text.

    :param text: Python source
    :param script_args: arguments of its functions
    """
    return json.dumps({"script": {"script_type": "embedded", "script": text}, "script_args": script_args})
