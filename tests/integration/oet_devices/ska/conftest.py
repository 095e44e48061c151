"""A device server with test devices, one for each test that asks."""

import itertools
from collections.abc import Iterator

import pytest
import tango
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_proxy, device_server, register, tango_database

SERVER = "tests.integration.oet_devices.ska.ska_test_device"
"""The module that ``python -m`` runs."""
DEVICE_CLASS = "SkaTestDevice"

UNTOUCHED = "test/ska/untouched"
_DEVICES = [f"test/ska/{number}" for number in range(1, 101)]


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database of its own."""
    with tango_database(tmp_path_factory.mktemp("tango")) as host:
        yield host


@pytest.fixture(scope="package")
def server(tango_host: str) -> Iterator[ServerProcess]:
    """A device server with devices that no test has touched yet."""
    for device in (UNTOUCHED, *_DEVICES):
        register(tango_host, f"{DEVICE_CLASS}/tests", DEVICE_CLASS, device)
    with device_server(tango_host, SERVER, "tests") as process:
        yield process


@pytest.fixture(scope="package")
def _unused_devices() -> Iterator[str]:
    return itertools.chain(_DEVICES)


@pytest.fixture
def device(tango_host: str, server: ServerProcess, _unused_devices: Iterator[str]) -> tango.DeviceProxy:
    """A device that is as it was when its server started: OFFLINE."""
    return device_proxy(tango_host, next(_unused_devices))


@pytest.fixture
def online(device: tango.DeviceProxy) -> tango.DeviceProxy:
    """A device that is ON."""
    device.adminMode = 0
    assert device.State() == tango.DevState.ON
    return device
