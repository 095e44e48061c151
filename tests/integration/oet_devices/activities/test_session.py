"""The session that the documentation of activities shows, as far as a Tango client sees it."""

import json
from typing import Any

import tango
from tests.support.events import listen
from tests.support.lrc_client import invoke

from oet_devices.ska.enums import ResultCode, TaskStatus

OVERRIDE = {"init": {"kwargs": {"foo": "bar"}}}


def run(controller: tango.DeviceProxy, name: str, **more: Any) -> list[Any]:
    """Run an activity of the sample Scheduling Block, and return the result of the command."""
    request = json.dumps({"activity_name": name, "sbd_id": "sbd-123", **more})
    with invoke(controller, "RunActivity", request) as call:
        assert call.code is ResultCode.STARTED
        result = call.wait_for_end().result
    assert result is not None
    return result


def describe(controller: tango.DeviceProxy, activity_id: int) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(controller.DescribeActivity(activity_id))
    return described


def test_the_session_of_the_documentation(controller: tango.DeviceProxy) -> None:
    code, summary = run(controller, "allocate", script_args=OVERRIDE)
    assert (code, summary["id"], summary["procedure_id"], summary["state"]) == (0, 1, 1, "COMPLETE")
    assert summary["script_args"]["init"] == {"args": [1, "foo"], "kwargs": {"foo": "bar"}}

    code, summary = run(controller, "observe", prepare_only=True)
    assert (code, summary["id"], summary["procedure_id"], summary["state"]) == (0, 2, 2, "PREPARED")

    listed = json.loads(controller.activities)
    reported = [(a["id"], a["activity_name"], a["sbd_id"], a["procedure_id"], a["state"]) for a in listed]
    assert reported == [(1, "allocate", "sbd-123", 1, "COMPLETE"), (2, "observe", "sbd-123", 2, "PREPARED")]

    with invoke(controller, "Start", "2") as start:
        assert start.wait_for_end().statuses[-1] is TaskStatus.COMPLETED

    described = describe(controller, 1)
    assert [state for state, _ in described["activity_states"]] == [
        "REQUESTED",
        "PREPARED",
        "RUNNING",
        "COMPLETE",
    ]
    assert (described["prepare_only"], described["activity_name"]) == (False, "allocate")

    procedure = json.loads(controller.DescribeProcedure(1))
    assert [state for state, _ in procedure["history"]["process_states"]] == [
        *("CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY", "RUNNING", "READY", "COMPLETE")
    ]
    assert procedure["script"]["script_uri"] == "file://allocate.py"
    assert procedure["script_args"]["init"] == {"args": [1, "foo"], "kwargs": {"foo": "bar"}}
    assert procedure["script_args"]["main"]["args"] == []
    output = json.loads(controller.GetOutput('{"pid": 1}'))["lines"]
    assert "Subarray 1 foo foo=bar" in output
    assert describe(controller, 0)["id"] == 2


def test_a_prepared_activity_that_is_started_by_hand_shows_that(controller: tango.DeviceProxy) -> None:
    run(controller, "observe", prepare_only=True)
    with listen(controller, ["activities"]) as log:
        controller.Start("")
        log.wait_until(lambda log: "COMPLETE" in newest_states(log.of("activities")))
        assert newest_states(log.of("activities")) == ["REQUESTED", "PREPARED", "RUNNING", "COMPLETE"]


def newest_states(values: list[str]) -> list[str]:
    """Return the states that the newest activity of the newest value has passed through."""
    activities = json.loads(values[-1])
    return [state for state, _ in activities[-1]["activity_states"]] if activities else []


def test_scans_are_numbered_over_all_activities_of_a_controller(controller: tango.DeviceProxy) -> None:
    for _ in range(2):
        code, _ = run(controller, "observe")
        assert code == 0
    events = json.loads(controller.GetEvents('{"topic": "scan.lifecycle.start"}'))
    numbers = [event["scan_id"] for event in events]
    # Other controllers of this Tango database may have drawn before.
    assert numbers == list(range(numbers[0], numbers[0] + 8))


def test_ten_activities_at_once(controller: tango.DeviceProxy) -> None:
    request = json.dumps({"activity_name": "observe", "sbd_id": "sbd-123"})
    with listen(controller, ["activities", "procedures"]) as log:
        for _ in range(10):
            (code,), _ = controller.RunActivity(request)
            assert code == ResultCode.STARTED
        log.wait_until(lambda log: len(ended(log.of("activities"))) == 10)
        log.wait_until(lambda log: nobody_waits(log.of("procedures")))
    summaries = ended([controller.activities])
    assert sorted(summary["id"] for summary in summaries) == list(range(1, 11))
    complete = [summary for summary in summaries if summary["state"] == "COMPLETE"]
    assert complete
    for summary in summaries:
        if summary not in complete:
            assert summary["state"] == "FAILED"
            assert "(observe.py) is running: wait until it has ended" in summary["reason"]


def ended(values: list[str]) -> list[dict[str, Any]]:
    """Return the activities that have ended by the newest value."""
    states = ("COMPLETE", "FAILED", "STOPPED")
    return [activity for activity in json.loads(values[-1]) if activity["state"] in states]


def nobody_waits(values: list[str]) -> bool:
    """Return whether no procedure is left that could still be started."""
    return {procedure["state"] for procedure in json.loads(values[-1])} <= {"COMPLETE", "STOPPED"}


def test_a_client_of_the_older_protocol(controller: tango.DeviceProxy) -> None:
    request = json.dumps({"activity_name": "deallocate", "sbd_uri": "oda://sbd-123/1"})
    with invoke(controller, "RunActivity", request, version=1) as call:
        assert call.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        assert call.id.split("_")[1:] == ["1", "RunActivity"]
