"""The observing queue, as a Tango client uses it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import WAITS
from tests.support.controllers import controller_proxy, controller_server
from tests.support.events import EventLog, listen
from tests.support.operator import operate
from tests.support.tango_stack import database

from oet_devices.observing_queue import label_of
from ska_oso_oet.model import QueueState

_DEVICE = "test/queue/1"
_PROPERTIES_DEVICE = "test/queue/2"
_FAILS = "def main(): raise RuntimeError('no beam')"


def entry(text: str, **more: Any) -> dict[str, Any]:
    """Return the request for an entry whose script is given as its text."""
    return {"procedure": {"script": {"script_type": "embedded", "script": text}}, **more}


def send(controller: tango.DeviceProxy, command: str, **argument: Any) -> dict[str, Any]:
    """Send a command of the queue, and return its answer."""
    answer: dict[str, Any] = json.loads(controller.command_inout(command, json.dumps(argument)))
    return answer


def ids(answer: dict[str, Any]) -> list[int]:
    """Return the IDs of the entries of an answer."""
    return [each["id"] for each in answer["entries"]]


def states(text: str) -> dict[int, str]:
    """Return the states of the entries of the attribute queue."""
    return {each["id"]: each["state"] for each in json.loads(text)["entries"]}


def wait_for(log: EventLog, entry_id: int, state: str) -> None:
    """Wait until an event says that an entry is in a state."""
    log.wait_until(lambda known: [states(it).get(entry_id) for it in known.of("queue")[-1:]] == [state])


@pytest.fixture
def log(controller: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of the queue of the controller of this module, which is empty in the end."""
    with listen(controller, ["queue", "queueState", "queueLength", "events"]) as log:
        yield log
        send(controller, "QueueClear")
        send(controller, "QueueStop", now=True)
        log.wait_until(lambda known: known.of("queueLength")[-1] == 0)


