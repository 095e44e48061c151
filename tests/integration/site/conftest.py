"""A telescope with four subarrays as it comes out of the files that ship: one of its two servers runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.processes import ServerProcess
from tests.support.site import REGISTRATIONS, json2tango
from tests.support.tango_stack import database, device_proxy, device_server, tango_database

CONTROLLER = "mid-oet/controller/01"


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database that the registration of four subarrays was loaded into."""
    folder = tmp_path_factory.mktemp("site")
    with tango_database(folder) as host:
        json2tango(host, REGISTRATIONS / "oet-four-subarrays.json", folder)
        yield host


@pytest.fixture(scope="package")
def state_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the controllers keep their state."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="package")
def server(tango_host: str, state_directory: Path) -> Iterator[ServerProcess]:
    """The server of the first two controllers."""
    for device in database(tango_host).get_device_exported("*/controller/*"):
        raise AssertionError(f"{device} runs already")
    environment = {"OET_STATE_DIRECTORY": str(state_directory)}
    with device_server(tango_host, "oet_devices.server", "01", env=environment) as process:
        yield process


@pytest.fixture(scope="package")
def controller(tango_host: str, server: ServerProcess) -> tango.DeviceProxy:
    """The first controller."""
    return device_proxy(tango_host, CONTROLLER)


@pytest.fixture(scope="package")
def admin(tango_host: str, server: ServerProcess) -> tango.DeviceProxy:
    """The admin device of the server that runs."""
    return device_proxy(tango_host, "dserver/OETController/01")
