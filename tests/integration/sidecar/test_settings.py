"""Settings of the SKA device interface, over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tango
from tests.support.oet_stack import OetStack, Sidecar

PLAIN = {
    "admin_mode": "ONLINE",
    "control_mode": "REMOTE",
    "simulation_mode": "FALSE",
    "test_mode": "NONE",
    "logging_level": "INFO",
    "logging_targets": ["tango::logger", "console::cout"],
}


@pytest.fixture
def http(rest: Sidecar) -> Iterator[httpx.Client]:
    yield rest.http
    rest.http.put("/admin_mode", json={"admin_mode": "OFFLINE"})
    answer = rest.http.put("/settings", json=PLAIN)
    assert (answer.status_code, answer.json()) == (200, PLAIN)


def test_settings_are_those_of_the_device(http: httpx.Client, stack: OetStack, tmp_path: Path) -> None:
    assert http.get("/settings").json() == PLAIN
    file = f"file::{tmp_path / 'oet.log'}"
    changes: dict[str, Any] = {
        "control_mode": "LOCAL",
        "simulation_mode": "TRUE",
        "test_mode": "TEST",
        "logging_level": "DEBUG",
        "logging_targets": ["tango::logger", file],
    }
    for name, value in changes.items():
        answer = http.put("/settings", json={name: value})
        assert answer.status_code == 200
        assert answer.json()[name] == value
    assert http.get("/settings").json() == PLAIN | changes
    device = tango.DeviceProxy(stack.device)
    assert (device.controlMode, device.simulationMode, device.testMode) == (1, 1, 1)
    assert (device.loggingLevel, device.loggingTargets) == (5, ("tango::logger", file))
    assert http.put("/settings", json={"logging_targets": []}).json()["logging_targets"] == []
    assert http.put("/settings", json={}).json() == PLAIN | changes | {"logging_targets": []}


def test_of_settings_one_of_which_is_refused_none_is_changed(http: httpx.Client) -> None:
    changes = {"control_mode": "LOCAL", "logging_targets": ["nowhere"]}
    refused = http.put("/settings", json=changes)
    assert refused.status_code == 400
    assert refused.json()["Message"].startswith("'nowhere' is not a logging target: use tango::logger")
    assert (
        "/no/such/folder" in http.put("/settings", json={"logging_targets": ["file::/no/such/folder/x"]}).text
    )
    assert http.get("/settings").json() == PLAIN


@pytest.mark.parametrize(
    "body",
    [
        {"control_mode": "NOBODY"},
        {"control_mode": 1},
        {"logging_level": "loud"},
        {"logging_targets": "tango::logger"},
        {"logging_targets": ["tango::logger"] * 5},
        {"logging_targets": ["file::/ü€"]},
        {"volume": 11},
        [],
    ],
)
def test_what_cannot_be_set(http: httpx.Client, body: Any) -> None:
    assert http.put("/settings", json=body).status_code == 400
    assert http.get("/settings").json() == PLAIN


def test_the_controller_is_switched(http: httpx.Client, stack: OetStack) -> None:
    for state in ("STANDBY", "OFF", "OFF", "ON", "ON"):
        answer = http.put("/state", json={"state": state})
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        created = http.post("/procedures", json={"script_uri": stack.uri("burst")})
        assert created.status_code == (201 if state == "ON" else 409)
    http.put("/admin_mode", json={"admin_mode": "OFFLINE"})
    refused = http.put("/state", json={"state": "ON"})
    assert (refused.status_code, refused.json()["type"]) == (409, "Conflict")
    assert "adminMode" in refused.json()["Message"]
    assert http.put("/state", json={"state": "FAULT"}).status_code == 400
