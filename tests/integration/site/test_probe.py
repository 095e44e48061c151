"""The questions that Kubernetes asks a device server, as commands."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import tango
from tests.support.chart import containers, render
from tests.support.patience import PATIENCE
from tests.support.tango_stack import LOOPBACK, device_proxy, device_server, register

NOWHERE = "127.0.0.1:1"


def probe(
    question: str, instance: str, tango_host: str, timeout: float = PATIENCE
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "oet_devices.tools.probe", question, instance]
    variables = {**os.environ, "TANGO_HOST": tango_host}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=timeout)


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
    for question in ("alive", "ready"):
        assert probe(question, "01", tango_host).returncode == 0


def test_a_controller_that_cannot_work_is_alive_and_not_ready(
    tango_host: str, two_controllers: list[str]
) -> None:
    good, bad = two_controllers
    device_proxy(tango_host, bad).adminMode = 0
    assert probe("alive", "probe", tango_host).returncode == 0
    asked = probe("ready", "probe", tango_host)
    assert asked.returncode == 1
    assert bad in asked.stderr
    assert "HistoryLength" in asked.stderr
    assert good not in asked.stderr


def test_a_server_that_does_not_run_is_neither(tango_host: str) -> None:
    for question in ("alive", "ready"):
        asked = probe(question, "02", tango_host)
        assert asked.returncode == 1
        [line] = asked.stderr.splitlines()
        assert "OETController/02 does not answer" in line


def test_a_database_that_is_away_is_no_reason_to_end_a_server() -> None:
    assert probe("alive", "01", NOWHERE).returncode == 0
    assert probe("ready", "01", NOWHERE).returncode == 1


def test_neither_is_one_that_hangs_and_the_answer_comes_in_time() -> None:
    """Kubernetes takes an answer that is late for a no, and ends the server after a few of them."""
    [controller] = [c for c in containers(render({})) if c["name"] == "controller"]
    with socket.create_server((LOOPBACK, 0)) as silent:
        tango_host = f"{LOOPBACK}:{silent.getsockname()[1]}"
        asked = probe("alive", "01", tango_host, timeout=controller["livenessProbe"]["timeoutSeconds"])
    assert asked.returncode == 0
