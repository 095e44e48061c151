"""Content of a transaction: events, documents, IDs, and ranges of events that are lost or skipped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .protocol import Document, EventsNoLongerKeptError, JournalEvent

# An entry of PostgreSQL's index has at most 2704 bytes, a character at most four.
_INDEXABLE_TOPIC: Final = 600


class MissingRange(NamedTuple):
    """A range of missing numbers, both ends included."""

    first: int
    last: int


@dataclass(frozen=True)
class MissingRanges:
    """The ranges of missing numbers among those that are kept, in order and not touching each other."""

    ranges: tuple[MissingRange, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[MissingRange]) -> "MissingRanges":
        """Sort ranges, and join those that touch."""
        joined: list[MissingRange] = []
        for missing in sorted(ranges):
            if joined and missing.first <= joined[-1].last + 1:
                joined[-1] = MissingRange(joined[-1].first, max(missing.last, joined[-1].last))
            else:
                joined.append(missing)
        return cls(tuple(joined))

    def ending_after(self, seq: int) -> "MissingRanges":
        """Return the ranges that end after a number."""
        return MissingRanges(tuple(missing for missing in self.ranges if missing.last > seq))

    def first_present(self, seq: int) -> int:
        """Return the number, or the next one that is not missing."""
        for missing in self.ranges:
            if missing.first <= seq <= missing.last:
                return missing.last + 1
        return seq

    def oldest_of_newest(self, last_seq: int, count: int) -> int:
        """Return the number of the oldest of the newest events, missing ones not counted.

        :param last_seq: number of the newest event
        :param count: how many events there are from the returned number on
        """
        for missing in reversed(self.ranges):
            newer = last_seq - missing.last
            if count <= newer:
                break
            count -= newer
            last_seq = missing.first - 1
        return last_seq - count + 1

    def cut(self, found: Sequence[JournalEvent], after: int, *, to_the_end: bool) -> list[JournalEvent]:
        """Return the events that a query has found, up to the first missing event.

        :param found: events, oldest first
        :param after: the query found events with a greater number
        :param to_the_end: whether there are no others
        :raises EventsNoLongerKeptError: if nothing was found before the missing ones
        """
        for missing in self.ranges:
            if missing.last <= after or (not to_the_end and missing.first > found[-1].seq):
                continue
            before = [event for event in found if event.seq < missing.first]
            if not before:
                raise EventsNoLongerKeptError(max(after, missing.first - 1), missing.last + 1)
            return before
        return list(found)


@dataclass(frozen=True)
class Entries:
    """The entries that one transaction writes.

    :ivar missing: ranges of events that are missing
    :ivar last_ids: the greatest IDs of the kinds whose greatest ID has grown
    """

    events: Sequence[JournalEvent] = ()
    documents: Sequence[Document] = ()
    missing: Sequence[MissingRange] = ()
    last_ids: Mapping[str, int] = field(default_factory=dict)


def storable(entries: Entries) -> Entries:
    """Replace what a database may refuse: NUL, halves of surrogate pairs, the end of a very long topic.

    The text of an event contains its whole topic; the topic that is cut is only used to find the event.
    """

    def clean(text: str) -> str:
        return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")

    def cut(topic: str) -> str:
        return clean(topic)[:_INDEXABLE_TOPIC]

    return Entries(
        [JournalEvent(seq, cut(topic), clean(text)) for seq, topic, text in entries.events],
        [each._replace(kind=clean(each.kind), text=clean(each.text)) for each in entries.documents],
        entries.missing,
        {clean(kind): last_id for kind, last_id in entries.last_ids.items()},
    )
