"""A sidecar that serves several controllers: each as if it were the only one."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest
from tests.support import patient_http
from tests.support.controllers import MODULE, register_controller
from tests.support.oet_stack import HOLD, Sidecar, sidecar
from tests.support.patience import PATIENCE, patience, wait_until
from tests.support.processes import ServerProcess
from tests.support.sse_client import SseClient
from tests.support.tango_stack import device_server, tango_database

NUMBERS = (3, 1, 4)
"""Of the subarrays, in the order in which the gateway is given them."""


class Place(NamedTuple):
    """Three controllers, each in a server of its own, and a gateway that serves them."""

    tango_host: str
    servers: dict[int, ServerProcess]
    gateway: Sidecar
    script: str

    def base(self, number: int) -> str:
        return f"{self.gateway.root}/subarrays/{number}/api/v1.0"

    def create(self, number: int) -> dict[str, object]:
        answer = patient_http.post(f"{self.base(number)}/procedures", json={"script_uri": self.script})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == answer.json()["procedure"]["uri"]
        return dict(answer.json()["procedure"])

    def ids(self, base: str) -> list[int]:
        procedures = patient_http.get(f"{base}/procedures").json()["procedures"]
        return [procedure["id"] for procedure in procedures]

    def available(self) -> list[bool]:
        listed = self.gateway.http.get("/subarrays").json()
        return [each["available"] for each in listed]


def device(number: int) -> str:
    return f"test/oet-gateway/{number:02}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("gateway")
    script = folder / "hold.py"
    script.write_text(HOLD)
    with ExitStack() as stack:
        tango_host = stack.enter_context(tango_database(folder))
        servers = {}
        for number in NUMBERS:
            instance = f"gateway-{number}"
            known = {"ScriptRoots": [str(folder)], "SubarrayId": [str(number)], "StandbyWorkers": ["0"]}
            register_controller(tango_host, device(number), folder / instance, instance=instance, **known)
            servers[number] = stack.enter_context(device_server(tango_host, MODULE, instance))
        # One is named with its number; the others are numbered by their property.
        options = [f"--device={device(3)}", f"--device=1={device(1)}", f"--device={device(4)}"]
        gateway = stack.enter_context(sidecar(tango_host, *options))
        yield Place(tango_host, servers, gateway, script.as_uri())


def test_each_controller_is_served_below_its_number_and_the_first_without(place: Place) -> None:
    listed = place.gateway.http.get("/subarrays").json()
    assert listed == [
        {
            "subarray_id": number,
            "device": device(number),
            "base": place.base(number),
            "available": True,
            "reason": None,
            "unavailable_since": None,
        }
        for number in NUMBERS
    ]
    created = place.create(4)
    assert created["uri"] == f"{place.base(4)}/procedures/{created['id']}"
    assert place.ids(place.base(4)) == place.ids(place.base(4).replace("v1.0", "v1")) == [created["id"]]
    assert place.ids(place.base(1)) == place.ids(place.base(3)) == place.ids(place.gateway.url) == []
    place.create(3)
    assert place.ids(place.base(3)) == place.ids(place.gateway.url) == [1]
    below = patient_http.get(f"{place.base(4)}/openapi.json").json()
    assert below["servers"] == [{"url": "/subarrays/4"}]
    assert "/subarrays/4/api/v1.0/ui/swagger-ui.css" in patient_http.get(f"{place.base(4)}/ui/").text
    assert [each["subarray_id"] for each in patient_http.get(f"{place.base(4)}/subarrays").json()] == [4]


def test_each_controller_has_a_queue_of_its_own_below_its_number(place: Place) -> None:
    def queue(number: int) -> str:
        return f"{place.base(number)}/queue"

    entry = {"procedure": {"script": {"script_type": "filesystem", "script_uri": place.script}}}
    answer = patient_http.post(queue(4), json={"entries": [entry, entry]})
    first, second = [each["id"] for each in answer.json()["entries"]]
    moved = patient_http.put(f"{queue(4)}/{second}", json={"position": {"before": first}})
    assert moved.status_code == 200, moved.text
    shown = patient_http.get(queue(4), params={"limit": 1}).json()
    assert ([each["id"] for each in shown["entries"]], shown["next"]) == ([second], second)
    assert [patient_http.get(queue(number)).json()["length"] for number in NUMBERS] == [0, 0, 2]
    assert place.gateway.http.get("/queue").json()["length"] == 0
    cleared = patient_http.delete(queue(4)).json()["entries"]
    assert [each["id"] for each in cleared] == [second, first]


def test_a_controller_is_looked_at_disabled_and_followed_below_its_number(place: Place) -> None:
    def get(number: int, path: str) -> httpx.Response:
        return patient_http.get(f"{place.base(number)}/{path}")

    for number in NUMBERS:
        status = get(number, "status").json()
        assert (status["device"], status["subarray_id"]) == (device(number), number)
    assert place.gateway.http.get("/status").json()["device"] == device(3)
    try:
        patient_http.put(f"{place.base(1)}/admin_mode", json={"admin_mode": "OFFLINE"})
        assert [get(number, "status").json()["state"] for number in NUMBERS] == ["ON", "DISABLE", "ON"]
    finally:
        online = patient_http.put(f"{place.base(1)}/admin_mode", json={"admin_mode": "ONLINE"})
    assert online.json()["state"] == "ON"
    assert patient_http.post(f"{place.base(1)}/reset").status_code == 200
    assert get(1, "scripts").json() == {"scripts": [place.script]}
    created = place.create(1)["id"]
    patient_http.put(f"{place.base(1)}/procedures/{created}", json={"state": "STOPPED"})
    follow = {"Accept": "text/event-stream"}
    url = f"{place.base(1)}/procedures/{created}/output"
    assert '"ended":true' in patient_http.get(url, headers=follow).text
    assert place.gateway.http.get("/procedures/99/output").status_code == 404


@pytest.mark.parametrize("number", ["7", "0", "03", "three", "", "3.0", "9" * 40])
def test_a_number_that_the_gateway_does_not_have_is_refused_with_those_that_it_has(
    place: Place, number: str
) -> None:
    before = [place.ids(place.base(each)) for each in NUMBERS]
    url = f"{place.gateway.root}/subarrays/{number}/api/v1.0/procedures"
    answer = patient_http.post(url, json={"script_uri": place.script})
    assert answer.status_code == 404
    for each in NUMBERS:
        assert f"{each} ({device(each)})" in answer.json()["Message"]
    assert [place.ids(place.base(each)) for each in NUMBERS] == before


def test_a_controller_that_hangs_delays_no_other(place: Place) -> None:
    async def listen() -> None:
        stream = await SseClient(place.gateway.port, prefix="/subarrays/1").open()
        hanging = await SseClient(place.gateway.port, prefix="/subarrays/4").open()
        try:
            with place.servers[4].hanging():
                # As many as any pool of threads has.
                stuck = [asyncio.create_task(asyncio.to_thread(place.ids, place.base(4))) for _ in range(20)]
                began = time.monotonic()
                created = await asyncio.to_thread(place.create, 1)
                assert time.monotonic() - began < patience(2.0)
                events = await stream.read_until("procedure.lifecycle.created")
                assert str(created["id"]) in {str(event["msg_src"]) for event in events}
                assert await asyncio.to_thread(place.available) == [True, True, False]
                began = time.monotonic()
                ready = await asyncio.to_thread(httpx.get, f"{place.gateway.root}/readyz", timeout=PATIENCE)
                assert time.monotonic() - began < patience(2.0)
                reported = {each["subarray_id"]: each["ready"] for each in ready.json()["controllers"]}
                assert (ready.status_code, reported) == (200, {3: True, 1: True, 4: False})
                figures = await asyncio.to_thread(_controllers_up, place)
                assert figures == {"3": 1, "1": 1, "4": 0}
            await asyncio.gather(*stuck, return_exceptions=True)
        finally:
            await stream.close()
            await hanging.close()

    asyncio.run(listen())
    wait_until(lambda: all(place.available()), "the controller answers again")


def test_readiness_of_one_that_is_killed_and_that_comes_back(place: Place) -> None:
    place.servers[1].kill()
    before = datetime.now(UTC)
    wait_until(lambda: place.available() == [True, False, True], "it is not available")
    listed = place.gateway.http.get("/subarrays").json()[1]
    assert device(1) in listed["reason"]
    since = datetime.fromisoformat(listed["unavailable_since"])
    assert before - timedelta(seconds=1) < since < datetime.now(UTC)
    assert place.gateway.http.get("/subarrays").json()[1] == listed
    assert patient_http.get(f"{place.gateway.root}/readyz").status_code == 200
    assert patient_http.get(f"{place.gateway.root}/subarrays/1/readyz").status_code == 503
    assert patient_http.get(f"{place.gateway.root}/subarrays/3/readyz").status_code == 200
    assert patient_http.get(f"{place.base(1)}/procedures").status_code == 503
    place.create(3)
    with device_server(place.tango_host, MODULE, "gateway-1"):
        wait_until(lambda: all(place.available()), "it is available again")
        place.create(1)


def _controllers_up(place: Place) -> dict[str, int]:
    text = patient_http.get(f"{place.gateway.root}/metrics").text
    up = re.findall(r'^oet_controller_up\{.*subarray="(\d+)"\} (\d)', text, re.MULTILINE)
    return {number: int(value) for number, value in up}


def test_it_ends_at_once_though_a_controller_hangs(place: Place) -> None:
    with sidecar(place.tango_host, *(f"--device={device(number)}" for number in NUMBERS)) as gateway:
        wait_until(lambda: patient_http.get(f"{gateway.root}/readyz").status_code == 200, "it is ready")
        with place.servers[4].hanging():
            gateway.process.terminate()
            assert gateway.process.wait(patience(4.0)) == 0


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (["test/a/1", "test/a/2=x"], "'test/a/2=x' is not the name of a device"),
        (["x=test/a/1"], "'x' is not the number of a subarray"),
        (["0=test/a/1"], "'0' is not the number of a subarray"),
        (["2=test/a/1", "test/a/2"], "test/a/1 and test/a/2 both have the number 2"),
        (["5=test/a/1", "6=Test/A/1"], "Test/A/1 is named more than once"),
        ([f"2={device(3)}"], f"{device(3)} was given the number 2, and is for subarray 3"),
        (["3=test/a/1", device(3)], f"test/a/1 and {device(3)} both have the number 3"),
    ],
)
def test_controllers_that_cannot_be_told_apart_are_refused(
    place: Place, options: list[str], reported: str
) -> None:
    command = [f"--device={option}" for option in options]
    with pytest.raises(AssertionError, match=re.escape(reported)), sidecar(place.tango_host, *command):
        pass


def test_several_are_not_numbered_by_guessing_while_the_database_is_away() -> None:
    devices = ["--device=test/a/1", "--device=test/a/2"]
    with (
        pytest.raises(AssertionError, match="it is not known which subarray"),
        sidecar("127.0.0.1:1", *devices),
    ):
        pass
    with sidecar("127.0.0.1:1", "--device=5=test/a/1", "--device=6=test/a/2") as gateway:
        listed = gateway.http.get("/subarrays").json()
        assert [(each["subarray_id"], each["available"]) for each in listed] == [(5, False), (6, False)]
        assert patient_http.get(f"{gateway.root}/readyz").status_code == 503
