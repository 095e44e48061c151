"""Turns what happens to procedures into events and documents.

Its methods run in the thread of the message loop, so that the order of what it publishes is the order
in which it happened.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import orjson

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.journal import Document

from ..domain import ExecutableScript, ProcedureInput, ProcedureState
from ..domain.protocol import MAX_STACKTRACE
from .commands import Origin
from .summary import ArgCapture, ProcedureHistory, ProcedureSummary

KIND = "procedure"
"""Kind of the documents that hold summaries of procedures."""

_MAX_BACKLOG = 2000
"""Entries of the bus that may wait: enough that it has always some, few enough to be handled in a moment."""

# Events that go with a state, beside the announcement of the state itself.
_LIFECYCLE = {
    ProcedureState.CREATING: "procedure.lifecycle.created",
    ProcedureState.RUNNING: "procedure.lifecycle.started",
    ProcedureState.STOPPED: "procedure.lifecycle.stopped",
    ProcedureState.COMPLETE: "procedure.lifecycle.complete",
    ProcedureState.FAILED: "procedure.lifecycle.failed",
}


class _Record:
    """A summary in the making, and the request that its next events belong to."""

    def __init__(self, summary: ProcedureSummary, origin: Origin) -> None:
        self.summary = summary
        self.origin = origin


class Recorder:
    """Observer of procedures that publishes what it observes.

    :param bus: where to
    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    """

    def __init__(
        self, bus: EventBus, on_output: Callable[[int], None], on_health: Callable[[], None]
    ) -> None:
        self._bus = bus
        self._records: dict[int, _Record] = {}
        self.output_written = on_output
        self.health_changed = on_health

    def created(
        self,
        procedure_id: int,
        script: ExecutableScript,
        waiting: Mapping[str, ProcedureInput],
        origin: Any,
    ) -> None:
        """A procedure has been created; its first state follows."""
        summary = ProcedureSummary(
            procedure_id,
            script,
            [ArgCapture(function, arguments) for function, arguments in waiting.items()],
            ProcedureHistory(),
            ProcedureState.CREATING,
            created=origin.request_id,
            command_id=origin.name_command(procedure_id) if origin.name_command else None,
        )
        self._records[procedure_id] = _Record(summary, origin)

    def requested(self, procedure_id: int, origin: Any) -> None:
        """A procedure is to start or to stop: events from now on belong to that request."""
        self._records[procedure_id].origin = origin
        if origin.announcement is not None:
            self._bus.publish(origin.announcement)

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """A function of a script is about to be called."""
        summary = self._records[procedure_id].summary
        others = [call for call in summary.script_args if call.fn != function or call.time is not None]
        summary.script_args = [*others, ArgCapture(function, arguments, time.time())]
        # Whoever has asked for the call sees its arguments, though the script has not entered it yet.
        self._bus.publish(document=to_document(summary))

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """A procedure is in another state: publish its events and its summary, as one."""
        record = self._records[procedure_id]
        summary = record.summary
        summary.state = state
        summary.history.process_states.append((state, time.time()))
        if stacktrace is not None:
            summary.history.stacktrace = stacktrace[-MAX_STACKTRACE:]
        document = to_document(summary)
        self._bus.publish(*_announcements(record, document), document=document)
        if state.is_final:
            del self._records[procedure_id]

    def congestion(self) -> "Future[None] | None":
        """Return what to wait for before more is published, None while there is room for it."""
        return self._bus.committed() if self._bus.backlog > _MAX_BACKLOG else None

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """A script has published an event."""
        self._bus.publish(Announcement(topic, msg_src, fields))


def to_document(summary: ProcedureSummary) -> Document:
    """Return the document that keeps a summary."""
    return Document(
        KIND, summary.id, summary.to_model().model_dump_json(fallback=repr), live=not summary.state.is_final
    )


def _announcements(record: _Record, document: Document) -> list[Announcement]:
    summary = record.summary
    source = str(summary.id)
    told = [Announcement("procedure.lifecycle.statechange", source, {"new_state": summary.state})]
    if (topic := _LIFECYCLE.get(summary.state)) is not None:
        # The summary is JSON already.
        fields = {"request_id": record.origin.request_id, "result": orjson.Fragment(document.text)}
        told.append(Announcement(topic, source, fields))
    if summary.state is ProcedureState.FAILED:
        trace = {"stacktrace": summary.history.stacktrace}
        told.append(Announcement("procedure.lifecycle.stacktrace", source, trace))
    return told
