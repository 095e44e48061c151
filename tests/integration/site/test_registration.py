"""The registrations that ship, loaded into a real Tango database with the command that sites use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tango
from tests.support.patience import LONG_PATIENCE
from tests.support.processes import ServerProcess
from tests.support.site import (
    CONTROLLER_CLASS,
    HAS_WRITTEN,
    NOTHING_TO_DO,
    REGISTRATIONS,
    json2tango,
)
from tests.support.tango_stack import database, device_proxy, tango_database

from oet_devices.controller import OETController
from oet_devices.tools.registration import registration_file

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


def test_what_the_device_says_of_itself(tango_host: str, controller: tango.DeviceProxy) -> None:
    info = controller.info()
    assert info.doc_url.endswith("https://developer.skao.int/projects/ska-oso-oet/")
    assert info.version_info["ska-oso-oet-tango"] == controller.versionId
    known = database(tango_host).get_class_property(CONTROLLER_CLASS, ["Description", "ProjectTitle"])
    assert list(known["ProjectTitle"]) == ["Observation Execution Tool"]
    assert [f"{line}" for line in known["Description"]] == [(OETController.__doc__ or "").partition("\n")[0]]


def register(tango_host: str, name: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "oet_devices.tools.registration", name],
        env={**os.environ, "TANGO_HOST": tango_host},
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
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
    ("name", "reported"),
    [
        ("oet-hihg", "known are oet-four-subarrays, oet-low, oet-mid"),
        ("/tmp", "known are oet-four-subarrays, oet-low, oet-mid"),
        ("oet-mid", "127.0.0.1 with port 1"),
    ],
)
def test_what_cannot_be_registered_is_told_in_a_line(name: str, reported: str) -> None:
    assert reported in what_is_told(register("127.0.0.1:1", name))


def what_is_told(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line that a command has ended with."""
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b'{"servers": ', "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "it has neither servers nor classes nor devices"),
        (b'{"servers": 3}', "it is not in the format of dsconfig"),
        (b'{"servers": {"OETController": {"01": {"OETController": {"no-slashes": {}}}}}}', "'no-slashes'"),
        (b'{"servers": {"OETController": {"01": {"OETController": {"a/b/c": 3}}}}}', "a/b/c: 3 is not"),
    ],
)
def test_a_file_that_is_no_registration_is_told_in_a_line(
    content: bytes, reported: str, tango_host: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.json"
    file.write_bytes(content)
    assert reported in what_is_told(register(tango_host, str(file)))


def test_a_file_may_be_about_classes_alone(tango_host: str, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    file.write_text(json.dumps({"classes": {"SomeClass": {"properties": {"Some": ["value"]}}}}))
    assert register(tango_host, str(file)).returncode == 0
    assert database(tango_host).get_class_property("SomeClass", "Some")["Some"] == ["value"]


def test_a_controller_that_was_taken_out_of_use_stays_out_of_use(tango_host: str) -> None:
    """An upgrade registers once more: that is not to bring into use what operators took out of it."""
    found, device = database(tango_host), "low-oet/controller/01"
    assert register(tango_host, "oet-low").returncode == 0
    found.put_device_attribute_property(device, {"adminMode": {"__value": ["1"]}})
    assert register(tango_host, "oet-low").returncode == 0
    memorised = found.get_device_attribute_property(device, "adminMode")
    assert memorised["adminMode"]["__value"] == ["1"]
