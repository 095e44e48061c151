"""Admin mode, state, health and status of a live device, and what survives a restart."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import tango
from tests.integration.oet_devices.ska.conftest import DEVICE_CLASS, SERVER
from tests.support.events import listen
from tests.support.lrc_client import CommandRefusedError, invoke
from tests.support.patience import PATIENCE
from tests.support.tango_stack import database, device_proxy, device_server, register

from oet_devices.ska.enums import ResultCode, TaskStatus

_State = tango.DevState


def test_from_offline_to_on(device: tango.DeviceProxy) -> None:
    with listen(device, ["adminMode", "State", "Status"]) as log:
        device.adminMode = "ONLINE"
        log.wait_for("Status", "The device is in ON state.")
    assert [tuple(event) for event in log.events] == [
        ("adminMode", 1),
        ("State", _State.DISABLE),
        ("Status", "The device is in DISABLE state."),
        ("adminMode", 0),
        ("State", _State.UNKNOWN),
        ("Status", "The device is in UNKNOWN state."),
        ("State", _State.ON),
        ("Status", "The device is in ON state."),
    ]


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("ONLINE", _State.ON),
        ("ENGINEERING", _State.ON),
        ("OFFLINE", _State.DISABLE),
        ("NOT_FITTED", _State.DISABLE),
    ],
)
def test_state_that_an_admin_mode_gives(device: tango.DeviceProxy, mode: str, state: tango.DevState) -> None:
    device.adminMode = "ONLINE"
    device.adminMode = mode
    assert device.State() == state


def test_engineering_after_online_does_not_start_anew(online: tango.DeviceProxy) -> None:
    with listen(online, ["State", "adminMode"]) as log:
        online.adminMode = "ENGINEERING"
        log.wait_for("adminMode", 2)
        online.adminMode = "OFFLINE"
        log.wait_for("State", _State.DISABLE)
    assert log.of("State") == [_State.ON, _State.DISABLE]


def test_off_standby_and_on_lead_where_they_say(online: tango.DeviceProxy) -> None:
    for command, state in (("Off", "OFF"), ("Standby", "STANDBY"), ("On", "ON")):
        with listen(online, ["commandedState", "State"]) as log, invoke(online, command) as call:
            assert call.wait_for_end().result == [0, f"{command} completed OK"]
            log.wait_for("State", getattr(_State, state))
        assert log.of("commandedState")[-1] == state
        assert str(online.State()) == online.commandedState == state
    with pytest.raises(CommandRefusedError, match=r"^Device is already in ON state\.$"), invoke(online, "On"):
        pass


def test_a_device_that_is_taken_into_use_is_on_whatever_it_was_before(online: tango.DeviceProxy) -> None:
    with invoke(online, "Off") as call:
        call.wait_for_end()
    online.adminMode = "OFFLINE"
    with listen(online, ["State"]) as log:
        online.adminMode = "ONLINE"
        log.wait_for("State", _State.ON)
    assert log.of("State") == [_State.DISABLE, _State.UNKNOWN, _State.ON]


def test_a_fault_is_in_status_with_its_reason_until_reset(online: tango.DeviceProxy) -> None:
    with listen(online, ["State", "Status"]) as log:
        # A reason may hold any character; a Tango string may not.
        online.Report('{"communication": "ESTABLISHED", "fault": "The drive is stuck \\u2014 call \\u0394."}')
        log.wait_until(lambda log: "stuck" in log.of("Status")[-1])
        assert online.State() == _State.FAULT
        assert online.Status() == "The device is in FAULT state.\nThe drive is stuck ? call ?."
        with invoke(online, "Reset") as call:
            assert call.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        log.wait_for("Status", "The device is in UNKNOWN state.")
    assert online.State() == _State.ON


def test_a_fault_that_changes_is_announced(online: tango.DeviceProxy) -> None:
    with listen(online, ["State", "Status"]) as log:
        for fault in ("one", "two"):
            online.Report(f'{{"communication": "ESTABLISHED", "fault": "{fault}"}}')
        log.wait_for("Status", "The device is in FAULT state.\ntwo")
    assert log.of("State") == [_State.ON, _State.FAULT]


def test_health_is_told_with_its_reason(online: tango.DeviceProxy) -> None:
    with listen(online, ["healthState", "Status"]) as log:
        online.Report('{"health": "DEGRADED", "reason": "The disk is full."}')
        log.wait_for("Status", "The device is in ON state.\nHealth is DEGRADED: The disk is full.")
        online.Report('{"health": "OK", "reason": ""}')
        log.wait_for("healthState", 0)
        log.wait_until(lambda log: log.of("Status")[-1] == "The device is in ON state.")
    assert log.of("healthState") == [3, 1, 0]
    assert online.healthState == 0


@contextmanager
def _one_device(
    tango_host: str, instance: str, properties: dict[str, list[str]] | None = None
) -> Iterator[str]:
    """Register a server of its own for a test, and name its device."""
    name = f"test/restart/{instance}"
    register(tango_host, f"{DEVICE_CLASS}/{instance}", DEVICE_CLASS, name, properties)
    yield name
    database(tango_host).delete_device(name)


def test_modes_survive_a_restart(tango_host: str) -> None:
    modes = {"adminMode": 2, "controlMode": 1, "simulationMode": 1, "testMode": 1}
    with _one_device(tango_host, "memory") as name:
        with device_server(tango_host, SERVER, "memory"):
            device = device_proxy(tango_host, name)
            for mode, value in modes.items():
                device.write_attribute(mode, value)
        with device_server(tango_host, SERVER, "memory"):
            device = device_proxy(tango_host, name)
            assert {mode: device.read_attribute(mode).value for mode in modes} == modes
            assert device.State() == _State.ON


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("LoggingTargetsDefault", ["nowhere"], "'nowhere' is not a logging target: use tango::logger"),
        ("LoggingLevelDefault", ["9"], "property LoggingLevelDefault is 9: give 0 (OFF) to 5 (DEBUG)"),
        ("SkaLevel", ["0"], "property SkaLevel is 0: give 1 to 6"),
        ("GroupDefinitions", ['{"group_name": "dishes"}', "[1]"], "'[1]' is not a JSON object"),
        ("Answer", ["many"], "'many'"),
    ],
)
def test_a_wrong_property_is_a_fault_until_it_is_fixed(
    tango_host: str, device: tango.DeviceProxy, name: str, wrong: list[str], reason: str
) -> None:
    device.adminMode = "ONLINE"
    device.put_property({name: wrong})
    device.Init()

    assert (device.State(), device.healthState) == (_State.FAULT, 2)
    assert name in device.Status()
    assert reason in device.Status()
    assert device.Status().endswith("Fix that, then send Reset.")
    with invoke(device, "Reset") as call:
        assert call.wait_for_end().statuses[-1] is TaskStatus.FAILED
        assert call.result is not None
        assert name in call.result[1]
    assert device.State() == _State.FAULT

    device.delete_property(name)
    with invoke(device, "Reset") as call:
        assert call.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
    assert (device.State(), device.healthState) == (_State.ON, 3)
    assert device.value == 42


def test_a_device_in_fault_can_be_switched_off_and_not_on(online: tango.DeviceProxy) -> None:
    online.Report('{"communication": "ESTABLISHED", "fault": "The drive is stuck."}')
    with invoke(online, "Off") as call:
        assert call.wait_for_end().result == [0, "Off completed OK"]
    assert (online.State(), online.commandedState) == (_State.OFF, "OFF")
    assert "The drive is stuck." in online.Status(), "that is still so"
    with invoke(online, "On") as call:
        assert call.wait_for_end().result == [3, "The drive is stuck."]
    assert online.State() == _State.FAULT


def test_init_forgets_health_and_commanded_state_and_tells_so(online: tango.DeviceProxy) -> None:
    online.Report('{"health": "FAILED", "reason": "No power."}')
    online.Off()
    with listen(online, ["healthState", "commandedState"]) as log:
        online.Init()
        log.wait_for("commandedState", "None")
    assert log.of("healthState") == [2, 3]
    assert online.State() == _State.ON, "the memorised admin mode is written again"
    assert online.commandedState == "None"


def test_a_port_for_a_debugger(device: tango.DeviceProxy) -> None:
    port = device.DebugDevice()
    assert port == device.DebugDevice()
    socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()


def test_reset_without_a_fault_is_taken(online: tango.DeviceProxy) -> None:
    [code], [_] = online.Reset()
    assert code == ResultCode.QUEUED
    assert online.State() == _State.ON
