"""Reports about long-running commands, and their order."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.patience import PATIENCE

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.command_record import MAX_RESULT_BYTES, JsonText
from oet_devices.ska.commands import CommandTracker, TooManyCommandsError
from oet_devices.ska.enums import TaskStatus
from oet_devices.ska.lrc_attributes import MAX_ACTIVE, MAX_LEGACY, MAX_QUEUED, LrcAttribute


class Reported:
    """Announcements of a tracker."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, tuple[str, ...]]] = []
        self.changed = threading.Condition()

    def __call__(self, name: str, value: tuple[str, ...]) -> None:
        """Record one update."""
        with self.changed:
            self.updates.append((name, value))
            self.changed.notify_all()

    def take(self) -> list[tuple[str, Any]]:
        """Return the updates since the last call, with JSON read and times of day left out."""
        updates, self.updates = self.updates, []
        return [(name, [_read(text) for text in value]) for name, value in updates]

    def values(self, attribute: LrcAttribute) -> list[tuple[str, ...]]:
        """Return what one attribute was said to be, one after the other."""
        return [value for name, value in self.updates if name == attribute]


def _read(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return text
    value = json.loads(text)
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if not key.endswith("_time")}
    return value


@pytest.fixture
def reported() -> Reported:
    return Reported()


@pytest.fixture
def tracker(reported: Reported) -> Iterator[CommandTracker]:
    tracker = CommandTracker(reported)
    yield tracker
    tracker.close()


def test_a_new_command_is_announced_as_staging(tracker: CommandTracker, reported: Reported) -> None:
    tracker.begin("Scan", "1_1_Scan")

    assert reported.take() == [
        ("longRunningCommandsInQueue", ["Scan"]),
        ("longRunningCommandIDsInQueue", ["1_1_Scan"]),
        ("longRunningCommandStatus", ["1_1_Scan", "STAGING"]),
        ("_lrcEvent", ["1_1_Scan", {"status": 0}]),
    ]


def test_order_of_what_a_success_announces(tracker: CommandTracker, reported: Reported) -> None:
    handle = tracker.begin("Scan", "1_1_Scan")
    reported.take()
    entry = {"uid": "1_1_Scan", "name": "Scan"}

    handle.queued()
    assert reported.take() == [
        ("longRunningCommandStatus", ["1_1_Scan", "QUEUED"]),
        ("_lrcEvent", ["1_1_Scan", {"status": 1}]),
        ("lrcQueue", [entry]),
    ]
    handle.started()
    assert reported.take() == [
        ("longRunningCommandStatus", ["1_1_Scan", "IN_PROGRESS"]),
        ("longRunningCommandInProgress", ["Scan"]),
        ("_lrcEvent", ["1_1_Scan", {"status": 2}]),
        ("lrcQueue", []),
        ("lrcExecuting", [entry]),
    ]
    handle.progress(33)
    assert reported.take() == [
        ("longRunningCommandProgress", ["1_1_Scan", "33"]),
        ("_lrcEvent", ["1_1_Scan", {"progress": 33}]),
        ("lrcExecuting", [{**entry, "progress": 33}]),
    ]
    handle.completed("all seen")
    assert reported.take() == [
        ("longRunningCommandResult", ["1_1_Scan", [0, "all seen"]]),
        ("longRunningCommandStatus", ["1_1_Scan", "COMPLETED"]),
        ("longRunningCommandInProgress", []),
        ("_lrcEvent", ["1_1_Scan", {"status": 5, "result": [0, "all seen"]}]),
        ("lrcExecuting", []),
        ("lrcFinished", [{**entry, "status": "COMPLETED", "result": [0, "all seen"]}]),
    ]


def test_times_of_day_are_given_in_utc(tracker: CommandTracker) -> None:
    handle = tracker.begin("Scan", "1_1_Scan")
    handle.started()
    handle.completed()

    entry = json.loads(tracker.value(LrcAttribute.FINISHED)[0])
    times = [entry["submitted_time"], entry["started_time"], entry["finished_time"]]
    assert times == sorted(times)
    assert all(time.endswith("+00:00") for time in times)


