"""Numbers of events that are missing in between: lost, or left out for safety."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .protocol import EventsNoLongerKept, JournalEvent


class Gap(NamedTuple):
    """A run of missing numbers, both ends included."""

    first: int
    last: int


@dataclass(frozen=True)
class Gaps:
    """All runs of missing numbers among those that are kept, in order and apart from each other."""

    runs: tuple[Gap, ...] = ()

    @classmethod
    def of(cls, runs: Iterable[Gap]) -> "Gaps":
        """Put runs in order, and join those that touch."""
        joined: list[Gap] = []
        for run in sorted(runs):
            if joined and run.first <= joined[-1].last + 1:
                joined[-1] = Gap(joined[-1].first, max(run.last, joined[-1].last))
            else:
                joined.append(run)
        return cls(tuple(joined))

    def beyond(self, seq: int) -> "Gaps":
        """Return the runs that end after a number."""
        return Gaps(tuple(run for run in self.runs if run.last > seq))

    def first_present(self, seq: int) -> int:
        """Return the number, or the next one that is not missing."""
        for run in self.runs:
            if run.first <= seq <= run.last:
                return run.last + 1
        return seq

    def oldest_of(self, last_seq: int, count: int) -> int:
        """Return the number of the oldest of the newest events, the missing ones not counted.

        :param last_seq: number of the newest event
        :param count: how many events there shall be from the returned number on
        """
        for run in reversed(self.runs):
            newer = last_seq - run.last
            if count <= newer:
                break
            count -= newer
            last_seq = run.first - 1
        return last_seq - count + 1

    def cut(self, found: Sequence[JournalEvent], after: int, *, to_the_end: bool) -> list[JournalEvent]:
        """End what a query has found at the first missing event.

        :param found: events, oldest first
        :param after: number from which on they were looked for
        :param to_the_end: whether there are no more than these
        :raises EventsNoLongerKept: if nothing was found before the missing ones
        """
        for run in self.runs:
            if run.last <= after or (not to_the_end and run.first > found[-1].seq):
                continue
            before = [event for event in found if event.seq < run.first]
            if not before:
                raise EventsNoLongerKept(max(after, run.first - 1), run.last + 1)
            return before
        return list(found)
