"""The questions that Kubernetes asks a device server, as commands."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import tango
from tango.test_context import parse_ior
from tests.support.tango_stack import database, device_proxy, device_server, register

NOBODY_LISTENS_AT = 1


def probe(question: str, instance: str, port: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "oet_devices.probe", question, instance, "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def port_of(tango_host: str, device: str) -> int:
    """Return the port at which the server of a device listens."""
    return int(parse_ior(database(tango_host).get_device_info(device).ior).port)


@pytest.fixture(scope="module")
def two_controllers(tango_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """A server with a controller that works, and one whose property is wrong."""
    names = ["test/probe/good", "test/probe/bad"]
    register(tango_host, "OETController/probe", "OETController", names[0])
    register(tango_host, "OETController/probe", "OETController", names[1], {"HistoryLength": ["-1"]})
    environment = {"OET_STATE_DIRECTORY": str(tmp_path_factory.mktemp("probe"))}
    with device_server(tango_host, "oet_devices.server", "probe", env=environment):
        yield names


def test_a_server_that_works_is_alive_and_ready(tango_host: str, controller: tango.DeviceProxy) -> None:
    port = port_of(tango_host, controller.name())
    for question in ("alive", "ready"):
        assert probe(question, "01", port).returncode == 0


def test_a_controller_that_cannot_work_is_alive_and_not_ready(
    tango_host: str, two_controllers: list[str]
) -> None:
    good, bad = two_controllers
    port = port_of(tango_host, bad)
    device_proxy(tango_host, bad).adminMode = 0
    assert probe("alive", "probe", port).returncode == 0
    asked = probe("ready", "probe", port)
    assert asked.returncode == 1
    assert bad in asked.stderr
    assert "HistoryLength" in asked.stderr
    assert good not in asked.stderr


def test_where_nobody_answers_nobody_is_alive() -> None:
    for question in ("alive", "ready"):
        asked = probe(question, "01", NOBODY_LISTENS_AT)
        assert asked.returncode == 1
        assert len(asked.stderr.splitlines()) == 1
