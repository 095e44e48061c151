"""Commands that follow procedures and activities, and end when a summary says so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oet_devices.command_followers import (
    CommandFollowers,
    EndRule,
    Missed,
    create_ends,
    prepare_only_ends,
    run_activity_ends,
    start_ends,
)
from oet_devices.ska.commands import CommandTracker
from oet_devices.ska.lrc_attributes import LrcAttribute
from ska_oso_oet.journal import Document
from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    FileSystemScript,
    ProcedureHistory,
    ProcedureState,
    ProcedureSummary,
)

CREATED = ("CREATING", "IDLE", "LOADING", "IDLE", "RUNNING")
READY = (*CREATED, "READY")
RUNS = (*READY, "RUNNING")
COMPLETE = (*RUNS, "READY", "COMPLETE")


def procedure(*states: str, stacktrace: str | None = None) -> ProcedureSummary:
    return ProcedureSummary(
        id=1,
        script=FileSystemScript("file:///scripts/Gr\u00f6\u00dfe \N{GRINNING FACE}.py"),
        history=ProcedureHistory([(ProcedureState(state), 1.0) for state in states], stacktrace),
        state=ProcedureState(states[-1]),
    )


def activity(*states: str, reason: str | None = None) -> ActivitySummary:
    return ActivitySummary(
        id=1,
        activity_name="observe",
        sbd_id="sbd-1",
        activity_states=[(ActivityState(state), 1.0) for state in states],
        state=ActivityState(states[-1]),
        reason=reason,
    )


def document(summary: ProcedureSummary | ActivitySummary) -> Document:
    return Document("k", summary.id, summary.model_dump_json(), not summary.state.is_final, summary)


@pytest.fixture
def tracker() -> Iterator[CommandTracker]:
    """A tracker that pushes no events."""
    made = CommandTracker(lambda name, value: None)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("ends", "summary", "code", "reason"),
    [
        (create_ends, procedure(*CREATED), None, None),
        (create_ends, procedure(*READY), 0, None),
        (create_ends, procedure(*RUNS), 0, None),
        (create_ends, procedure(*COMPLETE), 0, None),
        (create_ends, procedure(*CREATED, "STOPPED"), 7, "Procedure 1 was stopped."),
        (create_ends, procedure(*CREATED, "FAILED", stacktrace="no dish"), 3, "no dish"),
        (start_ends, procedure(*READY), None, None),
        (start_ends, procedure(*RUNS, "READY"), None, None),
        (start_ends, procedure(*COMPLETE), 0, None),
        (start_ends, procedure(*RUNS, "STOPPED"), 7, "Procedure 1 was stopped."),
        (start_ends, procedure(*RUNS, "STOPPED", stacktrace="restarted"), 7, "restarted"),
        (start_ends, procedure(*RUNS, "UNKNOWN"), 3, "Procedure 1 is UNKNOWN."),
        (prepare_only_ends, activity("REQUESTED"), None, None),
        (prepare_only_ends, activity("REQUESTED", "PREPARED"), 0, None),
        (prepare_only_ends, activity("REQUESTED", "PREPARED", "RUNNING"), 0, None),
        (run_activity_ends, activity("REQUESTED", "PREPARED"), None, None),
        (run_activity_ends, activity("REQUESTED", "PREPARED", "RUNNING", "COMPLETE"), 0, None),
        (run_activity_ends, activity("REQUESTED", "STOPPED"), 7, "Activity 1 was stopped."),
        (run_activity_ends, activity("REQUESTED", "FAILED", reason="no such block"), 3, "no such block"),
    ],
)
def test_ends(
    tracker: CommandTracker,
    ends: EndRule,
    summary: ProcedureSummary | ActivitySummary,
    code: int | None,
    reason: str | None,
) -> None:
    handle = tracker.begin("Do", "1_1_Do")
    handle.started()
    followers = CommandFollowers()
    followers.follow(1, ends, handle, Missed())
    followers.on_document(document(summary))
    finished: list[dict[str, Any]] = [json.loads(text) for text in tracker.value(LrcAttribute.FINISHED)]
    if code is None:
        assert finished == []
        return
    expected = json.loads(summary.model_dump_json()) if code == 0 else reason
    assert [entry["result"] for entry in finished] == [[code, expected]]


def test_a_command_that_comes_late_ends_by_what_has_happened_before(tracker: CommandTracker) -> None:
    followers = CommandFollowers()
    with followers.expecting() as missed:
        followers.on_document(document(procedure(*RUNS)))
        followers.on_document(document(procedure(*COMPLETE)))
        handle = tracker.begin("Start", "1_1_Start")
        handle.started()
        followers.follow(1, start_ends, handle, missed)
    assert tracker.status("1_1_Start").name == "COMPLETED"
    assert tracker.value(LrcAttribute.FINISHED)[0].isascii()


def test_progress_of_main_is_that_of_start_alone(tracker: CommandTracker) -> None:
    followers = CommandFollowers()
    for name, ends in (("Create", create_ends), ("Start", start_ends)):
        handle = tracker.begin(name, f"1_1_{name}")
        handle.started()
        followers.follow(1, ends, handle, Missed())
    followers.on_progress(1, 40, of=start_ends)
    assert tracker.value(LrcAttribute.PROGRESS) == ("1_1_Start", "40")


def test_progress_of_a_script_that_ends_before_its_command_begins_is_reported() -> None:
    pushed = []
    tracker = CommandTracker(lambda name, value: pushed.append((name, value)))
    followers = CommandFollowers()
    with followers.expecting() as missed:
        for percent in (33, 66):
            followers.on_progress(1, percent, of=start_ends)
            followers.on_progress(2, percent + 1, of=start_ends)
        followers.on_document(document(procedure(*COMPLETE)))
        handle = tracker.begin("Start", "1_1_Start")
        handle.started()
        followers.follow(1, start_ends, handle, missed)
    assert [value for name, value in pushed if name == LrcAttribute.PROGRESS] == [
        ("1_1_Start", "33"),
        ("1_1_Start", "66"),
    ]
    assert tracker.status("1_1_Start").name == "COMPLETED"
    tracker.close()
