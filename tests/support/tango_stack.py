"""A real Tango database and real device servers, as processes on the loopback interface.

Nothing here changes this process's environment: name a device by `device_name`, which holds the
address of its database, so that tests with several databases do not get in each other's way.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import tango
from tests.support.patience import patience
from tests.support.processes import ServerProcess

LOOPBACK = "127.0.0.1"
_PROJECT = Path(__file__).parents[2]
"""Import path of device classes that are part of the tests."""

_TIMEOUT = int(1000 * patience(3.0))
"""Milliseconds that a client waits for an answer: Tango's default, times the factor of this machine."""

READY = "Ready to accept request"
"""Line that a device server prints once its devices can be called."""


@contextmanager
def tango_database(tmp_path: Path) -> Iterator[str]:
    """Run a Tango database, empty if there is none yet in the folder, as long as the context lasts.

    :param tmp_path: folder for the database's file
    :returns: its TANGO_HOST, ``127.0.0.1:<port>``
    """
    command = [sys.executable, "-m", "tango.databaseds.database"]
    command += ["--host", LOOPBACK, "--port", "0", "--print-host-port", "2"]
    process = ServerProcess(command, {"PYTANGO_DATABASE_NAME": str(tmp_path / "tango_database.db")})
    try:
        port = process.wait_for_output(r"listening on: host=[\d.]+, port=(\d+)")[1]
        process.wait_for_output(READY)
        yield f"{LOOPBACK}:{port}"
    finally:
        process.stop()


def database(tango_host: str) -> tango.Database:
    """Return a connection to a Tango database.

    :param tango_host: ``host:port``
    """
    host, port = tango_host.rsplit(":", 1)
    return tango.Database(host, int(port))


def register(
    tango_host: str,
    server: str,
    device_class: str,
    device: str,
    properties: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Add a device to a Tango database.

    :param tango_host: the database's ``host:port``
    :param server: executable and instance, ``OETController/01``
    :param device_class: name of the Tango class
    :param device: ``domain/family/member``
    :param properties: the device's properties, as lists of texts
    """
    connection = database(tango_host)
    info = tango.DbDevInfo()
    info.server, info._class, info.name = server, device_class, device
    connection.add_device(info)
    if properties:
        connection.put_device_property(device, {name: list(value) for name, value in properties.items()})


@contextmanager
def device_server(
    tango_host: str, module: str, instance: str, *, env: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Run a device server, registered before in the database, as long as the context lasts.

    :param tango_host: the database's ``host:port``
    :param module: what ``python -m`` runs; its registered executable may have another name
    :param instance: instance name of the server
    :param env: variables to set on top of this process's environment
    :returns: the process, once its devices can be called
    """
    process = launch_device_server(tango_host, module, instance, env=env)
    try:
        process.wait_for_output(READY)
        yield process
    finally:
        process.stop()


def launch_device_server(
    tango_host: str,
    module: str,
    instance: str,
    *,
    env: Mapping[str, str] | None = None,
    address: str = LOOPBACK,
    within: Sequence[str] = (),
) -> ServerProcess:
    """Start a device server, and return at once: the caller waits for it, and ends it.

    :param tango_host: the database's ``host:port``
    :param module: what ``python -m`` runs
    :param instance: instance name of the server
    :param env: variables to set on top of this process's environment
    :param address: where it listens
    :param within: command that runs it, for example on another host
    """
    command = [*within, sys.executable, "-m", module, instance, "-ORBendPoint", f"giop:tcp:{address}:0"]
    variables = {"TANGO_HOST": tango_host, "PYTHONPATH": str(_PROJECT), **(env or {})}
    return ServerProcess(command, variables)


def device_name(tango_host: str, device: str) -> str:
    """Return a name of the device that holds in any environment.

    :param tango_host: the database's ``host:port``
    :param device: ``domain/family/member``
    """
    return f"tango://{tango_host}/{device}"


def device_proxy(tango_host: str, device: str) -> tango.DeviceProxy:
    """Return a client of a device.

    :param tango_host: the database's ``host:port``
    :param device: ``domain/family/member``
    :raises tango.DevFailed: if the device cannot be reached
    """
    proxy = tango.DeviceProxy(device_name(tango_host, device))
    proxy.set_timeout_millis(_TIMEOUT)
    return proxy
