"""Threads of each further controller of a server: a telescope may run all of them in one."""

from functools import partial
from pathlib import Path

import psutil
import tango
from tests.support.controllers import MODULE, register_controller
from tests.support.lrc_client import invoke
from tests.support.patience import wait_until
from tests.support.tango_stack import device_proxy, device_server, tango_database

from oet_devices.properties import SHIPPED_SCRIPTS

MOST_THREADS = 10
"""Threads of one more controller."""


def has_standby_worker(controller: tango.DeviceProxy) -> bool:
    return "1 standby worker" in controller.status()


def threads_of(tmp_path: Path, host: str, controllers: int) -> int:
    """Return how many threads a server of some controllers has, each of which has run a script."""
    instance = f"threads-{controllers}"
    devices = [f"test/threads/{controllers}-{number}" for number in range(controllers)]
    for device in devices:
        state = tmp_path / device.replace("/", "-")
        register_controller(host, device, state, instance=instance, ScriptRoots=[str(SHIPPED_SCRIPTS)])
    with device_server(host, MODULE, instance) as server:
        proxies = [device_proxy(host, device) for device in devices]
        for proxy in proxies:
            for command, argument in (
                ("Create", (SHIPPED_SCRIPTS / "hello_world.py").as_uri()),
                ("Start", ""),
            ):
                with invoke(proxy, command, argument) as call:
                    call.wait_for_end()
        for proxy in proxies:
            wait_until(partial(has_standby_worker, proxy), "a standby worker")
        return psutil.Process(server.pid).num_threads()


def test_a_further_controller_takes_few_threads(tmp_path: Path) -> None:
    with tango_database(tmp_path) as host:
        one = threads_of(tmp_path, host, 1)
        three = threads_of(tmp_path, host, 3)
    # One more for the clients of the others.
    assert (three - one) / 2 <= MOST_THREADS + 1
