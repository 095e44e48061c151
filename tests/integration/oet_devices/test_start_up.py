"""Faults that prevent a device server or a controller from working are reported, with their fix."""

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import tango
from tests.support.site import start
from tests.support.tango_stack import LOOPBACK, device_proxy, device_server, register, tango_database

from oet_devices.ska.enums import HealthState

DEVICE = "test/oet/1"


@pytest.fixture(scope="module")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database that knows one server."""
    with tango_database(tmp_path_factory.mktemp("tango")) as host:
        register(host, "OETController/01", "OETController", DEVICE)
        yield host


@pytest.mark.parametrize("nowhere", ["127.0.0.1:1", "127.0.0.1:nonsense", "no-such-host.invalid:10000"])
def test_without_a_tango_database_it_says_where_it_has_looked(nowhere: str) -> None:
    status, [line] = start(nowhere, "01")
    assert status == 1
    assert f"the Tango database at {nowhere} cannot be reached" in line
    assert "TANGO_HOST" in line


def test_a_second_database_is_good_enough(tango_host: str) -> None:
    status, [line] = start(f"127.0.0.1:1,{tango_host}", "nobody")
    assert status != 0
    assert "cannot be reached" not in line


def test_an_unknown_instance_is_named(tango_host: str) -> None:
    status, [line] = start(tango_host, "nobody")
    assert status != 0
    assert "OETController/nobody is not defined in database" in line


def test_a_server_that_runs_already_is_left_alone(tango_host: str, tmp_path: Path) -> None:
    environment = {"OET_STATE_DIRECTORY": str(tmp_path)}
    with device_server(tango_host, "oet_devices.server", "01", env=environment):
        status, [line] = start(tango_host, "01")
        assert status != 0
        assert "already running" in line
        assert device_proxy(tango_host, DEVICE).ping() > 0


def test_a_port_that_is_taken_is_named(tango_host: str) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, lines = start(tango_host, "01", "-ORBendPoint", f"giop:tcp:{LOOPBACK}:{port}")
    assert status == 1
    assert str(port) in lines[-1]
    assert "choose another port" in lines[-1]
    assert not any("Traceback" in line for line in lines)


class Seen(NamedTuple):
    """State of a controller for a client."""

    state: tango.DevState
    health: HealthState
    status: str


def seen_with(properties: Mapping[str, str], tmp_path: Path) -> Seen:
    """Return what is seen of a controller that has properties."""
    with tango_database(tmp_path) as host:
        register(host, "OETController/01", "OETController", DEVICE, {k: [v] for k, v in properties.items()})
        environment = {"OET_STATE_DIRECTORY": str(tmp_path / "state")}
        with device_server(host, "oet_devices.server", "01", env=environment):
            controller = device_proxy(host, DEVICE)
            controller.adminMode = 0
            return Seen(controller.State(), HealthState(controller.healthState), controller.Status())


def test_a_property_of_the_wrong_type_is_a_fault_that_names_it(tmp_path: Path) -> None:
    seen = seen_with({"HistoryLength": "many"}, tmp_path)
    assert seen.state == tango.DevState.FAULT
    assert re.search(r"HistoryLength.*many", seen.status)
    assert "Traceback" not in seen.status


def test_a_state_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.touch()
    seen = seen_with({"StateDirectory": str(in_the_way / "state")}, tmp_path)
    assert seen.health == HealthState.DEGRADED
    assert f"the state directory cannot be written: [Errno 20] Not a directory: '{in_the_way}" in seen.status


def test_fault_of_the_journal_is_not_an_empty_list_of_procedures(tango_host: str, tmp_path: Path) -> None:
    device, state = "mid-oet/controller/faulty", tmp_path / "state"
    register(
        tango_host,
        "OETController/faulty",
        "OETController",
        device,
        {"StateDirectory": [str(state)], "HistoryLength": ["-1"]},
    )
    with device_server(tango_host, "oet_devices.server", "faulty"):
        controller = device_proxy(tango_host, device)
        for attribute in ("procedures", "activities"):
            with pytest.raises(tango.DevFailed, match="HistoryLength") as refused:
                controller.read_attribute(attribute)
            assert refused.value.args[0].reason == "OET_NotAvailable"
