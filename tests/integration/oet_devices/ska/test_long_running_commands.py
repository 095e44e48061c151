"""Long-running commands of a live device, seen by clients of both versions of the protocol."""

import json
from contextlib import ExitStack
from typing import Any

import pytest
import tango
from tests.support.events import listen
from tests.support.lrc_client import CommandRefusedError, invoke
from tests.support.lrc_order import announcements

from oet_devices.ska.enums import ResultCode, TaskStatus
from oet_devices.ska.lrc_attributes import LrcAttribute

S = TaskStatus

_both_versions = pytest.mark.parametrize("version", [1, 2])


@_both_versions
def test_success(online: tango.DeviceProxy, version: int) -> None:
    with invoke(online, "Count", version=version) as call:
        call.wait_for_end()
    assert call.code is ResultCode.QUEUED
    assert call.statuses == [S.STAGING, S.QUEUED, S.IN_PROGRESS, S.COMPLETED]
    assert call.progress == [33, 66]
    assert call.result == [0, "Count completed OK"]


@_both_versions
def test_an_exception_fails_the_command(online: tango.DeviceProxy, version: int) -> None:
    with invoke(online, "Break", version=version) as call:
        call.wait_for_end()
    assert call.statuses[-1] is S.FAILED
    assert call.result == [3, "The drive is stuck."]


@_both_versions
def test_refusal_when_its_turn_came(online: tango.DeviceProxy, version: int) -> None:
    with invoke(online, "TurnedAway", version=version) as call:
        call.wait_for_end()
    assert call.statuses == [S.STAGING, S.QUEUED, S.REJECTED]
    assert call.result == [6, "Command is not allowed"]


@_both_versions
def test_abort(online: tango.DeviceProxy, version: int) -> None:
    with (
        invoke(online, "Hold", version=version) as first,
        invoke(online, "Hold", version=version) as second,
        invoke(online, "Abort", version=version) as abort,
    ):
        for call in (first, second, abort):
            call.wait_for_end()
    assert abort.code is ResultCode.STARTED
    assert abort.result == [0, "Abort completed OK"]
    for call in (first, second):
        assert call.statuses == [S.STAGING, S.IN_PROGRESS, S.ABORTED]
        assert call.result == [7, "Command has been aborted"]
    ended = [json.loads(text)["uid"] for text in online.lrcFinished]
    assert ended == [first.id, second.id, abort.id], "Abort ends when all others have"


def test_the_deprecated_abort_does_the_same(online: tango.DeviceProxy) -> None:
    with invoke(online, "Hold") as hold, invoke(online, "AbortCommands") as abort:
        assert hold.wait_for_end().statuses[-1] is S.ABORTED
        assert abort.wait_for_end().statuses[-1] is S.COMPLETED


def test_a_refusal_at_once_gives_the_reason_and_no_events(online: tango.DeviceProxy) -> None:
    with pytest.raises(CommandRefusedError, match="come back tomorrow"), invoke(online, "Refused"):
        pass
    assert online.longRunningCommandIDsInQueue == ()


def test_order_of_all_events_of_a_command(online: tango.DeviceProxy) -> None:
    with listen(online, list(LrcAttribute)) as log:
        log.clear()
        [_], [command_id] = online.Count()
        log.wait_until(lambda log: log.of("lrcFinished"))
    reported = announcements(log)
    assert len(reported) == len(["STAGING", "QUEUED", "IN_PROGRESS", "33", "66", "COMPLETED"])
    assert all("_lrcEvent" in together for together in reported)
    assert reported[-1] == [
        "longRunningCommandResult",
        "longRunningCommandStatus",
        "longRunningCommandInProgress",
        "_lrcEvent",
        "lrcExecuting",
        "lrcFinished",
    ]
    assert log.of("_lrcEvent")[-1] == (
        command_id,
        '{"status": 5, "result": [0, "Count completed OK"]}',
    )


def _entry(text: str) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(text)
    return {key: value for key, value in entry.items() if not key.endswith("_time")}


def test_what_a_client_that_comes_late_reads(online: tango.DeviceProxy) -> None:
    with invoke(online, "Count") as count, invoke(online, "Hold") as hold:
        count.wait_for_end()
        hold.wait_until(lambda call: S.IN_PROGRESS in call.statuses)

        finished = {
            "uid": count.id,
            "name": "Count",
            "status": "COMPLETED",
            "result": [0, "Count completed OK"],
        }
        assert [_entry(text) for text in online.lrcFinished] == [finished]
        assert [_entry(text) for text in online.lrcExecuting] == [{"uid": hold.id, "name": "Hold"}]
        assert online.longRunningCommandsInQueue == ("Count", "Hold")
        assert online.longRunningCommandIDsInQueue == (count.id, hold.id)
        assert online.longRunningCommandStatus == (count.id, "COMPLETED", hold.id, "IN_PROGRESS")
        assert online.longRunningCommandInProgress == ("Hold",)
        assert online.longRunningCommandProgress == (count.id, "66")
        assert online.longRunningCommandResult == (count.id, '[0, "Count completed OK"]')
        assert online.CheckLongRunningCommandStatus(count.id) == "COMPLETED"
        assert online.CheckLongRunningCommandStatus(hold.id) == "IN_PROGRESS"
        assert online.CheckLongRunningCommandStatus("1_2_Nothing") == "NOT_FOUND"
        online.Release(hold.id)
        hold.wait_for_end()


def test_many_commands_at_once_each_get_their_own_events(online: tango.DeviceProxy) -> None:
    with ExitStack() as stack:
        holds = [stack.enter_context(invoke(online, "Hold", version=1 + n % 2)) for n in range(10)]
        counts = [stack.enter_context(invoke(online, "Count", version=1 + n % 2)) for n in range(10)]
        for call in counts:
            assert call.wait_for_end().statuses == [S.STAGING, S.QUEUED, S.IN_PROGRESS, S.COMPLETED]
        for call in reversed(holds):
            online.Release(call.id)
        for call in holds:
            assert call.wait_for_end().statuses == [S.STAGING, S.IN_PROGRESS, S.COMPLETED]
            assert call.result == [0, "released"]
    assert len({call.id for call in holds + counts}) == 20


def test_archive_events_tell_the_same_as_change_events(online: tango.DeviceProxy) -> None:
    names = [name for name in LrcAttribute if name is not LrcAttribute.EVENT]
    with (
        listen(online, names) as changes,
        listen(online, names, tango.EventType.ARCHIVE_EVENT) as archived,
    ):
        online.Count()
        for log in (changes, archived):
            log.wait_until(lambda log: log.of("lrcFinished")[-1])
    assert changes.events == archived.events


def test_init_ends_commands_and_clears_what_is_shown(online: tango.DeviceProxy) -> None:
    with invoke(online, "Hold") as hold, listen(online, ["lrcFinished", "lrcExecuting"]) as log:
        online.Init()
        assert hold.wait_for_end().result == [7, "Command has been aborted"]
        log.wait_until(lambda log: log.of("lrcFinished")[1:] and log.of("lrcFinished")[-1] == ())
        assert online.lrcFinished == ()
        assert [len(value) for value in log.of("lrcFinished")] == [0, 1, 0]
    with invoke(online, "Count") as count:
        assert count.wait_for_end().statuses[-1] is S.COMPLETED
