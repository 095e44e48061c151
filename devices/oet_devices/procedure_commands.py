"""Long-running commands that are about a procedure: they end when its documents say so."""

import json
import threading
from collections import defaultdict
from enum import Enum

from oet_devices.ska.command_handle import CommandHandle
from ska_oso_oet.event.journal import Document
from ska_oso_oet.event.view import DocumentView
from ska_oso_oet.model import ProcedureState


class Aim(Enum):
    """What a command is to achieve."""

    READY = "READY"
    """The script is prepared: Create."""
    COMPLETE = "COMPLETE"
    """``main`` has run: Start."""


class ProcedureCommands:
    """Reports to long-running commands what becomes of their procedures.

    What it reports comes from the same documents that clients see, after they were committed, so that
    the two never disagree. Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[int, list[tuple[Aim, CommandHandle]]] = defaultdict(list)

    def follow(self, procedure_id: int, aim: Aim, handle: CommandHandle, view: DocumentView) -> None:
        """Report to a command from now on, also what has happened already.

        :param procedure_id: the procedure
        :param aim: when the command is done
        :param handle: the command
        :param view: where the procedure's document is
        """
        with self._lock:
            self._commands[procedure_id].append((aim, handle))
        document = view.get(procedure_id)
        if document is not None:
            self.on_document(document, ProcedureState(json.loads(document.text)["state"]))

    def on_document(self, document: Document, state: ProcedureState) -> None:
        """Report a new document of a procedure.

        :param document: its summary
        :param state: the state that the summary tells
        """
        with self._lock:
            commands = self._commands.get(document.id, [])
            ended = [(aim, handle) for aim, handle in commands if state.is_final or state.name == aim.name]
            left = [command for command in commands if command not in ended]
            if left:
                self._commands[document.id] = left
            else:
                self._commands.pop(document.id, None)
        for aim, handle in ended:
            _end(aim, handle, document, state)

    def on_progress(self, procedure_id: int, percent: int) -> None:
        """Report how far a script is.

        :param percent: 0 to 100
        """
        with self._lock:
            commands = list(self._commands.get(procedure_id, []))
        for aim, handle in commands:
            if aim is Aim.COMPLETE:
                handle.progress(percent)


def _end(aim: Aim, handle: CommandHandle, document: Document, state: ProcedureState) -> None:
    summary = json.loads(document.text)
    if state.name == aim.name or state is ProcedureState.COMPLETE:
        handle.completed(summary)
    elif state is ProcedureState.STOPPED:
        handle.aborted(f"Procedure {document.id} was stopped.")
    else:
        handle.failed(summary["history"]["stacktrace"] or f"Procedure {document.id} is {state}.")
