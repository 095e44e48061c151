"""Faults that prevent a device server or a controller from working, with the Tango database of sites."""

import tango
from tests.support.lrc_client import invoke
from tests.support.site import start
from tests.support.tango_stack import device_proxy, device_server
from tests.support.tango_system import TangoSystem

CONTROLLER = "mid-oet/controller/01"


def test_an_unknown_instance_is_named(system: TangoSystem) -> None:
    status, [line] = start(system.tango_host, "nobody")
    assert status != 0
    assert "OETController/nobody is not defined in database" in line


def test_a_server_that_runs_already_is_left_alone(system: TangoSystem, environment: dict[str, str]) -> None:
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        status, [line] = start(system.tango_host, "01")
        assert status != 0
        assert "already running" in line
        assert device_proxy(system.tango_host, CONTROLLER).ping() > 0


def test_a_property_of_the_wrong_type_is_a_fault_until_it_is_corrected(
    system: TangoSystem, environment: dict[str, str]
) -> None:
    system.database.put_device_property(CONTROLLER, {"HistoryLength": ["many"]})
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        try:
            assert controller.State() == tango.DevState.FAULT
            assert "HistoryLength" in controller.Status()
            assert "many" in controller.Status()
            assert "Traceback" not in controller.Status()
        finally:
            system.database.delete_device_property(CONTROLLER, "HistoryLength")
        with invoke(controller, "Reset", None) as reset:
            reset.wait_for_end()
        assert controller.State() == tango.DevState.ON


def test_a_device_that_another_server_runs_is_a_fault_that_names_that_server(
    system: TangoSystem, environment: dict[str, str]
) -> None:
    taken = tango.DbDevInfo()
    taken.server, taken._class, taken.name = "OETController/other", "OETController", CONTROLLER
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment) as first:
        system.database.add_device(taken)
        try:
            with device_server(system.tango_host, "oet_devices.server", "other", env=environment):
                status = device_proxy(system.tango_host, CONTROLLER).Status()
        finally:
            taken.server = "OETController/01"
            system.database.add_device(taken)
    assert f"is in use by process {first.pid}" in status
