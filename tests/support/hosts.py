"""Hosts of a site: network namespaces on a private network, which single hosts can be cut off from.

That takes the rights of an administrator and Debian's package iproute2.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_NETWORK = "198.18"
"""Addresses that no real network uses: they are reserved for tests of network equipment (RFC 2544)."""
_HUB = "hub"
_OURS = 254
"""Last part of the address of this process."""


class NoNamespacesError(Exception):
    """Network namespaces cannot be made here. The text says why."""


@dataclass(frozen=True)
class Host:
    """A host of the private network.

    :param namespace: name of its network namespace
    :param address: IP address
    """

    namespace: str
    address: str

    @property
    def name(self) -> str:
        """Its host name."""
        return f"host{self.address.rpartition('.')[2]}"

    def command(self, *command: str) -> list[str]:
        """Return the command line that runs a command on this host."""
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name]
        return ["ip", "netns", "exec", self.namespace, *named, *command]


class PrivateNetwork:
    """A bridge, hosts that are plugged into it, and a plug for this process.

    :param number: third part of all addresses
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._prefix = f"oet{os.getpid()}"

    @property
    def _hub(self) -> str:
        return f"{self._prefix}-{_HUB}"

    def address(self, last: int) -> str:
        """Return an address of the network."""
        return f"{_NETWORK}.{self._number}.{last}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Set up the network without hosts as long as the context lasts.

        :raises NoNamespacesError: if this process may not
        """
        with _namespace(self._hub):
            _ip("-n", self._hub, "link", "add", "bridge", "type", "bridge")
            _ip("-n", self._hub, "link", "set", "bridge", "up")
            plug = f"{self._prefix}p"
            _ip("link", "add", plug, "type", "veth", "peer", "name", "tests", "netns", self._hub)
            try:
                self._plug_in("tests")
                _ip("address", "add", f"{self.address(_OURS)}/24", "dev", plug)
                _ip("link", "set", plug, "up")
                yield
            finally:
                _ip("link", "delete", plug)

    @contextmanager
    def host(self, last: int) -> Iterator[Host]:
        """Plug in a host as long as the context lasts.

        :param last: last part of its address, which names it
        """
        host = Host(f"{self._prefix}-{last}", self.address(last))
        with _namespace(host.namespace):
            plug = ("link", "add", host.name, "type", "veth")
            _ip("-n", self._hub, *plug, "peer", "name", "eth0", "netns", host.namespace)
            self._plug_in(host.name)
            _ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", host.namespace, "link", "set", device, "up")
            yield host

    @contextmanager
    def cut_off(self, host: Host) -> Iterator[None]:
        """Have a host reach nobody, and nobody reach it, as long as the context lasts."""
        _ip("-n", self._hub, "link", "set", host.name, "down")
        try:
            yield
        finally:
            _ip("-n", self._hub, "link", "set", host.name, "up")

    def _plug_in(self, plug: str) -> None:
        _ip("-n", self._hub, "link", "set", plug, "master", "bridge")
        _ip("-n", self._hub, "link", "set", plug, "up")


@contextmanager
def private_network(hosts: Sequence[int]) -> Iterator[tuple[PrivateNetwork, list[Host]]]:
    """Set up a network with hosts as long as the context lasts.

    :param hosts: last parts of their addresses
    :raises NoNamespacesError: if this process may not
    """
    # Runs at the same time take different addresses.
    network = PrivateNetwork(os.getpid() % 256)
    with ExitStack() as running:
        running.enter_context(network.running())
        yield network, [running.enter_context(network.host(last)) for last in hosts]


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    if shutil.which("ip") is None:
        raise NoNamespacesError("the command ip is not installed (Debian package iproute2)")
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        raise NoNamespacesError(f"a network namespace cannot be made: {error.stderr.strip()}") from None
    try:
        yield
    finally:
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=30)
