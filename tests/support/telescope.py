"""A telescope of Tango devices in a process of their own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import tango
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_name, device_proxy, device_server, register

_MODULE = "tests.support.telescope_devices"


class TelescopeServer:
    """A device server with one subarray and one central node.

    :param tango_host: ``host:port`` of the database
    :param instance: instance name of the server
    :param number: member name of the subarray device
    """

    def __init__(self, tango_host: str, instance: str, number: str = "1") -> None:
        self._tango_host = tango_host
        self._instance = instance
        self._subarray = f"test-{instance}/subarray/{number}"
        self._central_node = f"test-{instance}/central-node/0"
        server = f"{_MODULE.rpartition('.')[2]}/{instance}"
        register(tango_host, server, "SubarrayNode", self._subarray)
        register(tango_host, server, "CentralNode", self._central_node)
        self._stack = ExitStack()
        self._process: ServerProcess | None = None

    @property
    def subarray(self) -> str:
        """Name of the subarray that holds without TANGO_HOST."""
        return device_name(self._tango_host, self._subarray)

    @property
    def proxy(self) -> tango.DeviceProxy:
        """A client of the subarray."""
        return device_proxy(self._tango_host, self._subarray)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead a script to these devices."""
        return {
            "TANGO_HOST": self._tango_host,
            "SUBARRAYNODE_FQDN_PREFIX": self._subarray.rpartition("/")[0],
            "CENTRALNODE_FQDN": self._central_node,
        }

    def start(self) -> None:
        """Run the server, and return when its devices can be called."""
        self._process = self._stack.enter_context(device_server(self._tango_host, _MODULE, self._instance))

    def crash(self) -> None:
        """End the server without a word to its clients."""
        assert self._process is not None
        self._process.kill()

    def stop(self) -> None:
        """End the server."""
        self._stack.close()


@contextmanager
def running_telescope(tango_host: str, instance: str, number: str = "1") -> Iterator[TelescopeServer]:
    """Run a telescope's device server as long as the context lasts.

    :param tango_host: ``host:port`` of the database
    :param instance: instance name of the server
    :param number: member name of the subarray device
    """
    server = TelescopeServer(tango_host, instance, number)
    try:
        server.start()
        yield server
    finally:
        server.stop()
