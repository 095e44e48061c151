"""A telescope of real Tango devices with a real Tango database, as processes on the loopback interface."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tango

LOOPBACK = "127.0.0.1"
READY = "Ready to accept request"
_STOP_TIMEOUT = 10.0


class TelescopeServer:
    """A device server with one subarray and one central node.

    :param tango_host: ``host:port`` of the database
    :param instance: instance name of the server
    :param number: member name of the subarray device
    """

    def __init__(self, tango_host: str, instance: str, number: str = "1") -> None:
        self.tango_host = tango_host
        self.instance = instance
        self.subarray_name = f"test-{instance}/subarray/{number}"
        self.central_node_name = f"test-{instance}/central-node/0"
        self._register("SubarrayNode", self.subarray_name)
        self._register("CentralNode", self.central_node_name)
        self._process: subprocess.Popen[str] | None = None

    @property
    def subarray(self) -> str:
        """Name of the subarray that holds without TANGO_HOST."""
        return f"tango://{self.tango_host}/{self.subarray_name}"

    @property
    def proxy(self) -> tango.DeviceProxy:
        """A client of the subarray."""
        return tango.DeviceProxy(self.subarray)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead a script to these devices."""
        return {
            "TANGO_HOST": self.tango_host,
            "SUBARRAYNODE_FQDN_PREFIX": self.subarray_name.rpartition("/")[0],
            "CENTRALNODE_FQDN": self.central_node_name,
        }

    def start(self) -> None:
        """Run the server, and return when its devices can be called."""
        module = "tests.support.telescope_devices"
        command = [sys.executable, "-m", module, self.instance, "-ORBendPoint", f"giop:tcp:{LOOPBACK}:0"]
        self._process = _run(command, {"TANGO_HOST": self.tango_host})
        _wait_for_line(self._process, READY)

    def kill(self) -> None:
        """End the server as a crash does."""
        if self._process is not None:
            self._process.kill()
            _end(self._process)
            self._process = None

    def _register(self, device_class: str, name: str) -> None:
        info = tango.DbDevInfo()
        info.server, info._class, info.name = f"telescope_devices/{self.instance}", device_class, name
        host, port = self.tango_host.split(":")
        tango.Database(host, int(port)).add_device(info)


@contextmanager
def running_database(folder: Path) -> Iterator[str]:
    """Run a Tango database as long as the context lasts.

    :param folder: where its file is
    :returns: its ``host:port``
    """
    command = [sys.executable, "-m", "tango.databaseds.database"]
    command += ["--host", LOOPBACK, "--port", "0", "--print-host-port", "2"]
    process = _run(command, {"PYTANGO_DATABASE_NAME": str(folder / "tango.db")})
    try:
        port = _wait_for_line(process, "port=").rpartition("port=")[2].strip(" .\n")
        _wait_for_line(process, READY)
        yield f"{LOOPBACK}:{port}"
    finally:
        process.terminate()
        _end(process)


@contextmanager
def running_telescope(tango_host: str, instance: str, number: str = "1") -> Iterator[TelescopeServer]:
    """Run a telescope's device server as long as the context lasts.

    :param tango_host: ``host:port`` of the database
    :param instance: instance name of the server
    :param number: member name of the subarray device
    """
    server = TelescopeServer(tango_host, instance, number)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _run(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return line
    raise AssertionError(f"{process.args!r} ended before it wrote {text!r}:\n{''.join(lines)}")


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.communicate(timeout=_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
