"""OETController against the tables of the specification, as any SKA device."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all, prepare
from tests.support.controllers import embedded
from tests.support.events import EventLog, listen
from tests.support.lrc_client import CommandRefusedError, invoke
from tests.support.lrc_order import ORDER, announcements
from tests.support.ska_interface import INTERFACE, attribute_row, command_row, plain, require_not_allowed

from oet_devices.controller import OETController
from oet_devices.ska.enums import AdminMode, ResultCode
from oet_devices.ska.lrc_attributes import LrcAttribute

FINE = (
    "from pubsub import pub\n"
    "def main():\n"
    "    for percent in (33, 66):\n"
    "        pub.sendMessage('user.script.progress', progress=percent)\n"
)
FAILING = "def main(): raise RuntimeError('the antenna is stuck')"
LONG = "import signal\ndef main(): signal.pause()"
LONG_INIT = "import signal\ndef init(): signal.pause()\ndef main(): ..."


def _name(row: dict[str, Any]) -> str:
    return str(row["name"])


@pytest.mark.parametrize("row", INTERFACE["attributes"], ids=_name)
def test_attribute(untouched: tango.DeviceProxy, row: dict[str, Any]) -> None:
    expected = {key: value for key, value in row.items() if key != "first_event"}
    assert attribute_row(untouched, row["name"]) == expected


@pytest.mark.parametrize("row", INTERFACE["commands"], ids=_name)
def test_command(untouched: tango.DeviceProxy, row: dict[str, Any]) -> None:
    assert command_row(untouched, row["name"]) == row


@pytest.mark.parametrize("row", INTERFACE["properties"], ids=_name)
def test_property(row: dict[str, Any]) -> None:
    data_type, doc, default, *_ = OETController.TangoClassClass.device_property_list[row["name"]]
    lines = default if isinstance(default, list) else [default]
    assert (str(data_type), "\n".join(str(line) for line in lines)) == (row["type"], row["default"])
    assert doc


def test_every_attribute_has_events_and_what_the_first_ones_say(untouched: tango.DeviceProxy) -> None:
    names = [name for name in untouched.get_attribute_list() if name != "lrcProtocolVersions"]
    expected = {row["name"]: row["first_event"] for row in INTERFACE["attributes"] if "first_event" in row}
    with listen(untouched, names) as log:
        # Of several events the first one counts.
        first = {event.attribute: plain(event.value) for event in reversed(log.events)}
        assert log.errors == []
    assert first.keys() == set(names)
    assert {name: first[name] for name in expected} == expected
    assert tuple(untouched.read_attribute("lrcProtocolVersions").value) == (1, 2)


def _on(controller: tango.DeviceProxy) -> None:
    controller.adminMode = "OFFLINE"
    controller.adminMode = "ONLINE"


def _switched(command: str) -> Any:
    def switch(controller: tango.DeviceProxy) -> None:
        _on(controller)
        controller.command_inout(command)

    return switch


def _at_fault(controller: tango.DeviceProxy) -> None:
    _on(controller)
    controller.put_property({"HistoryLength": ["-1"]})
    controller.Reset()


_WAYS = {
    "DISABLE": lambda controller: controller.write_attribute("adminMode", AdminMode.OFFLINE),
    "ON": _on,
    "OFF": _switched("Off"),
    "STANDBY": _switched("Standby"),
    "FAULT": _at_fault,
}


@pytest.fixture
def third(controllers: list[tango.DeviceProxy]) -> Iterator[tango.DeviceProxy]:
    """A controller that is left as it was."""
    yield controllers[2]
    controllers[2].delete_property("HistoryLength")
    _on(controllers[2])
    with invoke(controllers[2], "Reset") as reset:
        assert reset.wait_for_end().result == [0, "Reset completed OK"]


@pytest.mark.parametrize("reached", _WAYS)
@pytest.mark.parametrize("command", INTERFACE["allowed_states"])
def test_commands_are_taken_in_the_allowed_states_only(
    third: tango.DeviceProxy, command: str, reached: str
) -> None:
    _WAYS[reached](third)
    assert str(third.State()) == reached
    if reached not in INTERFACE["allowed_states"][command]:
        require_not_allowed(third, command)
        return
    [code], [text] = third.command_inout(command)
    if command.upper() == reached:
        assert (code, text) == (ResultCode.REJECTED, f"Device is already in {reached} state.")
    else:
        assert code == ResultCode.QUEUED
        assert text.endswith(f"_{command}")


@pytest.fixture
def all_events(controller: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of all attributes of the protocol, from after the first ones on."""
    with listen(controller, ORDER) as log:
        log.clear()
        yield log
    end_all(controller)


