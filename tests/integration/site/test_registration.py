"""The registrations that ship, loaded into a real Tango database with the command that sites use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tango
from tests.support.processes import ServerProcess
from tests.support.site import (
    CONTROLLER_CLASS,
    HAS_WRITTEN,
    NOTHING_TO_DO,
    REGISTRATIONS,
    json2tango,
)
from tests.support.tango_stack import database, device_proxy, tango_database

from oet_devices.registration import registration_file

DEVICES = {
    "oet-mid": {"01": ["mid-oet/controller/01"]},
    "oet-low": {"01": ["low-oet/controller/01"]},
    "oet-four-subarrays": {
        "01": ["mid-oet/controller/01", "mid-oet/controller/02"],
        "02": ["mid-oet/controller/03", "mid-oet/controller/04"],
    },
}


def test_each_registration_is_known_here() -> None:
    assert {path.stem for path in REGISTRATIONS.glob("*.json")} == set(DEVICES)


@pytest.mark.parametrize("name", DEVICES)
def test_a_registration_makes_its_servers_and_devices(name: str, tmp_path: Path) -> None:
    file = registration_file(name)
    with tango_database(tmp_path) as host:
        assert json2tango(host, file, tmp_path) == HAS_WRITTEN
        found = database(host)
        for instance, devices in DEVICES[name].items():
            registered = found.get_device_name(f"OETController/{instance}", CONTROLLER_CLASS)
            assert sorted(registered) == devices
            for device in devices:
                assert found.get_device_attribute_property(device, "adminMode")["adminMode"]["__value"] == [
                    "0"
                ]
        assert json2tango(host, file, tmp_path) == NOTHING_TO_DO


def test_controllers_of_a_registration_are_ready_when_their_server_runs(
    tango_host: str, server: ServerProcess
) -> None:
    for device in DEVICES["oet-four-subarrays"]["01"]:
        assert device_proxy(tango_host, device).State() == tango.DevState.ON


def test_query_commands_are_registered_and_are_those_of_the_device(
    tango_host: str, controller: tango.DeviceProxy
) -> None:
    known = database(tango_host).get_class_property(CONTROLLER_CLASS, "AllowedAccessCmd")
    commands = {command.cmd_name for command in controller.command_list_query()}
    queries = {name for name in commands if name.startswith(("Check", "Describe", "Get"))}
    assert set(known["AllowedAccessCmd"]) == queries


def register(tango_host: str, name: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "oet_devices.registration", name],
        env={**os.environ, "TANGO_HOST": tango_host},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_of_the_distribution_registers_a_file_and_what_ships(
    tango_host: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.json"
    device = {"properties": {"HistoryLength": ["3"]}}
    file.write_text(json.dumps({"servers": {"OETController": {"x": {"OETController": {"a/b/c": device}}}}}))
    done = register(tango_host, str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "a/b/c" in done.stdout
    assert database(tango_host).get_device_property("a/b/c", "HistoryLength")["HistoryLength"] == ["3"]
    assert register(tango_host, "oet-mid").returncode == 0


@pytest.mark.parametrize(
    ("tango_host_of_it", "name", "told"),
    [
        ("127.0.0.1:1", "oet-mid", "127.0.0.1 with port 1"),
        ("127.0.0.1:1", "oet-hihg", "known are oet-four-subarrays, oet-low, oet-mid"),
    ],
)
def test_what_cannot_be_registered_is_told_in_a_line(tango_host_of_it: str, name: str, told: str) -> None:
    done = register(tango_host_of_it, name)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