@pytest.mark.parametrize(
    ("end", "status", "result"),
    [
        (lambda handle: handle.failed(ValueError("no such source")), "FAILED", [3, "no such source"]),
        (lambda handle: handle.failed(KeyError()), "FAILED", [3, "KeyError"]),
        (lambda handle: handle.rejected(), "REJECTED", [6, "Command is not allowed"]),
        (lambda handle: handle.aborted(), "ABORTED", [7, "Command has been aborted"]),
        (lambda handle: handle.completed({"id": 7}), "COMPLETED", [0, {"id": 7}]),
        (lambda handle: handle.completed(JsonText('{"id": 7}')), "COMPLETED", [0, {"id": 7}]),
    ],
)
def test_ways_to_end(tracker: CommandTracker, end: Any, status: str, result: list[Any]) -> None:
    handle = tracker.begin("Scan", "1_1_Scan")
    end(handle)

    assert tracker.status("1_1_Scan").name == status
    entry = json.loads(tracker.value(LrcAttribute.FINISHED)[0])
    assert (entry["status"], entry["result"]) == (status, result)


def test_the_first_end_counts(tracker: CommandTracker, reported: Reported) -> None:
    handle = tracker.begin("Scan", "1_1_Scan")
    assert handle.aborted()
    reported.take()

    assert not handle.completed()
    assert not handle.started()
    assert not handle.progress(5)
    assert reported.take() == []
    assert handle.status is TaskStatus.ABORTED


def test_progress_stays_between_0_and_100_and_is_told_once(
    tracker: CommandTracker, reported: Reported
) -> None:
    handle = tracker.begin("Scan", "1_1_Scan")
    assert not handle.progress(1), "a command that does not execute makes no progress"
    handle.started()
    for percent in (-5, 0, 50, 50, 250):
        handle.progress(percent)

    assert reported.values(LrcAttribute.PROGRESS) == [("1_1_Scan", text) for text in ("0", "50", "100")]


def test_ended_commands_leave_the_old_attributes_but_not_lrc_finished(reported: Reported) -> None:
    tracker = CommandTracker(reported, retention=0.05)
    try:
        tracker.begin("Scan", "1_1_Scan").completed()
        assert tracker.value(LrcAttribute.STATUS) == ("1_1_Scan", "COMPLETED")
        with reported.changed:
            assert reported.changed.wait_for(lambda: reported.values(LrcAttribute.STATUS)[-1] == (), PATIENCE)

        assert tracker.value(LrcAttribute.NAMES_IN_QUEUE) == ()
        assert len(tracker.value(LrcAttribute.FINISHED)) == 1
        assert tracker.status("1_1_Scan") is TaskStatus.COMPLETED
        assert tracker.value(LrcAttribute.RESULT) == ("1_1_Scan", '[0, "Scan completed OK"]')
    finally:
        tracker.close()


