"""Long-running commands that follow a procedure or an activity, and end when its summary says so."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, NamedTuple

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.command_record import JsonText
from ska_oso_oet.journal import Document
from ska_oso_oet.model import ActivityState, ActivitySummary, ProcedureState, ProcedureSummary
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.procedure.application.recorder import listed_text

from .json_text import ascii_json


class Outcome(Enum):
    """Outcomes of a command."""

    COMPLETED = "COMPLETED"
    """It has succeeded."""
    FAILED = "FAILED"
    """It has failed."""
    ABORTED = "ABORTED"
    """It was stopped by request."""


class End(NamedTuple):
    """The end of a command.

    :param outcome: how it ended: after success, its result is the summary
    :param reason: why not
    """

    outcome: Outcome
    reason: str = ""


_COMPLETED = End(Outcome.COMPLETED)

EndRule = Callable[[Any], End | None]
"""Returns the end of a command from the summary of its subject; None while it continues."""


def create_ends(summary: ProcedureSummary) -> End | None:
    """Return the end of Create, whose script is to be READY."""
    # It may have changed state since: of several changes at once only the last summary is published.
    return _COMPLETED if summary.was_ready else _procedure_end(summary)


def start_ends(summary: ProcedureSummary) -> End | None:
    """Return the end of Start, whose ``main`` is to return."""
    return _COMPLETED if summary.state is ProcedureState.COMPLETE else _procedure_end(summary)


def _procedure_end(summary: ProcedureSummary) -> End | None:
    if not summary.state.is_final:
        return None
    if summary.state is ProcedureState.STOPPED:
        return End(Outcome.ABORTED, summary.history.stacktrace or f"Procedure {summary.id} was stopped.")
    reason = summary.history.stacktrace or f"Procedure {summary.id} is {summary.state}."
    return End(Outcome.FAILED, reason)


def prepare_only_ends(summary: ActivitySummary) -> End | None:
    """Return the end of RunActivity with prepare_only, whose script is to be READY."""
    if any(state is ActivityState.PREPARED for state, _ in summary.activity_states):
        return _COMPLETED
    return run_activity_ends(summary)


def run_activity_ends(summary: ActivitySummary) -> End | None:
    """Return the end of RunActivity, whose script is to be COMPLETE."""
    if not summary.state.is_final:
        return None
    if summary.state is ActivityState.COMPLETE:
        return _COMPLETED
    if summary.state is ActivityState.STOPPED:
        return End(Outcome.ABORTED, summary.reason or f"Activity {summary.id} was stopped.")
    return End(Outcome.FAILED, summary.reason or f"Activity {summary.id} has failed.")


class Missed:
    """News of all subjects that was published while a request was granted.

    :ivar documents: the newest document of each
    :ivar progress: the progress of each, and the rule of the commands that have it
    """

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}
        self.progress: dict[int, list[tuple[EndRule, int]]] = defaultdict(list)


class CommandFollowers:
    """The commands that follow procedures, or those that follow activities.

    Their reports come from the same committed documents that clients see, so the two never disagree; and
    they come after the events of these documents. Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[int, list[tuple[EndRule, CommandHandle]]] = defaultdict(list)
        self._missed: list[Missed] = []

    @contextmanager
    def expecting(self) -> Iterator[Missed]:
        """Keep the news for a command that follows something before this context ends.

        A command is begun when its request has been granted: a short script may have ended by then. The
        service that has granted it knows of that end before it is published, so it is not asked.
        """
        missed = Missed()
        with self._lock:
            self._missed.append(missed)
        try:
            yield missed
        finally:
            with self._lock:
                self._missed.remove(missed)

    def follow(self, document_id: int, ends: EndRule, handle: CommandHandle, missed: Missed) -> None:
        """Report to a command from now on, also what it has missed.

        :param document_id: ID of the subject of the command
        :param ends: how the command ends
        :param handle: the command
        :param missed: the news since before its request was granted
        """
        with self._lock:
            # Under the lock, or newer progress could be reported before this.
            for rule, percent in missed.progress[document_id]:
                if rule is ends:
                    handle.progress(percent)
            document = missed.documents.get(document_id)
            end = None if document is None else ends(document.value)
            if end is None:
                self._commands[document_id].append((ends, handle))
        if document is not None and end is not None:
            _report(handle, end, document)

    def on_document(self, document: Document) -> None:
        """Report a new document, whose events have been published, to the commands that follow it."""
        with self._lock:
            for missed in self._missed:
                missed.documents[document.id] = document
            if document.id not in self._commands:
                return
            commands = [(ends, handle, ends(document.value)) for ends, handle in self._commands[document.id]]
            left = [(ends, handle) for ends, handle, end in commands if end is None]
            if left:
                self._commands[document.id] = left
            else:
                del self._commands[document.id]
        for _, handle, end in commands:
            if end is not None:
                _report(handle, end, document)

    def on_progress(self, document_id: int, percent: int, *, of: EndRule) -> None:
        """Report the progress of a subject.

        :param document_id: its ID
        :param percent: 0 to 100
        :param of: which commands have that progress: those that end by this rule
        """
        with self._lock:
            for missed in self._missed:
                missed.progress[document_id].append((of, percent))
            commands = list(self._commands.get(document_id, []))
        for ends, handle in commands:
            if ends is of:
                handle.progress(percent)


def _text_of(document: Document) -> str:
    """Return the JSON of a summary for lists and events."""
    return listed_text(document) if document.kind == PROCEDURE else document.text


def _report(handle: CommandHandle, end: End, document: Document) -> None:
    match end.outcome:
        case Outcome.COMPLETED:
            handle.completed(JsonText(ascii_json(_text_of(document))))
        case Outcome.FAILED:
            handle.failed(end.reason)
        case Outcome.ABORTED:
            handle.aborted(end.reason)
