"""Recorder of procedures: publishes their changes as events and documents.

Its methods run in the thread of the message loop, so that the order of what it publishes is the order
in which it happened.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import orjson

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.summaries import SummaryStore
from ska_oso_oet.journal import Document
from ska_oso_oet.model import (
    ArgCapture,
    ExecutableScript,
    ProcedureHistory,
    ProcedureInput,
    ProcedureState,
    ProcedureSummary,
    Question,
    abridged,
    with_call,
)

from ..worker.messages import MAX_STACKTRACE
from .commands import Origin
from .questions import question_event

KIND = "procedure"
"""Kind of the documents that hold summaries of procedures."""

_MAX_BACKLOG = 2000
"""Entries of the bus that may wait: enough to keep it busy, few enough to be handled in a moment."""

_LONG = 64 * 1024
"""Characters of a summary from which on it is published with the next state, not with every checkpoint."""

# Events of a state, in addition to the event that announces the state itself.
_LIFECYCLE = {
    ProcedureState.CREATING: "procedure.lifecycle.created",
    ProcedureState.RUNNING: "procedure.lifecycle.started",
    ProcedureState.PAUSED: "procedure.lifecycle.paused",
    ProcedureState.STOPPED: "procedure.lifecycle.stopped",
    ProcedureState.COMPLETE: "procedure.lifecycle.complete",
    ProcedureState.FAILED: "procedure.lifecycle.failed",
}


@dataclass
class _Record:
    """Record of a live procedure.

    :param summary: its summary as it was published last; at first one without a state in its history
    :param origin: the request that its next events belong to
    :param news: fields of its next summary, by name: one summary is made for each state
    """

    summary: ProcedureSummary
    origin: Origin
    news: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    """Characters of its text."""


class Recorder:
    """Observer of procedures that publishes what it observes.

    :param bus: where events are published
    :param summaries: where summaries are published
    :param questions: where questions are published
    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    """

    def __init__(
        self,
        bus: EventBus,
        summaries: SummaryStore[ProcedureSummary],
        questions: SummaryStore[Question],
        on_output: Callable[[int], None],
        on_health: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._summaries = summaries
        self._questions = questions
        self._records: dict[int, _Record] = {}
        self.output_written = on_output
        self.health_changed = on_health
        self._on_idle: list[Callable[[], None]] = []

    def call_when_idle(self, function: Callable[[], None]) -> None:
        """Subscribe a function to the moments when no procedure runs, and none has reserved a run.

        :param function: called in the thread of the message loop: it must be quick, and wait for nothing
        """
        self._on_idle.append(function)

    def idle(self) -> None:
        """No procedure runs now."""
        for function in self._on_idle:
            function()

    def created(
        self,
        procedure_id: int,
        script: ExecutableScript,
        waiting: Mapping[str, ProcedureInput],
        origin: Any,
    ) -> None:
        """A procedure has been created; its first state follows."""
        summary = ProcedureSummary(
            id=procedure_id,
            script=script,
            script_args=[ArgCapture(function, arguments) for function, arguments in waiting.items()],
            history=ProcedureHistory(),
            state=ProcedureState.CREATING,
            created=origin.request_id,
            command_id=origin.name_command(procedure_id) if origin.name_command else None,
            requested_by=origin.requested_by,
            queue_entry=origin.queue_entry,
        )
        self._records[procedure_id] = _Record(summary, origin)
        if origin.announcement is not None:
            self._bus.publish(origin.announcement)

    def requested(self, procedure_id: int, origin: Any) -> None:
        """A procedure is to start or to stop: events from now on belong to that request."""
        record = self._records[procedure_id]
        record.origin = origin
        if origin.recorded_as is not None:
            record.news[origin.recorded_as] = origin.requested_by
        if origin.announcement is not None:
            self._bus.publish(origin.announcement)

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """A function of a script is called: its arguments are published with the next state."""
        record = self._records[procedure_id]
        known = record.news.get("script_args", record.summary.script_args)
        record.news["script_args"] = with_call(known, ArgCapture(function, arguments, time.time()))

    def noted(self, procedure_id: int, facts: Mapping[str, Any]) -> None:
        """A fact about a procedure is known: it is published with the next state."""
        self._records[procedure_id].news.update(facts)

    def announced(
        self, procedure_id: int, facts: Mapping[str, Any], topic: str, fields: Mapping[str, Any]
    ) -> None:
        """A fact about a procedure is known: publish an event, and the summary unless it is long."""
        self.noted(procedure_id, facts)
        record = self._records[procedure_id]
        record.summary, record.news = record.summary.model_copy(update=record.news), {}
        event = Announcement(topic, str(procedure_id), dict(fields))
        if record.size > _LONG:
            self._bus.publish(event)
        else:
            self._bus.publish(event, document=self._summaries.document(record.summary))

    def question_changed(self, question: Question) -> None:
        """A script has asked a question, or a question has ended: publish it with its event."""
        self._questions.publish(question_event(question), summary=question)

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """A procedure is in another state: publish its events and its summary, as one."""
        record = self._records[procedure_id]
        trace = None if stacktrace is None else abridged(stacktrace, MAX_STACKTRACE)
        summary = record.summary.entering(state, time.time(), trace, **record.news)
        document = self._summaries.document(summary)
        self._bus.publish(*_announcements(summary, record.origin, document), document=document)
        if state.is_final:
            del self._records[procedure_id]
        else:
            record.summary, record.news, record.size = summary, {}, len(document.text)

    def congestion(self) -> "Future[None] | None":
        """Return a future to wait for before more is published, None while there is room for it."""
        return self._bus.committed() if self._bus.backlog > _MAX_BACKLOG else None

    def together(self) -> AbstractContextManager[object]:
        """Return a context whose publications are committed together."""
        return self._bus.together()

    def committed(self) -> "Future[None]":
        """Return a future that is done when all that was published up to now is in the journal."""
        return self._bus.committed()

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """A script has published an event."""
        self._bus.publish(Announcement(topic, msg_src, fields))


def _announcements(summary: ProcedureSummary, origin: Origin, document: Document) -> list[Announcement]:
    source = str(summary.id)
    announcements = [state_change(summary)]
    if (topic := _lifecycle_topic(summary)) is not None:
        fields = {"request_id": origin.request_id, "result": orjson.Fragment(listed_text(document))}
        announcements.append(Announcement(topic, source, fields))
    if summary.state is ProcedureState.FAILED:
        trace = {"stacktrace": summary.history.stacktrace}
        announcements.append(Announcement("procedure.lifecycle.stacktrace", source, trace))
    return announcements


def _lifecycle_topic(summary: ProcedureSummary) -> str | None:
    """Return the topic of the event that goes with the state of a summary, None if none does."""
    before = [state for state, _ in summary.history.process_states[-2:-1]]
    if summary.state is ProcedureState.RUNNING and before == [ProcedureState.PAUSED]:
        return "procedure.lifecycle.resumed"
    return _LIFECYCLE.get(summary.state)


def listed_text(document: Document) -> str:
    """Return the JSON of a summary for lists and events; see `ProcedureSummary.in_lists`.

    :param document: document of a procedure
    """
    summary: ProcedureSummary = document.value
    listed = summary.in_lists()
    # The text of the document is the JSON of the summary.
    return document.text if listed is summary else listed.model_dump_json(fallback=repr)


def state_change(summary: ProcedureSummary) -> Announcement:
    """Return the event that a procedure is in the state of its summary."""
    return Announcement("procedure.lifecycle.statechange", str(summary.id), {"new_state": summary.state})
