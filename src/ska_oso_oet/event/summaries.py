"""Summaries of one kind: published with the events about them, and shown once they are committed."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import orjson

from ska_oso_oet.journal import Document, JournalUnavailableError
from ska_oso_oet.journal.document_view import DocumentView

from .bus import Announcement, EventBus
from .last_published import LastPublished, last_published


class _State(Protocol):
    def __init__(self, name: str) -> None: ...

    @property
    def is_final(self) -> bool: ...


class Summary(Protocol):
    """Model that describes a procedure or an activity at one moment."""

    @property
    def id(self) -> int:
        """Number of the thing that it describes."""

    @property
    def state(self) -> _State:
        """State of that thing."""

    def entering(self, state: Any, when: float) -> Self:
        """Return the summary of the thing after one more state, entered at a time in seconds since 1970."""

    def model_dump_json(self, *, fallback: Callable[[object], object]) -> str:
        """Return the summary as JSON text."""


S = TypeVar("S", bound=Summary)


class Conclusion(NamedTuple, Generic[S]):
    """End of a thing whose server died.

    :param summary: its last summary
    :param announcements: events about its end
    """

    summary: S
    announcements: Sequence[Announcement]


class SummaryStore(Generic[S]):
    """The summaries of all things of one kind, live and ended.

    Things that were live when a former server died are concluded when this is made, or, where the journal
    cannot be read then, by `recall`. Summaries that are damaged in the journal are restored before, as far as
    events have them.

    :param bus: where summaries and events are published
    :param kind: kind of the journal's documents
    :param read: makes a summary from the text of a document
    :param conclude: gives the end of a thing whose server died, from its last summary
    :param history_length: how many ended things are listed
    :ivar first_id: ID of the first thing of this server
    """

    def __init__(
        self,
        bus: EventBus,
        kind: str,
        *,
        read: Callable[[str], S],
        conclude: Callable[[S], Conclusion[S]],
        history_length: int,
    ) -> None:
        self._bus = bus
        self._kind = kind
        self._read = read
        self._conclude = conclude
        self.first_id = bus.journal.last_id(kind) + 1
        self.view = DocumentView(bus, kind, history_length, read)
        with suppress(JournalUnavailableError):
            self._take_up()
        bus.committed().result()

    def recall(self) -> None:
        """Load the records of previous servers from a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailableError: if it still cannot be read
        """
        self.view.recall()
        self._take_up()

    def _take_up(self) -> None:
        live = [each.value for each in self.view.live_in_journal() if each.id < self.first_id]
        for summary in self._restored():
            if summary.state.is_final:
                self.publish(summary=summary)
            else:
                live.append(summary)
        for summary in live:
            concluded, announcements = self._conclude(summary)
            self.publish(*announcements, summary=concluded)

    def _restored(self) -> list[S]:
        """Return the summaries whose documents are damaged, as far as events have them.

        What they do not have is set aside: it would be found damaged at each start.
        """
        damaged = self._bus.journal.damaged
        ids = [each for each in damaged.ids(self._kind) if each < self.first_id]
        if not ids:
            return []
        found = last_published(self._bus.journal, f"{self._kind}.lifecycle.", ids, f"{self._kind}_id")
        restored = []
        for thing_id, published in found.items():
            # One that cannot be read is of another version of the OET.
            with suppress(ValueError):
                restored.append(self._from_events(published))
                damaged.mark_restored(self._kind, thing_id)
        self._bus.journal.set_aside(self._kind, {*ids} - {summary.id for summary in restored})
        return restored

    def _from_events(self, published: LastPublished) -> S:
        summary = self._read(orjson.dumps(published.summary).decode())
        for state, when in published.states:
            summary = summary.entering(type(summary.state)(state), when)
        return summary

    def publish(self, *announcements: Announcement, summary: S) -> None:
        """Publish a summary and events about it, as one.

        :raises ValueError: if the summary contains text that is not valid Unicode
        """
        self._bus.publish(*announcements, document=self.document(summary))

    def document(self, summary: S) -> Document:
        """Return the document that keeps a summary.

        :raises ValueError: if the summary contains text that is not valid Unicode
        """
        text = summary.model_dump_json(fallback=repr)
        return Document(self._kind, summary.id, text, live=not summary.state.is_final, value=summary)

    def get(self, thing_id: int) -> S | None:
        """Return the committed summary of a thing, None if there is none or it is no longer kept."""
        document = self.view.get(thing_id)
        return None if document is None else document.value

    def listed(self) -> list[S]:
        """Return the committed summaries of all live things and the newest that have ended, by ID."""
        return [document.value for document in self.view.all()]

    def ended(self, thing_id: int) -> "Future[Document]":
        """Return a future for the last document of a thing; see `DocumentView.ended`."""
        return self.view.ended(thing_id)
