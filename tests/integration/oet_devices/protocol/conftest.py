"""Two controllers in one server, and a third in another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.controllers import controller_proxy, controller_server
from tests.support.tango_stack import tango_database

FIRST, SECOND, THIRD = (f"mid-oet/controller/0{number}" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Tango database."""
    with tango_database(tmp_path_factory.mktemp("database")) as host:
        yield host


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that all controllers have theirs in."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def controllers(tango_host: str, state: Path) -> Iterator[list[tango.DeviceProxy]]:
    """Three controllers, the first two in one server."""
    with (
        controller_server(tango_host, state, [FIRST, SECOND], instance="01"),
        controller_server(tango_host, state, [THIRD], instance="02"),
    ):
        yield [controller_proxy(tango_host, device) for device in (FIRST, SECOND, THIRD)]


@pytest.fixture
def controller(controllers: list[tango.DeviceProxy]) -> tango.DeviceProxy:
    """The first controller."""
    return controllers[0]
