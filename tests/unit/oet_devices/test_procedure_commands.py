"""Long-running commands end as their procedures have gone, however few documents tell of it."""

import json
from collections.abc import Iterator

import pytest

from oet_devices.procedure_commands import Aim, ProcedureCommands
from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import CommandTracker
from oet_devices.ska.enums import TaskStatus
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.journal import Document, MemoryJournal
from ska_oso_oet.event.view import DocumentView
from ska_oso_oet.model import ProcedureState

_TO_READY = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY"]


def _document(*states: str, stacktrace: str | None = None) -> Document:
    history = {"process_states": [[state, 0.0] for state in states], "stacktrace": stacktrace}
    text = json.dumps({"id": 1, "history": history, "state": states[-1]})
    return Document("procedure", 1, text, live=not ProcedureState(states[-1]).is_final)


@pytest.fixture
def view() -> Iterator[DocumentView]:
    bus = EventBus(MemoryJournal())
    yield DocumentView(bus, "procedure", 10)
    bus.close()


@pytest.fixture
def tracker() -> Iterator[CommandTracker]:
    tracker = CommandTracker(lambda name, value: None)
    yield tracker
    tracker.close()


@pytest.fixture
def commands() -> ProcedureCommands:
    return ProcedureCommands()


def _begin(tracker: CommandTracker, name: str) -> CommandHandle:
    handle = tracker.begin(name, f"1.0_1_{name}")
    handle.started()
    return handle


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["CREATING", "IDLE", "LOADING"], TaskStatus.IN_PROGRESS),
        (_TO_READY, TaskStatus.COMPLETED),
        # One transaction may hold several changes: only the last of its documents is told.
        ([*_TO_READY, "RUNNING"], TaskStatus.COMPLETED),
        ([*_TO_READY, "RUNNING", "FAILED"], TaskStatus.COMPLETED),
        (["CREATING", "FAILED"], TaskStatus.FAILED),
        (["CREATING", "STOPPED"], TaskStatus.ABORTED),
    ],
)
def test_create_is_done_when_its_procedure_has_been_ready(
    commands: ProcedureCommands,
    tracker: CommandTracker,
    view: DocumentView,
    states: list[str],
    status: TaskStatus,
) -> None:
    create = _begin(tracker, "Create")
    commands.follow(1, Aim.READY, create, view)
    commands.on_document(_document(*states))
    assert create.status is status


def test_start_is_done_when_main_is(
    commands: ProcedureCommands, tracker: CommandTracker, view: DocumentView
) -> None:
    start = _begin(tracker, "Start")
    commands.follow(1, Aim.COMPLETE, start, view)
    commands.on_document(_document(*_TO_READY, "RUNNING"))
    assert start.status.name == "IN_PROGRESS"
    commands.on_document(_document(*_TO_READY, "RUNNING", "FAILED", stacktrace="ValueError: no dish"))
    assert start.status.name == "FAILED"