def _wait_for_ends(log: EventLog, count: int) -> list[dict[str, Any]]:
    """Wait until commands have ended, and return what lrcFinished says of the newest ones."""
    log.wait_until(lambda log: len(log.of("lrcFinished")) == count)
    return [json.loads(text) for text in log.of("lrcFinished")[-1][-count:]]


def _check_order(log: EventLog, commands: int) -> None:
    """Check that each announcement is complete, and that each command is reported from STAGING to its end."""
    reported = announcements(log)
    assert all(LrcAttribute.EVENT in together for together in reported), reported
    ends = [together for together in reported if LrcAttribute.FINISHED in together]
    assert len(ends) == commands
    for together in ends:
        # Between the result and the status there is no other command's.
        assert together[0] == LrcAttribute.RESULT
        assert LrcAttribute.STATUS in together
        assert together[-1] == LrcAttribute.FINISHED
    heard = [(uid, json.loads(text)) for uid, text in log.of(LrcAttribute.EVENT)]
    for uid in {uid for uid, _ in heard}:
        statuses = [change["status"] for about, change in heard if about == uid and "status" in change]
        assert statuses[:1] == [0], uid
        assert statuses == sorted(statuses)


def test_order_of_events_of_a_success(controller: tango.DeviceProxy, all_events: EventLog) -> None:
    controller.Create(embedded(FINE))
    _wait_for_ends(all_events, 1)
    controller.Start("")
    create, start = _wait_for_ends(all_events, 2)
    assert (create["status"], start["status"]) == ("COMPLETED", "COMPLETED")
    _check_order(all_events, 2)
    # Commands of a moment ago may still be shown, each with its own.
    progress = [value[-1] for value in all_events.of("longRunningCommandProgress") if start["uid"] in value]
    assert progress[:2] == ["33", "66"]


def test_order_of_events_of_a_failure(controller: tango.DeviceProxy, all_events: EventLog) -> None:
    controller.Create(embedded(FAILING))
    _wait_for_ends(all_events, 1)
    controller.Start("")
    _, start = _wait_for_ends(all_events, 2)
    assert (start["status"], start["result"][0]) == ("FAILED", ResultCode.FAILED)
    _check_order(all_events, 2)


def test_order_of_events_of_an_abort_of_two_commands_at_once(
    controller: tango.DeviceProxy, all_events: EventLog
) -> None:
    controller.Create(embedded(LONG))
    _wait_for_ends(all_events, 1)
    controller.Start("")
    controller.Create(embedded(LONG_INIT))
    controller.Abort()
    _, *aborted, abort = _wait_for_ends(all_events, 4)
    assert {entry["name"] for entry in aborted} == {"Start", "Create"}
    for entry in aborted:
        assert (entry["status"], entry["result"]) == ("ABORTED", [7, "Command has been aborted"])
    assert (abort["name"], abort["result"]) == ("Abort", [0, "Abort completed OK"])
    _check_order(all_events, 4)


def test_a_rejection_has_no_events(controller: tango.DeviceProxy, all_events: EventLog) -> None:
    prepare(controller, LONG)
    with suppress(CommandRefusedError), invoke(controller, "Stop", ""):
        raise AssertionError("nothing runs")
    [code], [_] = controller.On()
    assert code == ResultCode.REJECTED
    with pytest.raises(tango.DevFailed, match="not a script URI"):
        controller.Create("nonsense")
    _wait_for_ends(all_events, 1)
    _check_order(all_events, 1)
    assert {uid.rpartition("_")[2] for uid, _ in all_events.of(LrcAttribute.EVENT)} == {"Create"}
