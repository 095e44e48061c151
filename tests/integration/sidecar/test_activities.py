"""Activities by HTTP: every row of the wire contract of the OET 5.2.0."""

from collections.abc import Iterator

import httpx
import pytest
from tests.support.oet_stack import OetStack, sidecar
from tests.support.tango_stack import device_server, register

DEVICE = "test/activity/1"
REQUEST = {"activity_name": "allocate", "sbd_id": "sbd-123"}


@pytest.fixture(scope="module")
def activities(stack: OetStack) -> Iterator[httpx.Client]:
    register(stack.tango_host, "ActivityTestDevice/1", "ActivityTestDevice", DEVICE)
    with (
        device_server(stack.tango_host, "tests.support.activity_device", "1"),
        sidecar(stack.tango_host, "--device", DEVICE) as running,
    ):
        yield running.http


def test_an_activity_is_run_described_and_listed(activities: httpx.Client) -> None:
    arguments = {"main": {"args": [], "kwargs": {"scans": 3}}}
    body = REQUEST | {"prepare_only": True, "script_args": arguments}
    answer = activities.post("/activities", json=body)
    activity = answer.json()["activity"]
    assert answer.status_code == 201
    assert (
        activity["uri"] == answer.headers["location"] == f"{activities.base_url}activities/{activity['id']}"
    )
    assert {name: activity[name] for name in body} == body
    assert (activity["state"], activity["procedure_id"]) == ("REQUESTED", None)
    assert activity["activity_states"][0][0] == "REQUESTED"
    assert activities.get(f"/activities/{activity['id']}/").json() == {"activity": activity}
    assert activity in activities.get("/activities").json()["activities"]


@pytest.mark.parametrize("number", ["4711", "0", "99999999999"])
def test_one_that_never_was_is_not_found(activities: httpx.Client, number: str) -> None:
    answer = activities.get(f"/activities/{number}")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "404 Not Found",
        "type": "ResourceNotFound",
        "Message": f"No information available for ID={number}",
    }


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"sbd_id": "unknown"}, 404),
        ({"activity_name": "refused"}, 409),
        ({"activity_name": ""}, 400),
        ({"sbd_id": None}, 400),
        ({"sbd_uri": "file:///a.json"}, 400),
        ({"subarray": 1}, 400),
    ],
)
def test_requests_that_cannot_be_taken(
    activities: httpx.Client, change: dict[str, object], status: int
) -> None:
    answer = activities.post("/activities", json=REQUEST | change)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "type", "Message"}


def test_a_refusal_is_a_sentence(activities: httpx.Client) -> None:
    answer = activities.post("/activities", json={"activity_name": "allocate"})
    reason = "name the Scheduling Block by 'sbd_id' or by 'sbd_uri', one of the two"
    assert answer.json()["Message"] == reason


def test_a_controller_without_activities_is_told_from_one_without_this_activity(stack: OetStack) -> None:
    # The database is a device too, with none of a controller's commands.
    with sidecar(stack.tango_host, "--device", "sys/database/2") as running:
        for answer in (
            running.http.get("/activities"),
            running.http.get("/activities/1"),
            running.http.post("/activities", json=REQUEST),
        ):
            assert answer.status_code == 503
            assert "update its device server" in answer.json()["Message"]
