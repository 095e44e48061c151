"""Damaged rows: they are skipped, counted, and reported once."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from . import checksums
from .protocol import Document, JournalEvent

LOGGER = logging.getLogger(__name__)

EVENT: Final = "event"
"""Kind of the rows that hold events, in reports."""

SET_ASIDE: Final = "damaged:"
"""Begins the kind of documents that were damaged, and are kept for people alone."""

_NAMED: Final = 5
_WRONG_CHECKSUM: Final = "its bytes do not fit its checksum"
# A column of SQLite can hold a value of any type.
_DAMAGES: Final = (ValueError, TypeError, AttributeError)

Row = TypeVar("Row", JournalEvent, Document)


class StoredEvent(NamedTuple):
    """An event as a storage returns it, with its checksum; rows of older versions have none."""

    event: JournalEvent
    checksum: int | None


class StoredDocument(NamedTuple):
    """A document as a storage returns it, with its checksum; rows of older versions have none."""

    document: Document
    checksum: int | None


class _Fate(Enum):
    """Treatment of a damaged row."""

    SKIPPED = "Damaged rows of {place} are skipped: {names}."
    RESTORED = (
        "Damaged rows of {place} were restored from events: {names}; texts of embedded scripts and long "
        "results are not in events."
    )
    SET_ASIDE = (
        "Damaged rows of {place} could not be restored, and are kept there as documents whose kind begins "
        f"with {SET_ASIDE!r}: {{names}}."
    )


class DamagedRows:
    """The damaged rows that were found so far. Safe for threads.

    :param place: name of the storage, for an operator
    :param on_new: called when one more was found, by the thread that reads
    """

    def __init__(self, place: str = "the journal", on_new: Callable[[], None] = lambda: None) -> None:
        self._place = place
        self._on_new = on_new
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, int], _Fate] = {}

    def add(self, kind: str, number: int, reason: object) -> None:
        """Note a damaged row; one that is known already is not reported again.

        :param kind: kind of the document, or `EVENT`
        :param number: ID of the document, or number of the event
        :param reason: why it cannot be used
        """
        with self._lock:
            if (kind, number) in self._rows:
                return
            self._rows[kind, number] = _Fate.SKIPPED
        LOGGER.error("%s %s in %s is damaged and is skipped: %s", kind, number, self._place, reason)
        self._on_new()

    def mark_restored(self, kind: str, number: int) -> None:
        """Note that the content of a damaged row is known from elsewhere, and is written again.

        :param kind: kind of the document
        :param number: ID of the document
        """
        with self._lock:
            self._rows[kind, number] = _Fate.RESTORED
        LOGGER.warning("%s %s is restored from events", kind, number)

    def mark_set_aside(self, kind: str, number: int) -> None:
        """Note that a damaged row will not be found again, and is kept for people.

        :param kind: kind of the document
        :param number: ID of the document
        """
        with self._lock:
            self._rows[kind, number] = _Fate.SET_ASIDE
        LOGGER.warning("%s %s cannot be restored, and is kept as %s%s", kind, number, SET_ASIDE, kind)

    @property
    def sentence(self) -> str | None:
        """Description of them for an operator; None if there are none."""
        with self._lock:
            rows = dict(self._rows)
        if not rows:
            return None
        names = {
            fate: [f"{kind} {number}" for (kind, number), its in rows.items() if its is fate]
            for fate in _Fate
        }
        sentences = [
            fate.value.format(place=self._place, names=_named(rows_of_it))
            for fate, rows_of_it in names.items()
            if rows_of_it
        ]
        return " ".join([*sentences, "The others can be read."])

    def ids(self, kind: str) -> list[int]:
        """Return the IDs of the damaged documents of a kind, without those that are damaged themselves."""
        with self._lock:
            return [number for each, number in self._rows if each == kind and isinstance(number, int)]

    def sound_events(self, stored: Sequence[StoredEvent]) -> list[JournalEvent]:
        """Return the events of a storage that are not damaged, and note the others."""
        return [
            event
            for event, checksum in stored
            if self._is_sound(event, checksum, (EVENT, event.seq), "seq", checksums.fits_event)
        ]

    def sound_documents(self, stored: Sequence[StoredDocument]) -> list[Document]:
        """Return the documents of a storage that are not damaged, and note the others."""
        return [
            document
            for document, checksum in stored
            if self._is_sound(document, checksum, (document.kind, document.id), "id", checksums.fits_document)
        ]

    def _is_sound(
        self,
        row: Row,
        checksum: int | None,
        name: tuple[str, int],
        field: str,
        fits: Callable[[Row, int], bool],
    ) -> bool:
        """Return whether a row is not damaged, and note it if it is.

        :param row: the row
        :param checksum: its checksum; None for a row of an older version
        :param name: its kind and number
        :param field: member of its text that has the number, too
        :param fits: compares a row with a checksum
        """
        kind, number = name
        try:
            if checksum is None:
                _require_number(row.text, field, number)
            elif not fits(row, checksum):
                raise ValueError(_WRONG_CHECKSUM)
        except _DAMAGES as error:
            self.add(kind, number, error)
            return False
        return True


def _named(rows: Sequence[str]) -> str:
    """Return the names of rows as a list; of many, the first ones and how many others there are."""
    others = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(rows[:_NAMED]) + others


def _require_number(text: str, key: str, number: int) -> None:
    """Check that the text of a row without checksum is JSON, and belongs to the row.

    :param key: the member of the text that holds the number of the row
    :param number: that number
    :raises Exception: one of `_DAMAGES`, if not
    """
    content = _parsed(text)
    if not isinstance(content, dict) or content.get(key, number) != number:
        raise ValueError("its text belongs to another row")


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        # orjson refuses escaped halves of surrogate pairs, which may be there. Bytes that are not text
        # become such halves too, and are refused here.
        text.encode()
        return json.loads(text)
