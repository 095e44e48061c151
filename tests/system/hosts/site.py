"""Four hosts with a device server each, and a fifth with the Tango database and the gateway."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import tango
from tests.support.controllers import MODULE, register_controller
from tests.support.hosts import Host, PrivateNetwork, private_network
from tests.support.mariadb_server import running_mariadb
from tests.support.oet_stack import Sidecar, sidecar
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess
from tests.support.tango_stack import READY, device_proxy, launch_device_server
from tests.support.tango_system import TangoSystem

_CENTRE = 1
"""Last part of the address of the host with the Tango database and the gateway."""
_HOSTS = (11, 12, 13, 14)
_CONTROLLERS_PER_HOST = 4
_TOKEN = "token-of-the-hosts-test"


@dataclass(frozen=True)
class Site:
    """Programs on the hosts.

    :param network: that joins the hosts
    :param hosts: those with device servers
    :param system: Tango database
    :param servers: device server of each host, by the host's name; a Starter runs that of the last host
    :param gateway: serves all controllers
    :param state: folder with the state of all controllers
    """

    network: PrivateNetwork
    hosts: list[Host]
    system: TangoSystem
    servers: dict[str, ServerProcess]
    gateway: Sidecar
    state: Path

    def subarrays(self, host: Host) -> range:
        """Return the numbers of the subarrays whose controllers run on a host."""
        return subarrays_of(self.hosts.index(host))

    @property
    def all_subarrays(self) -> list[int]:
        """The numbers of all subarrays."""
        return [number for host in self.hosts for number in self.subarrays(host)]

    def controller(self, number: int) -> tango.DeviceProxy:
        """Return a Tango client of the controller of a subarray."""
        return device_proxy(self.system.tango_host, device(number))

    def request(self, method: str, number: int, path: str, body: object = None) -> httpx.Response:
        """Send a request about the controller of a subarray to the gateway."""
        url = f"{self.gateway.root}/subarrays/{number}/api/v1.0{path}"
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        return httpx.request(method, url, json=body, headers=headers, timeout=PATIENCE)

    def unavailable(self) -> dict[int, dict[str, object]]:
        """Return what the gateway lists of the controllers that are unavailable, by subarray."""
        listed = self.gateway.http.get("/subarrays").json()
        return {each["subarray_id"]: each for each in listed if not each["available"]}


def device(number: int) -> str:
    """Return the name of the controller of a subarray."""
    return f"mid-oet/controller/{number:02}"


def subarrays_of(host: int) -> range:
    """Return the numbers of the subarrays of a host.

    :param host: 0 for the first
    """
    return range(1 + _CONTROLLERS_PER_HOST * host, 1 + _CONTROLLERS_PER_HOST * (host + 1))


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Run the site as long as the context lasts.

    :param folder: for the state of the controllers
    :raises NoNamespacesError: if this process may not make hosts
    """
    with ExitStack() as running:
        network, (centre, *hosts) = running.enter_context(private_network((_CENTRE, *_HOSTS)))
        mariadb = running.enter_context(running_mariadb(centre.command()))
        system = TangoSystem(mariadb, centre.address, centre.command())
        system.create()
        system.start()
        running.callback(system.stop)
        servers = {}
        for index, host in enumerate(hosts):
            register_host(system.tango_host, host, subarrays_of(index), folder)
        for host in hosts[:-1]:
            servers[host.name] = process = launch_device_server(
                *(system.tango_host, MODULE, host.name), address=host.address, within=host.command()
            )
            running.callback(process.stop)
        for process in servers.values():
            process.wait_for_output(READY)
        numbers = [number for index in range(len(hosts)) for number in subarrays_of(index)]
        options = [f"--device={number}={device(number)}" for number in numbers]
        listening = sidecar(
            *(system.tango_host, f"--host={centre.address}", *options),
            env={"OET_API_TOKEN": _TOKEN},
            within=centre.command(),
        )
        yield Site(network, hosts, system, servers, running.enter_context(listening), folder)


def register_host(tango_host: str, host: Host, subarrays: Sequence[int], folder: Path) -> None:
    """Register the server of a host, and its controllers.

    :param tango_host: address of the Tango database
    :param host: the host
    :param subarrays: numbers of the subarrays of its controllers
    :param folder: for the state of the controllers
    """
    for number in subarrays:
        known = {"SubarrayId": [str(number)], "StandbyWorkers": ["0"]}
        register_controller(tango_host, device(number), folder / str(number), instance=host.name, **known)
