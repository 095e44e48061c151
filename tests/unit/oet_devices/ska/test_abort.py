"""Effects of Abort on commands that wait and execute."""

import threading
from collections.abc import Iterator

import pytest

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import CommandTracker
from oet_devices.ska.enums import TaskStatus
from oet_devices.ska.lrc_attributes import LrcAttribute


@pytest.fixture
def ended() -> list[str]:
    """Names of the commands that have ended, in order."""
    return []


@pytest.fixture
def tracker(ended: list[str]) -> Iterator[CommandTracker]:
    def sink(name: str, value: tuple[str, ...]) -> None:
        if name == LrcAttribute.EVENT and "result" in value[1]:
            ended.append(f"{value[0]} {value[1]}")

    tracker = CommandTracker(sink)
    yield tracker
    tracker.close()


def test_abort_ends_last_and_well(tracker: CommandTracker, ended: list[str]) -> None:
    handles: dict[str, CommandHandle] = {}
    handles["A"] = tracker.begin("A", "A", lambda: handles["A"].aborted())
    handles["B"] = tracker.begin("B", "B", lambda: handles["B"].aborted())
    for handle in handles.values():
        handle.started()
    abort = tracker.abort_all("Abort")

    assert abort.status is TaskStatus.COMPLETED
    assert ended == [
        'A {"status": 3, "result": [7, "Command has been aborted"]}',
        'B {"status": 3, "result": [7, "Command has been aborted"]}',
        'Abort {"status": 5, "result": [0, "Abort completed OK"]}',
    ]


def test_abort_waits_for_commands_that_take_their_time(tracker: CommandTracker) -> None:
    slow = tracker.begin("Slow", "Slow", lambda: None)
    slow.started()
    abort = tracker.abort_all("Abort")
    assert tracker.status("Abort") is TaskStatus.IN_PROGRESS

    ending = threading.Thread(target=slow.aborted)
    ending.start()
    ending.join()
    assert abort.status is TaskStatus.COMPLETED


def test_a_command_that_waits_is_not_started_after_an_abort(tracker: CommandTracker) -> None:
    waiting = tracker.begin("Waiting", "Waiting")
    waiting.queued()
    abort = tracker.abort_all("Abort")

    assert not waiting.started()
    assert waiting.status is TaskStatus.ABORTED
    assert abort.status is TaskStatus.COMPLETED


def test_a_command_that_completes_all_the_same_is_not_called_aborted(tracker: CommandTracker) -> None:
    quick = tracker.begin("Quick", "Quick", lambda: None)
    quick.started()
    abort = tracker.abort_all("Abort")
    quick.completed()

    assert quick.status is TaskStatus.COMPLETED
    assert abort.status is TaskStatus.COMPLETED


def test_abort_of_nothing_completes_at_once(tracker: CommandTracker) -> None:
    assert tracker.abort_all("Abort").status is TaskStatus.COMPLETED


def test_two_aborts_at_once_wait_for_the_same_commands_and_not_for_each_other(
    tracker: CommandTracker,
) -> None:
    asked: list[str] = []
    slow = tracker.begin("Slow", "Slow", lambda: asked.append("Slow"))
    slow.started()
    first, second = tracker.abort_all("1"), tracker.abort_all("2")
    assert asked == ["Slow"], "a command is asked once"
    slow.aborted()

    assert (first.status, second.status) == (TaskStatus.COMPLETED, TaskStatus.COMPLETED)


def test_later_commands_are_left_alone(tracker: CommandTracker) -> None:
    slow = tracker.begin("Slow", "Slow", lambda: None)
    slow.started()
    abort = tracker.abort_all("Abort")
    later = tracker.begin("Later", "Later")
    later.started()
    slow.aborted()

    assert abort.status is TaskStatus.COMPLETED
    assert later.status is TaskStatus.IN_PROGRESS


def test_an_abort_that_cannot_be_done_fails_with_the_reason_and_can_be_tried_again(
    tracker: CommandTracker,
) -> None:
    reasons = [OSError("the line is dead")]

    def refuse() -> None:
        if reasons:
            raise reasons.pop()
        stuck.aborted()

    stuck = tracker.begin("Stuck", "Stuck", refuse)
    stuck.started()
    abort = tracker.abort_all("Abort")

    assert abort.status is TaskStatus.FAILED
    assert tracker.value(LrcAttribute.RESULT)[1] == '[3, "Could not abort Stuck: the line is dead."]'
    assert tracker.status("Stuck") is TaskStatus.IN_PROGRESS
    assert tracker.abort_all("Abort2").status is TaskStatus.COMPLETED
    assert stuck.status is TaskStatus.ABORTED
