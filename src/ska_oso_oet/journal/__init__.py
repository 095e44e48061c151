"""The journal: events and documents that survive the process.

`open_journal` opens the durable one; `MemoryJournal` is for tests and for embedding without a disk.
"""

from .memory import MemoryJournal
from .opening import JOURNAL_URL_VARIABLE, open_journal, prepare_to_open
from .protocol import (
    Batch,
    Document,
    EventsNoLongerKeptError,
    Journal,
    JournalEvent,
    JournalLockedError,
    JournalTooNewError,
    JournalUnavailableError,
)

__all__ = [
    "JOURNAL_URL_VARIABLE",
    "Batch",
    "Document",
    "EventsNoLongerKeptError",
    "Journal",
    "JournalEvent",
    "JournalLockedError",
    "JournalTooNewError",
    "JournalUnavailableError",
    "MemoryJournal",
    "open_journal",
    "prepare_to_open",
]