@pytest.fixture
def fresh_log(fresh: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of the queue of a controller that no test has used."""
    with listen(fresh, ["queue", "queueState"]) as log:
        yield log


def test_entries_run_and_a_failure_stops_the_queue(controller: tango.DeviceProxy, log: EventLog) -> None:
    first, failing = ids(
        send(controller, "QueueAdd", entries=[entry("def main(): ..."), entry(_FAILS, note="beam")])
    )
    assert controller.queueLength == 2
    (last,) = ids(send(controller, "QueueAdd", **entry("def main(): ...", position="back")))
    log.clear()
    assert send(controller, "QueueStart") == {"state": "RUNNING", "reason": None}
    wait_for(log, failing, "FAILED")
    log.wait_until(lambda known: known.of("queueState")[-1:] == [label_of(QueueState.STOPPED)])
    assert log.of("queueState") == [label_of(QueueState.RUNNING), label_of(QueueState.STOPPED)]
    shown = json.loads(controller.queue)
    assert shown["reason"] == f"Entry {failing} is FAILED: RuntimeError: no beam"
    assert states(controller.queue) == {first: "DONE", failing: "FAILED", last: "WAITING"}
    procedure = json.loads(controller.DescribeProcedure(shown["entries"][1]["procedure_id"]))
    assert (procedure["queue_entry"], procedure["requested_by"]) == (failing, shown["entries"][1]["added_by"])
    changes = [
        event for text in log.of("events") if (event := json.loads(text))["topic"] == "queue.entry.changed"
    ]
    assert [each["result"]["state"] for each in changes if each["entry_id"] == first] == [
        "PREPARING",
        "PREPARING",
        "READY",
        "RUNNING",
        "DONE",
    ]
    assert "no beam" not in json.dumps(shown["entries"][1]["request"]), "the text of a script is not shown"


def test_entries_are_moved_changed_and_removed(controller: tango.DeviceProxy, log: EventLog) -> None:
    a, b, c = ids(send(controller, "QueueAdd", entries=[entry("def main(): ...")] * 3))
    send(controller, "QueueMove", id=c, position={"before": a})
    (changed,) = send(controller, "QueueUpdate", id=b, note="clouds", not_before="2026-11-26T21:00:00")[
        "entries"
    ]
    assert changed["request"]["note"] == "clouds"
    assert changed["request"]["not_before"] == "2026-11-26T21:00:00Z"
    assert ids(send(controller, "QueueRemove", id=a)) == [a]
    log.wait_until(lambda known: list(states(known.of("queue")[-1]))[-2:] == [c, b])
    assert ids(send(controller, "QueueClear")) == [c, b]


BAD: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no such entry": (
        "QueueRemove",
        {"id": 9999},
        "OET_QueueEntryNotFound",
        "entry 9999 is not in the queue",
    ),
    "beside no entry": (
        "QueueAdd",
        entry("def main(): ...", position={"after": 9999}),
        "OET_QueueEntryNotFound",
        "9999",
    ),
    "malformed time": (
        "QueueAdd",
        entry("def main(): ...", not_before="tonight"),
        "OET_InvalidArgument",
        "not_before",
    ),
    "malformed position": (
        "QueueAdd",
        entry("def main(): ...", position="middle"),
        "OET_InvalidArgument",
        "position",
    ),
    "neither": ("QueueAdd", {"note": "x"}, "OET_InvalidArgument", "'procedure' or 'activity'"),
    "prepare only": (
        "QueueAdd",
        {"activity": {"activity_name": "a", "sbd_id": "sbd-1", "prepare_only": True}},
        "OET_InvalidArgument",
        "prepare_only",
    ),
    "argument": ("QueueAdd", entry("def main(scans): ..."), "OET_ArgumentsDoNotFit", "scans"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_request_that_cannot_be_met_is_refused(controller: tango.DeviceProxy, case: str) -> None:
    command, argument, reason, says = BAD[case]
    with pytest.raises(tango.DevFailed) as failure:
        send(controller, command, **argument)
    assert failure.value.args[0].reason == reason
    assert says in failure.value.args[0].desc
    assert controller.queueLength == 0


def test_an_entry_that_has_begun_cannot_be_removed(controller: tango.DeviceProxy, log: EventLog) -> None:
    (begun,) = ids(send(controller, "QueueAdd", **entry(WAITS)))
    send(controller, "QueueStart")
    wait_for(log, begun, "RUNNING")
    with pytest.raises(tango.DevFailed) as failure:
        send(controller, "QueueRemove", id=begun)
    assert failure.value.args[0].reason == "OET_QueueEntryBegun"


def test_a_kill_of_the_server_loses_no_entry(tango_host: str, tmp_path: Path) -> None:
    with controller_server(tango_host, tmp_path, [_DEVICE], instance="queue") as server:
        controller = controller_proxy(tango_host, _DEVICE)
        running, rest = ids(send(controller, "QueueAdd", entries=[entry(WAITS), entry("def main(): ...")]))
        with listen(controller, ["queue"]) as log:
            send(controller, "QueueStart")
            wait_for(log, running, "RUNNING")
        server.kill()
        server.wait()
    with controller_server(tango_host, tmp_path, [_DEVICE], instance="queue"):
        controller = controller_proxy(tango_host, _DEVICE)
        shown = json.loads(controller.queue)
        assert states(controller.queue) == {running: "UNKNOWN", rest: "WAITING"}
        assert (shown["state"], controller.queueState) == ("STOPPED", label_of(QueueState.STOPPED))
        assert shown["reason"] == "The server ended while the queue was RUNNING: send QueueStart to continue"
        with listen(controller, ["queue"]) as log:
            send(controller, "QueueStart")
            wait_for(log, rest, "DONE")


def test_properties_say_what_a_failure_and_a_restart_are_for_the_queue(
    tango_host: str, tmp_path: Path
) -> None:
    more = {"QueueStopOnFailure": ["false"], "QueueAutostart": ["true"]}
    with controller_server(tango_host, tmp_path, [_PROPERTIES_DEVICE], instance="queue2"):
        controller = controller_proxy(tango_host, _PROPERTIES_DEVICE)
        assert controller.queueState == label_of(QueueState.STOPPED)
        failing, rest = ids(send(controller, "QueueAdd", entries=[entry(_FAILS), entry("def main(): ...")]))
        # Reset takes them into account, with a new queue that has the same entries.
        database(tango_host).put_device_property(_PROPERTIES_DEVICE, more)
        with listen(controller, ["queue"]) as log:
            controller.Reset()
            wait_for(log, rest, "DONE")
        assert states(controller.queue) == {failing: "FAILED", rest: "DONE"}
        assert controller.queueState == label_of(QueueState.RUNNING)


def test_no_queue_is_started_while_the_controller_is_offline(fresh: tango.DeviceProxy) -> None:
    fresh.adminMode = 1
    with pytest.raises(tango.DevFailed) as failure:
        send(fresh, "QueueStart")
    assert failure.value.args[0].reason == "API_CommandNotAllowed"


def test_the_queue_stops_when_the_controller_goes_offline(
    fresh: tango.DeviceProxy, fresh_log: EventLog
) -> None:
    running, rest = ids(send(fresh, "QueueAdd", entries=[entry(WAITS), entry("def main(): ...")]))
    send(fresh, "QueueStart")
    wait_for(fresh_log, running, "RUNNING")
    fresh.adminMode = 1
    fresh_log.wait_until(lambda log: log.of("queueState")[-1] == label_of(QueueState.STOPPING))
    fresh.adminMode = 0
    fresh.Stop("")
    fresh_log.wait_until(lambda log: log.of("queueState")[-1] == label_of(QueueState.STOPPED))
    shown = json.loads(fresh.queue)
    assert shown["reason"] == "adminMode was set to OFFLINE: send QueueStart to continue"
    assert states(fresh.queue) == {running: "STOPPED", rest: "WAITING"}
    send(fresh, "QueueStart")
    wait_for(fresh_log, rest, "DONE")


def test_the_queue_goes_on_when_the_controller_is_on_again(
    fresh: tango.DeviceProxy, fresh_log: EventLog
) -> None:
    (queued,) = ids(send(fresh, "QueueAdd", **entry("def main(): ...", prepare="late")))
    with operate(fresh) as client:
        by_hand = client.prepare("file://waits.py")
        client.start(by_hand)
        send(fresh, "QueueStart")
        fresh.Off()
        client.stop(by_hand)
    assert states(fresh.queue) == {queued: "WAITING"}
    fresh.On()
    wait_for(fresh_log, queued, "DONE")


def test_events_say_who_has_changed_the_queue(controller: tango.DeviceProxy, log: EventLog) -> None:
    a, b = ids(send(controller, "QueueAdd", entries=[entry("def main(): ...")] * 2, requested_by="ann"))
    send(controller, "QueueMove", id=b, position={"before": a}, requested_by="bob")
    send(controller, "QueueUpdate", id=b, note="clouds", requested_by="cleo")
    send(controller, "QueueRemove", id=a, requested_by="dora")
    send(controller, "QueueClear", requested_by="emma")

    def changes() -> list[tuple[str, int, str]]:
        events = [json.loads(text) for text in log.of("events")]
        return [
            (event["topic"].rpartition(".")[2], event["entry_id"], event["requested_by"]["user"])
            for event in events
            if event.get("topic", "").startswith("queue.entry.") and event["requested_by"] is not None
        ]

    expected = [
        ("changed", b, "bob"),
        ("changed", b, "cleo"),
        ("removed", a, "dora"),
        ("removed", b, "emma"),
    ]
    log.wait_until(lambda _: changes()[-4:] == expected)