def test_system_that_refuses_threads_keeps_no_command_from_its_end_nor_from_expiry(
    reported: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tracker = CommandTracker(reported, retention=0.05)
    try:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        for number in range(2):
            tracker.begin("Scan", f"{number}_1_Scan").completed()
            with reported.changed:
                assert reported.changed.wait_for(
                    lambda: reported.values(LrcAttribute.STATUS)[-1] == (), PATIENCE
                )
    finally:
        tracker.close()
    assert "lrc-expiry" not in [thread.name for thread in threading.enumerate()]


def test_an_unknown_command_is_not_found(tracker: CommandTracker) -> None:
    assert tracker.status("1_1_Nothing") is TaskStatus.NOT_FOUND


def test_an_id_is_not_taken_twice(tracker: CommandTracker) -> None:
    tracker.begin("Scan", "1_1_Scan")
    with pytest.raises(ValueError, match="1_1_Scan"):
        tracker.begin("Scan", "1_1_Scan")


def test_no_more_commands_wait_than_lrc_queue_can_show(tracker: CommandTracker) -> None:
    handles = [tracker.begin("Scan", f"{n}_1_Scan") for n in range(MAX_QUEUED)]
    for handle in handles:
        handle.queued()
    with pytest.raises(TooManyCommandsError, match="32 commands wait and 0 execute"):
        tracker.begin("Scan", "99_1_Scan")
    assert len(tracker.value(LrcAttribute.QUEUE)) == MAX_QUEUED

    handles[0].started()
    tracker.begin("Scan", "99_1_Scan")


def _fill(tracker: CommandTracker) -> list[CommandHandle]:
    """Begin as many commands as there may be."""
    handles: list[CommandHandle] = []
    try:
        while True:
            handles.append(tracker.begin("Scan", f"{len(handles)}_1_Scan"))
            handles[-1].started()
    except TooManyCommandsError:
        return handles


def test_abort_is_taken_when_nothing_else_is(tracker: CommandTracker) -> None:
    handles = _fill(tracker)
    abort = tracker.abort_all("a_1_Abort")
    for handle in handles:
        assert handle.abort_requested
        handle.aborted()
    assert abort.status is TaskStatus.COMPLETED


def test_attributes_never_hold_more_than_they_declare(tracker: CommandTracker, reported: Reported) -> None:
    for n in range(300):
        tracker.begin("Scan", f"old{n}_1_Scan").completed()
    _fill(tracker)

    longest = {
        name: max(len(value) for value in reported.values(name))
        for name in LrcAttribute
        if reported.values(name)
    }
    assert longest[LrcAttribute.NAMES_IN_QUEUE] <= MAX_LEGACY
    assert longest[LrcAttribute.STATUS] <= 2 * MAX_LEGACY
    assert longest[LrcAttribute.EXECUTING] <= MAX_ACTIVE
    assert longest[LrcAttribute.FINISHED] == 100
    assert json.loads(tracker.value(LrcAttribute.FINISHED)[-1])["uid"] == "old299_1_Scan", "newest is last"


@pytest.mark.parametrize(
    "message",
    ["x" * 200_000, "\N{GRINNING FACE}" * 50_000, JsonText(f'"{"x" * 200_000}"')],
)
def test_long_texts_of_results_are_cut_and_say_where_the_rest_is(
    tracker: CommandTracker, message: Any
) -> None:
    handle = tracker.begin("Scan", "1_1_Scan", pointer="DescribeProcedure(1) returns all of it.")
    handle.completed(message)

    _, text = tracker.value(LrcAttribute.RESULT)
    assert MAX_RESULT_BYTES - 50 < len(text.encode()) <= MAX_RESULT_BYTES
    assert text.isascii(), "a Tango string cannot hold every character"
    code, shortened = json.loads(text)
    assert code == 0
    assert shortened.endswith("DescribeProcedure(1) returns all of it.")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"id": 1, "lines": ['"\\'] * 50_000}, {"id": 1, "truncated": ["lines"]}),
        (
            JsonText(json.dumps({"a": "x" * 40_000, "id": 1, "b": "y" * 50_000, "truncated": ["script"]})),
            {"a": "x" * 40_000, "id": 1, "truncated": ["script", "b"]},
        ),
        (
            {'"': "x" * 70_000, "script": 30_000 * "Ö", "truncated": ["script"]},
            {"truncated": ["script", '"']},
        ),
        (["x"] * 50_000, {"truncated": ["value"]}),
    ],
)
def test_a_long_result_stays_an_object_and_names_what_is_left_out(
    tracker: CommandTracker, message: Any, expected: dict[str, Any]
) -> None:
    tracker.begin("Scan", "1_1_Scan", pointer="See elsewhere.").completed(message)
    _, text = tracker.value(LrcAttribute.RESULT)
    assert len(text) <= MAX_RESULT_BYTES
    assert json.loads(text) == [0, expected]


def test_of_a_long_result_the_beginning_and_the_end_are_kept(tracker: CommandTracker) -> None:
    trace = "Traceback" + 100_000 * "\n" + "RuntimeError: the antenna is stuck"
    tracker.begin("Scan", "1_1_Scan", pointer="See elsewhere.").failed(trace)

    _, shortened = json.loads(tracker.value(LrcAttribute.RESULT)[1])
    assert shortened.startswith("Traceback\n")
    assert shortened.endswith("\nRuntimeError: the antenna is stuck ... See elsewhere.")


def test_a_result_that_is_no_json_does_not_cost_the_end_of_the_command(tracker: CommandTracker) -> None:
    tracker.begin("Scan", "1_1_Scan").completed({"where": object})
    assert tracker.status("1_1_Scan") is TaskStatus.COMPLETED


def test_closing_ends_all_commands_and_then_says_nothing_more(
    tracker: CommandTracker, reported: Reported
) -> None:
    asked: list[str] = []
    handle = tracker.begin("Scan", "1_1_Scan", lambda: asked.append("Scan"))
    handle.started()
    tracker.close()

    assert asked == ["Scan"]
    assert reported.values(LrcAttribute.EVENT)[-1] == (
        "1_1_Scan",
        '{"status": 3, "result": [7, "Command has been aborted"]}',
    )
    reported.take()
    with pytest.raises(RuntimeError, match="being deleted"):
        tracker.begin("Scan", "2_1_Scan")
    assert not handle.completed()
    assert reported.take() == []
