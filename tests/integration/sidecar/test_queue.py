"""The observing queue over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.oet_stack import OetStack
from tests.support.patience import wait_until


def entry(uri: str, *args: Any, **more: Any) -> dict[str, Any]:
    """Return the request for an entry that runs a script with arguments."""
    script = {"script_type": "filesystem", "script_uri": uri}
    return {"procedure": {"script": script, "script_args": {"main": {"args": args}}}, **more}


def added(http: httpx.Client, body: dict[str, Any]) -> list[int]:
    """Add entries, and return their IDs."""
    answer = http.post("/queue", json=body, headers={"X-OET-User": "anna@control"})
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json()["entries"]]


def states(http: httpx.Client) -> dict[int, str]:
    """Return the states of the entries that the queue shows."""
    return {each["id"]: each["state"] for each in http.get("/queue").json()["entries"]}


@pytest.fixture
def queue(http: httpx.Client) -> Iterator[httpx.Client]:
    """A client, and a queue that is empty before and after."""
    yield http
    http.delete("/queue")
    http.put("/queue", json={"state": "STOPPED", "now": True})
    ended = ("DONE", "FAILED", "STOPPED", "SKIPPED")
    wait_until(lambda: all(state in ended for state in states(http).values()), "an empty queue")


def test_entries_are_run_in_the_order_that_was_made(queue: httpx.Client, stack: OetStack) -> None:
    uri = stack.uri("burst")
    embedded = {"procedure": {"script": {"script_type": "embedded", "script": "def main(): ..."}}}
    a, b, c = added(queue, {"entries": [entry(uri, 1, note="first"), embedded, entry(uri, 2)]})
    moved = queue.put(f"/queue/{c}", json={"position": {"before": a}, "note": "moved"})
    assert [(each["id"], each["request"]["note"]) for each in moved.json()["entries"]] == [(c, "moved")]
    assert [each["id"] for each in queue.delete(f"/queue/{b}").json()["entries"]] == [b]
    assert list(states(queue))[-2:] == [c, a]
    assert queue.put("/queue", json={"state": "RUNNING"}).json()["state"] == "RUNNING"
    wait_until(lambda: states(queue)[a] == "DONE", "the last entry")
    shown = {each["id"]: each for each in queue.get("/queue").json()["entries"]}
    by = shown[a]["added_by"]
    assert (by["user"], by["host"]) == ("anna@control", "127.0.0.1")
    procedure = queue.get(f"/procedures/{shown[a]['procedure_id']}").json()["procedure"]
    assert (procedure["queue_entry"], procedure["requested_by"]) == (a, by)
    assert shown[c]["procedure_id"] < shown[a]["procedure_id"]
    stopped = queue.put("/queue", json={"state": "STOPPED"}).json()
    assert (stopped["state"], stopped["reason"].startswith("It was stopped by ")) == ("STOPPED", True)


def test_a_long_queue_is_read_page_by_page(queue: httpx.Client, stack: OetStack) -> None:
    ids = added(queue, {"entries": [entry(stack.uri("hold"))] * 205})
    first = queue.get("/queue").json()
    assert (first["length"], first["next"]) == (205, ids[199])
    assert [each["id"] for each in first["entries"]][-200:] == ids[:200]
    rest = queue.get("/queue", params={"after": first["next"]}).json()
    assert ([each["id"] for each in rest["entries"]], rest["next"]) == (ids[200:], None)
    two = queue.get("/queue", params={"after": ids[3], "limit": 2}).json()
    assert ([each["id"] for each in two["entries"]], two["next"]) == (ids[4:6], ids[5])
    queue.delete(f"/queue/{ids[3]}")
    assert queue.get("/queue", params={"after": ids[3]}).status_code == 404
    assert queue.get("/queue", params={"limit": 0}).status_code == 400
    assert queue.get(f"/queue/{ids[3]}").json()["state"] == "REMOVED"
    assert queue.get("/queue/9999").status_code == 404


def test_durations_are_learnt_from_earlier_runs(queue: httpx.Client, stack: OetStack) -> None:
    (first,) = added(queue, entry(stack.uri("hold"), 0.3))
    queue.put("/queue", json={"state": "RUNNING"})
    wait_until(lambda: states(queue)[first] == "DONE", "the first entry")
    a, b = added(queue, {"entries": [entry(stack.uri("hold"), 30, repeat=2), entry(stack.uri("hold"), 1)]})
    wait_until(lambda: states(queue)[a] == "RUNNING", "the second entry")
    shown = {each["id"]: each for each in queue.get("/queue").json()["entries"]}
    assert shown[b]["expected_from"] == {"of": stack.uri("hold"), "runs": 1}
    assert 0.25 < shown[b]["expected_duration"] < 10
    assert shown[a]["estimated_start"] is None
    assert shown[b]["estimated_start"] == shown[a]["estimated_end"]
    assert shown[b]["estimated_end"] > shown[b]["estimated_start"]
    queue.put("/queue", json={"state": "STOPPED"})
    stopping = {each["id"]: each for each in queue.get("/queue").json()["entries"]}
    assert (stopping[b]["estimated_start"], stopping[b]["estimated_end"]) == (None, None)


REFUSALS: dict[str, tuple[str, str, Any, int, str]] = {
    "no entry": ("PUT", "/queue/9999", {"note": "x"}, 404, "entry 9999 is not in the queue"),
    "no number": ("DELETE", "/queue/first", None, 404, "/queue/first"),
    "too great": ("DELETE", f"/queue/{1 << 64}", None, 404, "is not in the queue"),
    "beside none": ("POST", "/queue", {"position": {"after": 9999}}, 404, "entry 9999"),
    "nothing to change": ("PUT", "/queue/1", {}, 400, "Nothing is to be changed"),
    "misspelt": ("POST", "/queue", {"windwo": 5}, 400, "windwo"),
    "malformed time": ("POST", "/queue", {"not_before": "tonight"}, 400, "not_before"),
    "no such state": ("PUT", "/queue", {"state": "PAUSED"}, 400, "state"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_request_that_cannot_be_met_is_refused(queue: httpx.Client, stack: OetStack, case: str) -> None:
    method, path, body, status, says = REFUSALS[case]
    if method == "POST":
        body = entry(stack.uri("hold"), **body)
    answer = queue.request(method, path, json=body) if body is not None else queue.request(method, path)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["Message"]


def test_an_entry_that_runs_cannot_be_removed(queue: httpx.Client, stack: OetStack) -> None:
    (number,) = added(queue, entry(stack.uri("hold")))
    queue.put("/queue", json={"state": "RUNNING"})
    wait_until(lambda: states(queue)[number] == "RUNNING", "the entry")
    answer = queue.delete(f"/queue/{number}")
    assert (answer.status_code, answer.json()["type"]) == (409, "Conflict")
