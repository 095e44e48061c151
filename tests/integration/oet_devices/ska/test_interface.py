"""The live device against the tables of the specification."""

from enum import IntEnum
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.ska.conftest import UNTOUCHED
from tests.support.events import listen
from tests.support.processes import ServerProcess
from tests.support.ska_interface import INTERFACE, attribute_row, command_row, plain, require_not_allowed
from tests.support.tango_stack import device_proxy

from oet_devices.ska import enums
from oet_devices.ska.enums import ResultCode
from ska_oso_oet import client


def _name(row: dict[str, Any]) -> str:
    return str(row["name"])


@pytest.fixture(scope="module")
def untouched(tango_host: str, server: ServerProcess) -> tango.DeviceProxy:
    """A device that tests only look at."""
    return device_proxy(tango_host, UNTOUCHED)


@pytest.mark.parametrize(("name", "members"), INTERFACE["enumerations"].items())
def test_numbers_of_enumerations(name: str, members: dict[str, int]) -> None:
    enumeration: type[IntEnum] = getattr(enums, name)
    assert {member.name: member.value for member in enumeration} == members


def test_numbers_of_the_client_that_ships_are_the_same() -> None:
    # It runs where there is no device server, and has its own.
    assert {member.name: member.value for member in client.ResultCode} == INTERFACE["enumerations"][
        "ResultCode"
    ]


@pytest.mark.parametrize("row", INTERFACE["attributes"], ids=_name)
def test_attribute(untouched: tango.DeviceProxy, row: dict[str, Any]) -> None:
    expected = {key: value for key, value in row.items() if key != "first_event"}
    assert attribute_row(untouched, row["name"]) == expected


def test_first_events(device: tango.DeviceProxy) -> None:
    expected = {row["name"]: row["first_event"] for row in INTERFACE["attributes"] if "first_event" in row}
    with listen(device, expected) as log:
        # Of several events the first one counts.
        assert {event.attribute: plain(event.value) for event in reversed(log.events)} == expected
        assert not log.errors


def test_empty_spectra_are_empty_tuples(device: tango.DeviceProxy) -> None:
    names = ["lrcQueue", "lrcExecuting", "lrcFinished", "_lrcEvent"]
    with listen(device, names) as log:
        assert [event.value for event in log.events] == [()] * len(names)


@pytest.mark.parametrize("row", INTERFACE["commands"], ids=_name)
def test_command(untouched: tango.DeviceProxy, row: dict[str, Any]) -> None:
    assert command_row(untouched, row["name"]) == row


def test_properties(device: tango.DeviceProxy) -> None:
    admin = tango.DeviceProxy(device.adm_name())
    flat = admin.QueryWizardDevProperty("SkaTestDevice")
    found = {name: default for name, _, default in zip(flat[::3], flat[1::3], flat[2::3], strict=True)}
    for row in INTERFACE["properties"]:
        assert found[row["name"]] == row["default"]
    assert all(flat[1::3]), "each property says what it is"


def test_every_attribute_and_command_says_what_it_is(device: tango.DeviceProxy) -> None:
    for config in device.attribute_list_query_ex():
        if config.name not in ("State", "Status"):
            assert config.description not in ("", "No description"), config.name
            assert config.label
    for row in INTERFACE["commands"]:
        if row["name"] != "Init":
            assert "documented" not in device.get_command_config(row["name"]).out_type_desc, row["name"]


_TO_REACH = {
    "DISABLE": '{"communication": "DISABLED"}',
    "UNKNOWN": '{"communication": "NOT_ESTABLISHED"}',
    "ON": '{"power": "ON"}',
    "STANDBY": '{"power": "STANDBY"}',
    "OFF": '{"power": "OFF"}',
    "FAULT": '{"communication": "ESTABLISHED", "fault": "The drive is stuck.", "power": "ON"}',
}


@pytest.mark.parametrize("state", _TO_REACH)
def test_commands_are_taken_only_in_the_allowed_states(device: tango.DeviceProxy, state: str) -> None:
    target = {"On": "ON", "Off": "OFF", "Standby": "STANDBY"}
    for command, allowed in INTERFACE["allowed_states"].items():
        device.adminMode = "OFFLINE"
        if state != "DISABLE":
            device.adminMode = "ONLINE"
        device.Report(_TO_REACH[state])
        assert str(device.State()) == state

        if state not in allowed:
            require_not_allowed(device, command)
            continue
        [code], [text] = device.command_inout(command)
        if target.get(command) == state:
            assert (code, text) == (ResultCode.REJECTED, f"Device is already in {state} state.")
        else:
            assert code == ResultCode.QUEUED
            assert text.endswith(f"_{command}")


def test_what_the_device_tells_of_its_software(device: tango.DeviceProxy) -> None:
    assert device.GetVersionInfo() == ["SkaTestDevice, ska-test-device, 1.2.3, A device for tests."]
    assert device.versionId == "1.2.3"
    assert device.buildState == "ska-test-device, 1.2.3, A device for tests."
