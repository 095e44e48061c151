"""The events of all controllers in one stream."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest
from tests.support import patient_http
from tests.support.controllers import MODULE, register_controller
from tests.support.oet_stack import Sidecar, sidecar
from tests.support.patience import PATIENCE, wait_until
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_server, tango_database

from ska_oso_oet.cli.sse import Comment, SseParser

NUMBERS = (2, 5)


class Place(NamedTuple):
    """Two controllers, and a gateway that serves them."""

    tango_host: str
    servers: dict[int, ServerProcess]
    gateway: Sidecar

    def create(self, number: int) -> int:
        base = f"{self.gateway.root}/subarrays/{number}/api/v1.0"
        body = {"script": {"script_type": "embedded", "script": "def main(): pass"}}
        answer = patient_http.post(f"{base}/procedures", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["procedure"]["id"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("all-events")
    with ExitStack() as stack:
        tango_host = stack.enter_context(tango_database(folder))
        servers = {}
        for number in NUMBERS:
            known = {"SubarrayId": [str(number)], "AllowEmbeddedScripts": ["true"], "StandbyWorkers": ["0"]}
            name = f"test/oet-all-events/{number:02}"
            register_controller(tango_host, name, folder / str(number), instance=f"all-{number}", **known)
            servers[number] = stack.enter_context(device_server(tango_host, MODULE, f"all-{number}"))
        devices = [f"--device=test/oet-all-events/{number:02}" for number in NUMBERS]
        yield Place(tango_host, servers, stack.enter_context(sidecar(tango_host, *devices)))


class Reader:
    """Reads the stream, and keeps what it has brought of each subarray."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._parser = SseParser()
        self._number = 0
        self.events: dict[int, list[int]] = {number: [] for number in NUMBERS}
        self.available: dict[int, list[bool]] = {number: [] for number in NUMBERS}
        self.newest: dict[int, int] = {}
        self.statuses: dict[int, list[Any]] = {number: [] for number in NUMBERS}

    def read_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.events, self.available)
            for item in self._parser.feed(next(self._chunks)):
                if not isinstance(item, Comment):
                    self._take(item.type, item.data, item.id)

    def _take(self, kind: str, data: str, number: str) -> None:
        if kind == "subarray":
            self._number = int(data)
        elif kind == "available":
            self.available[self._number].append(json.loads(data))
        elif kind == "status":
            self.statuses[self._number].append(json.loads(data))
        elif kind == "newest":
            self.newest[self._number] = int(data)
        elif data:
            assert json.loads(data)["seq"] == int(number)
            self.events[self._number].append(int(number))


