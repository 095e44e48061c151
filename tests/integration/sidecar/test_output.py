"""The output of scripts, over HTTP: read, and followed."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import patience, wait_until

from ska_oso_oet.cli.sse import Comment, ServerSentEvent, SseParser

FOLLOW = {"Accept": "text/event-stream"}

PRINTS = """
import sys

def init():
    print("init")

def main(lines, size=0):
    for number in range(lines):
        print(number, "x" * size)
    sys.stdout.flush()
"""

WAITS = """
import pathlib, time

def main(folder):
    for number in range(3):
        print("step", number, flush=True)
        while not (pathlib.Path(folder) / str(number)).exists():
            time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def prints(stack: OetStack) -> str:
    (stack.scripts / "prints.py").write_text(PRINTS)
    return stack.uri("prints")


@pytest.fixture
def waits(stack: OetStack) -> Iterator[str]:
    (stack.scripts / "waits.py").write_text(WAITS)
    yield stack.uri("waits")
    (stack.scripts / "waits.py").unlink()


def _ended(rest: Sidecar, uri: str, **arguments: Any) -> int:
    number: int = rest.create(uri, **arguments)["id"]
    rest.start(number)
    rest.wait_for(number, "COMPLETE")
    return number


@contextmanager
def _following(rest: Sidecar, number: int, **headers: str) -> Iterator[Iterator[ServerSentEvent]]:
    """Follow output as long as the context lasts, and get its events."""
    with rest.http.stream("GET", f"/procedures/{number}/output", headers=FOLLOW | headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        parser = SseParser()
        chunks = answer.iter_bytes()
        items = (item for chunk in chunks for item in parser.feed(chunk))
        with closing(item for item in items if not isinstance(item, Comment)) as events:
            yield events


def _followed(rest: Sidecar, number: int, **headers: str) -> list[dict[str, Any]]:
    with _following(rest, number, **headers) as events:
        return [json.loads(event.data) for event in events]


def test_output_is_read_part_by_part(rest: Sidecar, prints: str) -> None:
    number = _ended(rest, prints, lines=5)
    path = f"/procedures/{number}/output"
    whole = rest.http.get(path).json()
    assert whole == {"lines": ["init", *(f"{n} " for n in range(5))], "next": 6, "dropped": 0, "ended": True}
    part = rest.http.get(path, params={"after": 1, "limit": 2}).json()
    assert part == {"lines": ["0 ", "1 "], "next": 3, "dropped": 0, "ended": False}


def test_output_is_followed_as_it_is_written(rest: Sidecar, waits: str, stack: OetStack) -> None:
    number = rest.create(waits, folder=str(stack.scripts))["id"]
    with _following(rest, number) as events:
        rest.start(number)
        seen: list[str] = []
        for event in events:
            output = json.loads(event.data)
            seen += output["lines"]
            if seen and not output["ended"]:
                (stack.scripts / seen[-1].split()[1]).touch()
    assert seen == ["step 0", "step 1", "step 2"]
    assert output["ended"]
    for step in range(3):
        (stack.scripts / str(step)).unlink()


def test_output_while_another_script_runs_is_followed_too(
    rest: Sidecar, stack: OetStack, prints: str
) -> None:
    held = rest.create(stack.uri("hold"))["id"]
    rest.start(held)
    try:
        prepared = rest.create(prints, lines=1)["id"]
        with _following(rest, prepared) as events:
            assert json.loads(next(events).data)["lines"] == ["init"]
            rest.http.put(f"/procedures/{prepared}", json={"state": "STOPPED"})
            assert [json.loads(event.data)["ended"] for event in events][-1]
    finally:
        rest.http.put(f"/procedures/{held}", json={"state": "STOPPED"})


def test_much_output_is_followed_without_a_gap_and_taken_up_again(rest: Sidecar, prints: str) -> None:
    number = _ended(rest, prints, lines=5000, size=100)
    outputs = _followed(rest, number)
    lines = [line.split()[0] for output in outputs for line in output["lines"]]
    assert lines == ["init", *map(str, range(5000))]
    later = _followed(rest, number, **{"Last-Event-ID": str(outputs[0]["next"])})
    first = later[0]["lines"][0].split()[0]
    assert first == str(outputs[0]["next"] - 1)


def test_a_client_that_leaves_costs_nothing(rest: Sidecar, stack: OetStack) -> None:
    number = rest.create(stack.uri("hold"))["id"]
    rest.start(number)
    calls = 'oet_tango_call_seconds_count{call="GetOutput"}'
    with _following(rest, number) as events:
        next(events)
    wait_until(lambda: not _is_looking(rest, calls), "the output is no longer looked at")
    rest.http.put(f"/procedures/{number}", json={"state": "STOPPED"})


def _is_looking(rest: Sidecar, calls: str) -> bool:
    """Whether the output is still looked at when something happens."""
    before = rest.figures()[calls]
    rest.http.post("/procedures", json={"script_uri": "file:///no/such/script.py"})
    return rest.figures()[calls] != before


def test_the_service_ends_although_output_is_followed(rest: Sidecar, stack: OetStack) -> None:
    number = rest.create(stack.uri("hold"))["id"]
    rest.start(number)
    try:
        with sidecar(stack.tango_host) as own, _following(own, number) as events:
            next(events)
            began = time.monotonic()
            own.process.send_signal(signal.SIGTERM)
            assert own.process.wait(patience(5.0)) == 0
            assert list(events) == []
            assert time.monotonic() - began < patience(2.0)
    finally:
        rest.http.put(f"/procedures/{number}", json={"state": "STOPPED"})


def test_what_is_followed_ends_with_a_controller_that_dies_once_it_is_back(own_stack: OetStack) -> None:
    with own_stack.controller() as controller, sidecar(own_stack.tango_host) as own:
        number = own.create(own_stack.uri("hold"))["id"]
        own.start(number)
        with _following(own, number) as events:
            next(events)
            controller.kill()
            with own_stack.controller():
                assert [json.loads(event.data)["ended"] for event in events] == [True]


def test_output_that_is_no_longer_kept(rest: Sidecar, stack: OetStack, prints: str) -> None:
    number = _ended(rest, prints, lines=1)
    (stack.state / "output" / f"{number}.log").unlink()
    for headers in ({}, FOLLOW):
        gone = rest.http.get(f"/procedures/{number}/output", headers=headers)
        assert (gone.status_code, gone.json()["type"]) == (410, "Gone")
        assert f"The output of procedure {number} is not kept" in gone.json()["Message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("0/output", 404),
        ("99999/output", 404),
        (f"{1 << 40}/output", 404),
        ("x/output", 404),
        ("-1/output", 404),
        ("1/output?after=-1", 400),
        ("1/output?after=x", 400),
        (f"1/output?after={1 << 70}", 400),
        ("1/output?limit=0", 400),
        ("1/output?limit=10001", 400),
    ],
)
def test_what_there_is_not_is_refused(http: httpx.Client, path: str, status: int) -> None:
    for headers in ({}, FOLLOW):
        refused = http.get(f"/procedures/{path}", headers=headers)
        assert refused.status_code == status
        assert set(refused.json()) == {"error", "type", "Message"}
