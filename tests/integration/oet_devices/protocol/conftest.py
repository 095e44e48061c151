"""Two controllers in one server, and a third in another."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import tango
from tests.support.controllers import controller_proxy, controller_server, embedded
from tests.support.lrc_client import CommandRefusedError, invoke
from tests.support.tango_stack import register, tango_database

_ENDS = ("COMPLETE", "FAILED", "STOPPED", "UNKNOWN")
FIRST, SECOND, THIRD = (f"mid-oet/controller/0{number}" for number in (1, 2, 3))
UNTOUCHED = "mid-oet/controller/04"


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Tango database."""
    with tango_database(tmp_path_factory.mktemp("database")) as host:
        yield host


@pytest.fixture(scope="package")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that all controllers have theirs in."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="package")
def controllers(tango_host: str, state: Path) -> Iterator[list[tango.DeviceProxy]]:
    """Three controllers, the first two in one server."""
    # No admin mode is remembered of this one: it starts OFFLINE.
    properties = {"StateDirectory": [str(state / "untouched")], "StandbyWorkers": ["0"]}
    register(tango_host, "OETController/02", "OETController", UNTOUCHED, properties)
    with (
        controller_server(tango_host, state, [FIRST, SECOND], instance="01"),
        controller_server(tango_host, state, [THIRD], instance="02"),
    ):
        yield [controller_proxy(tango_host, device) for device in (FIRST, SECOND, THIRD)]


@pytest.fixture(scope="package")
def untouched(tango_host: str, state: Path, controllers: list[tango.DeviceProxy]) -> tango.DeviceProxy:
    """A controller that was never taken into use, in the same server as the third."""
    return controller_proxy(tango_host, UNTOUCHED)


@pytest.fixture
def controller(controllers: list[tango.DeviceProxy]) -> tango.DeviceProxy:
    """The first controller."""
    return controllers[0]


def prepare(controller: tango.DeviceProxy, script: str, version: int = 2) -> int:
    """Create a procedure, wait until it is READY, and return its ID.

    :param script: text of the script
    :param version: version of the long-running-command protocol
    """
    with invoke(controller, "Create", embedded(script), version=version) as call:
        result = call.wait_for_end().result
    assert result is not None
    assert result[0] == 0, result
    return int(result[1]["id"])


def end_all(controller: tango.DeviceProxy) -> None:
    """Stop all procedures that are live."""
    live = [item for item in json.loads(controller.procedures) if item["state"] not in _ENDS]
    for procedure in live:
        # It may end by itself meanwhile.
        with suppress(CommandRefusedError), invoke(controller, "Stop", str(procedure["id"])) as stop:
            stop.wait_for_end()
