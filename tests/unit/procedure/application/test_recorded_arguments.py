"""A summary shows arguments from the request on, whatever the script has come to."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.summaries import Conclusion, SummaryStore
from ska_oso_oet.journal import MemoryJournal
from ska_oso_oet.model import ProcedureState, ProcedureSummary
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.application.questions import question_store
from ska_oso_oet.procedure.application.recorder import KIND, Recorder
from ska_oso_oet.procedure.domain import FileSystemScript, ProcedureInput


@pytest.fixture
def bus() -> Iterator[EventBus]:
    bus = EventBus(MemoryJournal())
    yield bus
    bus.close()


@pytest.fixture
def recorder(bus: EventBus) -> Recorder:
    """A recorder that has seen one procedure being created."""
    summaries = SummaryStore(
        bus,
        KIND,
        read=ProcedureSummary.model_validate_json,
        conclude=lambda summary: Conclusion(summary, []),
        history_length=10,
    )
    recorder = Recorder(bus, summaries, question_store(bus, 10), lambda procedure_id: None, lambda: None)
    waiting = {"init": ProcedureInput(subarray_id=3), "main": ProcedureInput(1)}
    recorder.created(1, FileSystemScript("file:///a.py"), waiting, Origin())
    recorder.state_changed(1, ProcedureState.CREATING, None)
    return recorder


def _arguments(bus: EventBus) -> dict[str, Any]:
    bus.committed().result()
    document = bus.journal.read_document(KIND, 1)
    assert document is not None
    arguments: dict[str, Any] = json.loads(document.text)["script_args"]
    return arguments


def test_those_of_the_request_are_there_before_any_function_is_called(
    bus: EventBus, recorder: Recorder
) -> None:
    assert _arguments(bus) == {
        "init": {"args": [], "kwargs": {"subarray_id": 3}},
        "main": {"args": [1], "kwargs": {}},
    }
    created = bus.journal.read_events(0, 10, "procedure.lifecycle.created")[0]
    assert json.loads(created.text)["result"]["script_args"] == _arguments(bus)


def test_those_of_a_start_are_there_when_the_start_is_answered(bus: EventBus, recorder: Recorder) -> None:
    recorder.function_called(1, "main", ProcedureInput(2))
    recorder.state_changed(1, ProcedureState.RUNNING, None)
    assert _arguments(bus)["main"] == {"args": [2], "kwargs": {}}
