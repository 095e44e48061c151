"""The interface of all kinds of journals.

A journal stores numbered events, and JSON documents by kind and ID. It does not depend on the classes of
procedures and activities. One thread appends (the event bus); any thread may read.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ska_oso_oet.model import EVENTS_IN_ANSWER, OetError

if TYPE_CHECKING:
    from .damage import DamagedRows


class JournalEvent(NamedTuple):
    """A numbered event, ready to be sent: its text is the JSON that clients receive."""

    seq: int
    topic: str
    text: str


class Document(NamedTuple):
    """The newest state of a thing (a procedure, an activity) as JSON text."""

    kind: str
    id: int
    text: str
    live: bool
    """Whether the thing can still change. At start-up, what is live belongs to a server that died."""
    value: Any = None
    """The model that the text was written from, in the process that wrote it; None when read from a storage.
    The documents of a `DocumentView` always have it."""


class Batch(NamedTuple):
    """Content of one transaction of the journal."""

    events: list[JournalEvent]
    documents: list[Document]
    fields: Sequence[Mapping[str, Any]] = ()
    """The fields of each event, ``msg_src`` and those of its topic, in the order of the events: no reader has
    to parse their texts."""
    versions: Sequence[Document] = ()
    """All versions of the documents within the transaction, oldest first. Of each document, the last one is
    in ``documents``, and is kept."""


class EventsNoLongerKeptError(OetError, LookupError):
    """The requested events no longer exist: dropped by retention, or lost with a damaged storage.

    :param after: number of the event after which reading was to continue
    :param first: number of the first event that can be read after the missing ones
    :ivar first: the same
    """

    def __init__(self, after: int, first: int) -> None:
        super().__init__(
            f"events {after + 1} to {first - 1} are no longer kept: read on with 'after' = {first - 1}"
        )
        self.first = first

    @property
    def details(self) -> Mapping[str, Any]:
        """Number of the first event that can be read, as ``first``."""
        return {"first": self.first}


def answerable(events: Sequence[JournalEvent]) -> list[JournalEvent]:
    """Return the first of some events, as many as one answer can hold.

    :param events: the requested events
    """
    size = 0
    for count, event in enumerate(events, start=1):
        size += len(event.text)
        if size >= EVENTS_IN_ANSWER:
            return list(events[:count])
    return list(events)


class JournalUnavailableError(OetError, RuntimeError):
    """The requested entries are in a storage that cannot be read at present; the message says why."""


class JournalLockedError(OetError, RuntimeError):
    """Another server uses the same journal; the message names it."""


class JournalTooNewError(OetError, RuntimeError):
    """The journal was written by a newer version of the OET, whose schema this version does not know."""


class Journal(Protocol):
    """Storage of events and documents."""

    @property
    def damaged(self) -> "DamagedRows":
        """The rows that were found damaged and are skipped: `recovery` names them."""

    @property
    def fault(self) -> str | None:
        """Why recent entries may not survive a crash; None while there is no fault."""

    @property
    def recovery(self) -> str | None:
        """What was lost, and what was done about it, since or on opening; None if nothing was."""

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Write events and documents in one transaction; on return they survive the death of the process.

        Never raises for a fault of the storage: the entries are then kept in memory, `fault` says why,
        and they are written once that is possible again.

        :param events: in order, numbered without holes after `last_seq`
        :param documents: each replaces the one of the same kind and ID
        """

    @property
    def first_seq(self) -> int:
        """Number of the oldest event that is kept, or the next number while there is none."""

    @property
    def last_seq(self) -> int:
        """Number of the newest event, 0 before the first."""

    def read_events(self, after: int, limit: int, topic: str = "") -> list[JournalEvent]:
        """Read events, oldest first. Less than `limit` events are the last there are, or end at missing ones.

        Where they are long, it ends after `EVENTS_IN_ANSWER` characters: read on until there are none.

        :param after: only events with a greater number
        :param limit: how many at most
        :param topic: only events whose topic begins with this
        :raises EventsNoLongerKeptError: if the events that follow `after` no longer exist
        :raises JournalUnavailableError: if they can't be read at present
        """

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may ever have been given out for a kind of document, 0 if none was."""

    def read_document(self, kind: str, document_id: int) -> Document | None:
        """Return a document, or None if it does not exist or is no longer kept.

        :raises JournalUnavailableError: if it can't be read at present
        """

    def newest_documents(self, kind: str, limit: int, before: int | None = None) -> list[Document]:
        """Return the newest documents of a kind, ordered by ID, oldest first.

        :param kind: the kind
        :param limit: how many at most
        :param before: only documents with a smaller ID than this
        :raises JournalUnavailableError: if they can't be read at present
        """

    def live_documents(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are live, ordered by ID, oldest first.

        :raises JournalUnavailableError: if they can't be read at present
        """

    def set_aside(self, kind: str, ids: Collection[int]) -> None:
        """Keep damaged documents for people alone: they are no longer read or reported.

        Those that are sound, and those that cannot be written at present, stay.

        :param kind: their kind
        :param ids: their IDs
        """

    def close(self) -> None:
        """Write what is still in memory, as far as that is possible, and close the storage."""
