"""Long-running commands that are about something with documents: they end when its documents say so."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from oet_devices.ska.command_handle import CommandHandle
from ska_oso_oet.event.journal import Document
from ska_oso_oet.event.view import DocumentView


class How(Enum):
    """Ways in which a command ends."""

    COMPLETED = "COMPLETED"
    """It did what it is for."""
    FAILED = "FAILED"
    """It could not."""
    ABORTED = "ABORTED"
    """It was asked to end before."""


class End(NamedTuple):
    """The end of a command.

    :param how: whether it did what it is for
    :param message: a summary, or the reason
    """

    how: How
    message: Any


Aim = Callable[[dict[str, Any]], End | None]
"""What a command is to achieve: tells of a summary how the command has ended by then, None if it goes on."""


class DocumentCommands:
    """Reports to long-running commands what becomes of the things that they are about.

    What it reports comes from the same documents that clients see, after they were committed, so that
    the two never disagree. Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[int, list[tuple[Aim, CommandHandle]]] = defaultdict(list)

    def follow(self, document_id: int, aim: Aim, handle: CommandHandle, view: DocumentView) -> None:
        """Report to a command from now on, also what has happened already.

        :param document_id: what the command is about
        :param aim: when the command ends
        :param handle: the command
        :param view: where the document is
        """
        with self._lock:
            self._commands[document_id].append((aim, handle))
        document = view.get(document_id)
        if document is not None:
            self.on_document(document)

    def on_document(self, document: Document) -> None:
        """Report a new document.

        :param document: a summary
        """
        with self._lock:
            if document.id not in self._commands:
                return
            summary = json.loads(document.text)
            commands = [(aim, handle, aim(summary)) for aim, handle in self._commands[document.id]]
            left = [(aim, handle) for aim, handle, end in commands if end is None]
            if left:
                self._commands[document.id] = left
            else:
                del self._commands[document.id]
        for _, handle, end in commands:
            if end is not None:
                _report(handle, end)

    def on_progress(self, document_id: int, percent: int, *, of: Aim) -> None:
        """Report how far something is.

        :param document_id: what it is
        :param percent: 0 to 100
        :param of: which commands have that progress: those that aim at this
        """
        with self._lock:
            commands = list(self._commands.get(document_id, []))
        for aim, handle in commands:
            if aim is of:
                handle.progress(percent)


def _report(handle: CommandHandle, end: End) -> None:
    match end.how:
        case How.COMPLETED:
            handle.completed(end.message)
        case How.FAILED:
            handle.failed(end.message)
        case How.ABORTED:
            handle.aborted(end.message)
