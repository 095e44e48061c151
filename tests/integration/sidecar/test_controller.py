"""State, mode and scripts of the controller, over HTTP."""

from collections.abc import Iterator

import httpx
import pytest
from tests.support.oet_stack import DEVICE, OetStack, Sidecar
from tests.support.tango_stack import database


@pytest.fixture
def _online_again(http: httpx.Client) -> Iterator[None]:
    yield
    http.put("/admin_mode", json={"admin_mode": "ONLINE"})


def test_the_status_says_what_runs(rest: Sidecar, stack: OetStack) -> None:
    held = rest.create(stack.uri("hold"))["id"]
    rest.start(held)
    rest.wait_for(held, "RUNNING")
    status = rest.http.get("/status").json()
    assert status["running_procedure"] == status["last_procedure"] == held
    assert f"Running #{held} hold.py" in status["status"]
    del status["status"], status["version"], status["last_procedure"], status["running_procedure"]
    assert status == {
        "device": DEVICE,
        "state": "ON",
        "health_state": "OK",
        "admin_mode": "ONLINE",
        "subarray_id": None,
    }
    rest.http.put(f"/procedures/{held}", json={"state": "STOPPED"})
    assert rest.http.get("/status").json()["running_procedure"] is None


def test_scripts_are_listed(http: httpx.Client, stack: OetStack) -> None:
    listed = http.get("/scripts").json()["scripts"]
    assert {stack.uri(name) for name in ("abort", "burst", "hold")} <= set(listed)


@pytest.mark.usefixtures("_online_again")
def test_an_operator_disables_and_enables_the_controller(http: httpx.Client, stack: OetStack) -> None:
    answer = http.put("/admin_mode", json={"admin_mode": "OFFLINE"})
    assert (answer.status_code, answer.json()["admin_mode"], answer.json()["state"]) == (
        200,
        "OFFLINE",
        "DISABLE",
    )
    request = {"script_uri": stack.uri("burst")}
    refused = http.post("/procedures", json=request)
    assert (refused.status_code, refused.json()["type"]) == (409, "Conflict")
    assert http.post("/reset").status_code == 409
    assert http.put("/admin_mode", json={"admin_mode": "ONLINE"}).json()["state"] == "ON"
    assert http.post("/procedures", json=request).status_code == 201


def test_a_reset_reads_the_properties_again(http: httpx.Client, stack: OetStack) -> None:
    right = database(stack.tango_host).get_device_property(DEVICE, "ScriptRoots")
    database(stack.tango_host).put_device_property(DEVICE, {"ScriptRoots": ["/no/such/folder"]})
    try:
        refused = http.post("/reset")
        assert refused.status_code == 409
        assert "/no/such/folder" in refused.json()["Message"]
        status = http.get("/status").json()
        assert "/no/such/folder" in status["status"]
    finally:
        database(stack.tango_host).put_device_property(DEVICE, right)
    answer = http.post("/reset")
    assert (answer.status_code, answer.json()["state"]) == (200, "ON")


@pytest.mark.parametrize(
    "body",
    [{}, {"admin_mode": "offline"}, {"admin_mode": 0}, {"admin_mode": "ONLINE", "state": "ON"}, []],
    ids=str,
)
def test_a_mode_that_does_not_exist_is_refused(http: httpx.Client, body: object) -> None:
    refused = http.put("/admin_mode", json=body)
    assert (refused.status_code, refused.json()["type"]) == (400, "BadRequest")
