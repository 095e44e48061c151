"""Long-running commands that are about a procedure: they end when its documents say so."""

import json
import threading
from collections import defaultdict
from enum import Enum
from typing import Any

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
            self.on_document(document)

    def on_document(self, document: Document) -> None:
        """Report a new document of a procedure. It may tell of several changes at once.

        :param document: its summary
        """
        with self._lock:
            if document.id not in self._commands:
                return
        summary = json.loads(document.text)
        state = ProcedureState(summary["state"])
        passed = {name for name, _ in summary["history"]["process_states"]}
        with self._lock:
            commands = self._commands.pop(document.id, [])
            ended = [(aim, handle) for aim, handle in commands if state.is_final or aim.name in passed]
            if left := [command for command in commands if command not in ended]:
                self._commands[document.id] = left
        for aim, handle in ended:
            _end(handle, summary, state, achieved=aim.name in passed)

    def on_progress(self, procedure_id: int, percent: int) -> None:
        """Report how far a script is.

        :param percent: 0 to 100
        """
        with self._lock:
            commands = list(self._commands.get(procedure_id, []))
        for aim, handle in commands:
            if aim is Aim.COMPLETE:
                handle.progress(percent)


def _end(handle: CommandHandle, summary: dict[str, Any], state: ProcedureState, *, achieved: bool) -> None:
    if achieved:
        handle.completed(summary)
    elif state is ProcedureState.STOPPED:
        handle.aborted(f"Procedure {summary['id']} was stopped.")
    else:
        handle.failed(summary["history"]["stacktrace"] or f"Procedure {summary['id']} is {state}.")