@contextmanager
def reader(place: Place, query: str = "") -> Iterator[Reader]:
    with place.gateway.http.stream("GET", f"/subarrays/stream{query}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Reader(answer.iter_raw())


def test_the_events_of_each_controller_come_with_their_own_numbers_and_go_on_where_they_were(
    place: Place,
) -> None:
    with reader(place) as first:
        first.read_until(lambda: len(first.newest) == len(NUMBERS))
        begin = dict(first.newest)
        for number in NUMBERS:
            place.create(number)
        first.read_until(lambda: all(len(first.events[number]) >= 3 for number in NUMBERS))
        for number in NUMBERS:
            assert first.events[number][0] == begin[number] + 1
    after = "&".join(f"after={number}:{first.events[number][0]}" for number in NUMBERS)
    with reader(place, f"?{after}") as second:
        second.read_until(lambda: all(len(second.events[number]) >= 2 for number in NUMBERS))
        for number in NUMBERS:
            assert second.events[number][0] == first.events[number][0] + 1
    with reader(place, "?past=2") as third:
        third.read_until(lambda: all(len(third.events[number]) >= 2 for number in NUMBERS))
        for number in NUMBERS:
            assert third.events[number][0] == third.newest[number] - 1


def test_the_stream_of_one_subarray_has_that_alone(place: Place) -> None:
    with httpx.stream(
        "GET", f"{place.gateway.root}/subarrays/5/api/v1.0/subarrays/stream", timeout=PATIENCE
    ) as answer:
        stream = Reader(answer.iter_raw())
        stream.read_until(lambda: stream.available[5] == [True])
        place.create(2)
        place.create(5)
        stream.read_until(lambda: len(stream.events[5]) >= 3)
    assert stream.events[2] == stream.available[2] == []


@pytest.mark.parametrize("after", ["5", "5:", "5:-1", "x:1", "0:1", "5:1e3"])
def test_a_position_that_is_none_is_refused(place: Place, after: str) -> None:
    answer = place.gateway.http.get("/subarrays/stream", params={"after": after})
    assert (answer.status_code, answer.json()["type"]) == (400, "BadRequest")
    assert repr(after) in answer.json()["Message"]


def test_the_status_of_a_controller_comes_with_the_stream_and_whenever_it_changes(place: Place) -> None:
    base = f"{place.gateway.root}/subarrays/5/api/v1.0"
    with reader(place) as stream:
        stream.read_until(lambda: all(stream.statuses[number] for number in NUMBERS))
        # What was created by another test may still become ready.
        stream.read_until(lambda: stream.statuses[5][-1] == patient_http.get(f"{base}/status").json())
        for mode, state in (("OFFLINE", "DISABLE"), ("ONLINE", "ON")):
            answer = patient_http.put(f"{base}/admin_mode", json={"admin_mode": mode})
            assert answer.status_code == 200, answer.text
            stream.read_until(
                lambda state=state: stream.statuses[5][-1]["state"] == state  # type: ignore[misc]
            )
            assert stream.statuses[5][-1]["admin_mode"] == mode
    assert {each["state"] for each in stream.statuses[2]} == {"ON"}
    assert {each["device"] for each in stream.statuses[2]} == {"test/oet-all-events/02"}


def test_a_snapshot_has_what_the_routes_of_each_controller_return(place: Place) -> None:
    place.create(5)
    snapshots = place.gateway.http.get("/subarrays/snapshot").json()
    assert [each["subarray_id"] for each in snapshots] == list(NUMBERS)
    for each in snapshots:
        base = f"{place.gateway.root}/subarrays/{each['subarray_id']}/api/v1.0/procedures/"
        assert all(procedure["uri"].startswith(base) for procedure in each["state"]["procedures"])
    assert snapshots[1]["state"]["procedures"]
    with httpx.Client(base_url=f"{place.gateway.root}/subarrays/5/api/v1.0", timeout=PATIENCE) as rest:
        own = snapshots[1]
        assert (own["available"], own["reason"], own["unavailable_since"]) == (True, None, None)
        # What is read later may have gone on.
        wait_until(
            lambda: {each["state"] for each in rest.get("/procedures").json()["procedures"]} == {"READY"},
            "all procedures are READY",
        )
        (own,) = rest.get("/subarrays/snapshot").json()
        assert own["state"] == {
            "status": rest.get("/status").json(),
            **rest.get("/procedures").json(),
            **rest.get("/activities").json(),
            "queue": rest.get("/queue").json(),
            **rest.get("/question").json(),
        }
        newest = rest.get("/procedures").json()["procedures"][-1]
        assert newest["uri"] == f"{rest.base_url}procedures/{newest['id']}"
        before = own["last_event"]
        place.create(5)
        wait_until(
            lambda: rest.get("/subarrays/snapshot").json()[0]["last_event"] > before, "there are more events"
        )


# After this the controller of subarray 5 is gone.


def test_a_controller_that_goes_and_comes_back_is_reported_and_the_others_go_on(place: Place) -> None:
    with reader(place) as stream:
        stream.read_until(lambda: all(stream.available[number] == [True] for number in NUMBERS))
        place.servers[5].kill()
        stream.read_until(lambda: stream.available[5] == [True, False])
        place.create(2)
        stream.read_until(lambda: len(stream.events[2]) >= 2)
        here, gone = place.gateway.http.get("/subarrays/snapshot").json()
        assert here["state"]["status"]["state"] == "ON"
        assert (gone["available"], gone["state"]) == (False, None)
        assert "test/oet-all-events/05" in gone["reason"]
        assert datetime.fromisoformat(gone["unavailable_since"]) <= datetime.now(UTC)
        with device_server(place.tango_host, MODULE, "all-5"):
            stream.read_until(lambda: stream.available[5] == [True, False, True])
            place.create(5)
            stream.read_until(lambda: len(stream.events[5]) >= 2)
    assert stream.available[2] == [True]
