"""OETController with the Tango database that sites have."""

import json
from pathlib import Path

import pytest
import tango
from tests.support.lrc_client import invoke
from tests.support.site import CONTROLLER_CLASS, REGISTRATIONS, json2tango
from tests.support.tango_stack import device_proxy, device_server
from tests.support.tango_system import TangoSystem

from oet_devices.ska.enums import AdminMode, SimulationMode

CONTROLLER = "mid-oet/controller/01"
WAITS_FOR_A_FILE = """
import pathlib, threading, time

def main(path):
    print("waiting")
    while not pathlib.Path(path).exists():
        time.sleep(0.05)
    print("seen")
"""


REGISTERED = {
    "oet-mid": {"mid-oet/controller/01"},
    "oet-low": {"low-oet/controller/01"},
    "oet-four-subarrays": {f"mid-oet/controller/0{number}" for number in range(1, 5)},
}


@pytest.mark.parametrize("name", REGISTERED)
def test_registrations_load_and_may_be_loaded_again(name: str, system: TangoSystem, tmp_path: Path) -> None:
    for _ in range(2):
        json2tango(system.tango_host, REGISTRATIONS / f"{name}.json", tmp_path)
        controllers = set(system.database.get_device_name("OETController/*", CONTROLLER_CLASS))
        assert controllers >= REGISTERED[name]
        for device in REGISTERED[name]:
            memorised = system.database.get_device_attribute_property(device, "adminMode")["adminMode"]
            assert memorised["__value"] == ["0"]
    queries = system.database.get_class_property(CONTROLLER_CLASS, "AllowedAccessCmd")["AllowedAccessCmd"]
    assert "DescribeProcedure" in queries


def test_the_main_job(system: TangoSystem, environment: dict[str, str]) -> None:
    script = {"script_type": "embedded", "script": "def main(target):\n    print('observed', target)\n"}
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert controller.State() == tango.DevState.ON
        with invoke(controller, "Create", json.dumps({"script": script})) as create:
            assert create.wait_for_end().result[0] == 0  # type: ignore[index]
        arguments = {"script_args": {"main": {"args": ["M87"]}}}
        with invoke(controller, "Start", json.dumps(arguments)) as start:
            assert start.wait_for_end().result[0] == 0  # type: ignore[index]
        assert json.loads(controller.DescribeProcedure(0))["state"] == "COMPLETE"
        assert "observed M87" in controller.scriptOutput


def test_memorised_modes_outlive_the_device_server(system: TangoSystem, environment: dict[str, str]) -> None:
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert controller.adminMode == AdminMode.ONLINE
        controller.adminMode = AdminMode.OFFLINE
        controller.simulationMode = SimulationMode.TRUE
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert controller.adminMode == AdminMode.OFFLINE
        assert controller.simulationMode == SimulationMode.TRUE
        assert controller.State() == tango.DevState.DISABLE
        controller.adminMode = AdminMode.ONLINE
        controller.simulationMode = SimulationMode.FALSE


def test_a_controller_outlives_its_database(
    system: TangoSystem, environment: dict[str, str], tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        script = {"script_type": "embedded", "script": WAITS_FOR_A_FILE}
        with invoke(controller, "Create", json.dumps({"script": script})) as create:
            create.wait_for_end()
        arguments = {"script_args": {"main": {"args": [str(flag)]}}}
        with invoke(controller, "Start", json.dumps(arguments)) as start:
            system.stop()
            try:
                # The script goes on, and clients that are connected are served.
                assert controller.runningProcedure > 0
                flag.touch()
                assert start.wait_for_end().result[0] == 0  # type: ignore[index]
            finally:
                system.start()
        # Clients that come now find it, and what is memorised is written again.
        newcomer = device_proxy(system.tango_host, CONTROLLER)
        assert json.loads(newcomer.DescribeProcedure(0))["state"] == "COMPLETE"
        newcomer.adminMode = AdminMode.ENGINEERING
        memorised = system.database.get_device_attribute_property(CONTROLLER, "adminMode")
        assert memorised["adminMode"]["__value"] == [str(int(AdminMode.ENGINEERING))]
        newcomer.adminMode = AdminMode.ONLINE
