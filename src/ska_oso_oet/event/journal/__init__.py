"""The journal: events and documents that outlive the process.

`open_journal` opens the durable one; `MemoryJournal` is for tests and for embedding without a disk.
"""

from .memory import MemoryJournal
from .opening import JOURNAL_URL_VARIABLE, open_journal, prepare_to_open
from .protocol import (
    Document,
    EventsNoLongerKept,
    Journal,
    JournalEvent,
    JournalLocked,
    JournalTooNew,
    JournalUnavailable,
)

__all__ = [
    "JOURNAL_URL_VARIABLE",
    "Document",
    "EventsNoLongerKept",
    "Journal",
    "JournalEvent",
    "JournalLocked",
    "JournalTooNew",
    "JournalUnavailable",
    "MemoryJournal",
    "open_journal",
    "prepare_to_open",
]
