"""Log of procedures, activities and the queue: changes are logged once they are in the journal."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ska_oso_oet import logs
from ska_oso_oet.activity.application.register import KIND as ACTIVITY
from ska_oso_oet.journal import Batch, JournalEvent
from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    ProcedurePhase,
    ProcedureState,
    ProcedureSummary,
    Question,
    QuestionState,
    QueueCondition,
    QueueEntry,
    QueueEntryState,
)
from ska_oso_oet.procedure.application.questions import QUESTION_KIND
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.queue import CONDITION_KIND, ENTRY_KIND

_PREPARATION = "procedure.environment.progress"

_NEEDS_A_PERSON = frozenset({QueueEntryState.FAILED, QueueEntryState.UNKNOWN, QueueEntryState.SKIPPED})


class EventLog:
    """Logs committed changes: a line for each state, none for events of scripts.

    :param device: returns the name of the device
    """

    def __init__(self, device: Callable[[], str]) -> None:
        self._device = device
        self._name = ""
        self._preparing: set[int] = set()
        self._entries: dict[int, QueueEntryState] = {}
        self._log_version: Mapping[str, Callable[[Any], None]] = {
            PROCEDURE: self._on_procedure,
            ACTIVITY: self._on_activity,
            ENTRY_KIND: self._on_entry,
            CONDITION_KIND: self._on_condition,
            QUESTION_KIND: self._on_question,
        }

    def on_batch(self, batch: Batch) -> None:
        """Log committed changes. Runs in the thread of the bus."""
        for document in batch.versions:
            if document.kind == PROCEDURE:
                self._note_preparation(document.value)
        if batch.versions or self._preparing:
            # The device may be destroyed before the lines are made: its name is asked for now.
            self._name = self._device()
            logs.log_later(partial(self._log_batch, batch, has_preparations=bool(self._preparing)))

    def _note_preparation(self, procedure: ProcedureSummary) -> None:
        if procedure.state is ProcedureState.PREP_ENV:
            self._preparing.add(procedure.id)
        else:
            self._preparing.discard(procedure.id)

    def _log_batch(self, batch: Batch, *, has_preparations: bool) -> None:
        """Log committed changes. Runs in the thread of the log."""
        for document in batch.versions:
            if (log := self._log_version.get(document.kind)) is not None:
                log(document.value)
        if has_preparations:
            for event, fields in zip(batch.events, batch.fields, strict=True):
                if event.topic == _PREPARATION:
                    self._on_preparation(event, fields)

    def _on_preparation(self, event: JournalEvent, fields: Mapping[str, Any]) -> None:
        source = str(fields.get("msg_src"))
        self._log(logging.INFO, f"Procedure {source}: {fields.get('msg')}", procedure=source, event=event.seq)

    def _on_procedure(self, procedure: ProcedureSummary) -> None:
        level, words = _procedure_words(procedure)
        if words:
            name = "embedded script" if procedure.script.uri is None else procedure.script.name
            self._log(
                level,
                f"Procedure {procedure.id} ({name}) {words}",
                procedure=procedure.id,
                command=procedure.command_id,
                entry=procedure.queue_entry,
                subarray=procedure.subarray_id,
                state=procedure.state,
            )

    def _on_activity(self, activity: ActivitySummary) -> None:
        failed = activity.state is ActivityState.FAILED
        began = activity.activity_states[0][1]
        state, when = activity.activity_states[-1]
        after = "" if when == began else f" after {when - began:.3f} s"
        reason = f": {activity.reason}" if activity.reason else ""
        name = f"{activity.activity_name} of {activity.sbd_id}"
        self._log(
            logging.ERROR if failed else logging.INFO,
            f"Activity {activity.id} ({name}) is {state}{after}{reason}",
            activity=activity.id,
            command=activity.command_id,
            procedure=activity.procedure_id,
            entry=activity.queue_entry,
            state=state,
        )

    def _on_entry(self, entry: QueueEntry) -> None:
        if self._entries.get(entry.id) is entry.state:
            return  # it was moved or updated: the request has a line of its own
        self._entries[entry.id] = entry.state
        if entry.state.is_final:
            del self._entries[entry.id]
        reason = f": {entry.reason}" if entry.reason else ""
        self._log(
            logging.WARNING if entry.state in _NEEDS_A_PERSON else logging.INFO,
            f"Queue entry {entry.id} is {entry.state}{reason}",
            entry=entry.id,
            procedure=entry.procedure_id,
            activity=entry.activity_id,
            state=entry.state,
        )

    def _on_question(self, question: Question) -> None:
        is_open = question.state is QuestionState.OPEN
        words = f"is asked: {question.text}" if is_open else question.outcome()
        self._log(
            logging.WARNING if is_open else logging.INFO,
            f"Question {question.id} of procedure {question.procedure_id} {words}",
            question=question.id,
            procedure=question.procedure_id,
            user=None if question.answered_by is None else question.answered_by.user,
        )

    def _on_condition(self, condition: QueueCondition) -> None:
        reason = f": {condition.reason}" if condition.reason else ""
        self._log(logging.INFO, f"The queue is {condition.state}{reason}", state=condition.state)

    def _log(self, level: int, line: str, **tags: object) -> None:
        logs.log(level, " ".join(line.split()), device=self._name, **tags)


def _procedure_words(procedure: ProcedureSummary) -> tuple[int, str]:
    """Return the level and the words of the line about the newest state; no words if it has no line."""
    states = procedure.history.process_states
    state, when = states[-1]
    match state:
        case ProcedureState.CREATING:
            return logging.INFO, f"is created for {procedure.requested_by or 'the OET itself'}"
        case ProcedureState.PREP_ENV:
            return logging.INFO, "has its Python environment prepared"
        case ProcedureState.READY if procedure.phase is ProcedurePhase.READY:
            return logging.INFO, f"is READY after {when - procedure.created:.3f} s"
        case ProcedureState.PAUSED:
            return logging.INFO, "is PAUSED"
        case ProcedureState.RUNNING if states[-2][0] is ProcedureState.PAUSED:
            return logging.INFO, "continues"
        case ProcedureState.RUNNING if procedure.main_began:
            return logging.INFO, f"is started by {procedure.started_by or 'the OET itself'}"
    return _end_words(procedure)


def _end_words(procedure: ProcedureSummary) -> tuple[int, str]:
    match procedure.state:
        case ProcedureState.COMPLETE:
            return logging.INFO, f"is COMPLETE after {_duration(procedure):.3f} s"
        case ProcedureState.STOPPED:
            by = f" by {procedure.stopped_by}" if procedure.stopped_by else ""
            why = f": {procedure.failure_line}" if procedure.failure_line else ""
            level = logging.WARNING if why else logging.INFO
            return level, f"is STOPPED{by} after {_duration(procedure):.3f} s{why}"
        case ProcedureState.FAILED:
            return (
                logging.ERROR,
                f"has FAILED after {_duration(procedure):.3f} s: {procedure.failure_line}",
            )
        case ProcedureState.UNKNOWN:
            return logging.WARNING, f"is UNKNOWN: {procedure.failure_line}"
    return logging.INFO, ""


def _duration(procedure: ProcedureSummary) -> float:
    """Return how long ``main`` has run, else how long ago the procedure was requested, in seconds."""
    began, when = procedure.main_began_at, procedure.history.process_states[-1][1]
    return when - (procedure.created if began is None else began)
