"""Order of the live entries of the queue, and the rules by which it changes."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ska_oso_oet.model import After, Before, Position, QueueEntry

from .errors import QueueEntryBegunError, QueueEntryNotFoundError

_SPACING = float(1 << 20)
"""Distance of the ranks of neighbours that are added at an end: room for entries between them."""

_ROOM = 1024.0
"""Minimum distance of neighbours after room was made between them: enough for some twenty more."""

_FEWEST_NEIGHBOURS = 8
"""How many entries before and behind a place are moved to make room there, to begin with."""


class EntryOrder:
    """Entries by rank. Adding, moving and finding one takes the same time in a queue of any practical length.

    Not safe for threads.
    """

    def __init__(self) -> None:
        self._entries: dict[int, QueueEntry] = {}
        self._ranks: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[QueueEntry]:
        return (self._entries[entry_id] for _, entry_id in self._ranks)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._entries

    def get(self, entry_id: int) -> QueueEntry:
        """Return an entry.

        :raises QueueEntryNotFoundError: if it is not there
        """
        if (entry := self._entries.get(entry_id)) is None:
            raise QueueEntryNotFoundError(entry_id)
        return entry

    def changeable(self, entry_id: int) -> QueueEntry:
        """Return an entry that has not begun.

        :raises QueueEntryNotFoundError: if it is not there
        :raises QueueEntryBegunError: if it has begun
        """
        if (entry := self.get(entry_id)).state.is_begun:
            raise QueueEntryBegunError(entry)
        return entry

    def find(self, entry_id: int) -> QueueEntry | None:
        """Return an entry, None if it is not there."""
        return self._entries.get(entry_id)

    @property
    def first_waiting(self) -> QueueEntry | None:
        """The first entry that has not begun, None if there is none."""
        # At most one entry has begun: the first.
        first = (self._entries[entry_id] for _, entry_id in self._ranks[:2])
        return next((entry for entry in first if not entry.state.is_begun), None)

    @property
    def head(self) -> QueueEntry | None:
        """The first entry, None if there is none."""
        return self._entries[self._ranks[0][1]] if self._ranks else None

    def put(self, entry: QueueEntry) -> None:
        """Add an entry at its rank, or replace it."""
        self.discard(entry.id)
        self._entries[entry.id] = entry
        insort(self._ranks, (entry.rank, entry.id))

    def discard(self, entry_id: int) -> None:
        """Take an entry out, if it is there."""
        if (entry := self._entries.pop(entry_id, None)) is not None:
            del self._ranks[bisect_left(self._ranks, (entry.rank, entry_id))]

    def ranks_at(self, position: Position, count: int) -> Sequence[float] | None:
        """Return ranks for some entries at a position; None if `make_room` must be called first.

        :param position: their position
        :param count: how many there are
        :raises QueueEntryNotFoundError: if the position refers to an entry that is not there
        :raises QueueEntryBegunError: if it is in front of an entry that has begun
        """
        place = self._place_of(position)
        lower = self._ranks[place - 1][0] if place > 0 else None
        upper = self._ranks[place][0] if place < len(self._ranks) else None
        if upper is None:
            start = 0.0 if lower is None else lower
            return [start + _SPACING * number for number in range(1, count + 1)]
        if lower is None:
            return [upper - _SPACING * number for number in range(count, 0, -1)]
        step = (upper - lower) / (count + 1)
        ranks = [lower + step * number for number in range(1, count + 1)]
        bounded = [lower, *ranks, upper]
        return ranks if all(first < second for first, second in pairwise(bounded)) else None

    def make_room(self, position: Position, count: int) -> list[QueueEntry]:
        """Give entries about a position other ranks, in the same order: as few as necessary for room there.

        :param position: the position
        :param count: how many entries need room
        :returns: the entries with their new ranks
        """
        place = self._place_of(position)
        width = _FEWEST_NEIGHBOURS
        while (start_and_step := self._even_ranks(place, width, count)) is None:
            width *= 2
        start, step = start_and_step
        low, high = self._neighbours(place, width)
        moved = []
        for number, (_, entry_id) in enumerate(self._ranks[low:high], start=low):
            slot = number - low + 1 + (count if number >= place else 0)
            moved.append(self._entries[entry_id].model_copy(update={"rank": start + step * slot}))
        for entry in moved:
            self.put(entry)
        return moved

    def _neighbours(self, place: int, width: int) -> tuple[int, int]:
        return max(0, place - width), min(len(self._ranks), place + width)

    def _even_ranks(self, place: int, width: int, count: int) -> tuple[float, float] | None:
        """Return the rank before the neighbours of a place, and the distance that ranks there may have.

        :returns: None if that distance is too small
        """
        low, high = self._neighbours(place, width)
        slots = high - low + count + 1
        if high == len(self._ranks):
            return (self._ranks[low - 1][0] if low else 0.0), _SPACING
        if low == 0:
            return self._ranks[high][0] - _SPACING * slots, _SPACING
        start = self._ranks[low - 1][0]
        step = (self._ranks[high][0] - start) / slots
        return (start, step) if step >= _ROOM else None

    def _place_of(self, position: Position) -> int:
        """Return how many entries are in front of a position."""
        match position:
            case Before(before=entry_id):
                return self._index(self.changeable(entry_id))
            case After(after=entry_id):
                return self._index(self.get(entry_id)) + 1
            case "front":
                # At most one entry has begun: the first.
                head = self.head
                return 1 if head is not None and head.state.is_begun else 0
            case _:
                return len(self._ranks)

    def _index(self, entry: QueueEntry) -> int:
        return bisect_left(self._ranks, (entry.rank, entry.id))


def ranked_behind(entries: Sequence[QueueEntry], first: float, last: float) -> list[QueueEntry]:
    """Return entries with ranks behind those of others; one that has begun stays in front of them.

    :param entries: the entries, in their order
    :param first: the smallest rank of the others
    :param last: the greatest
    """
    return [
        entry.model_copy(
            update={"rank": first - _SPACING if entry.state.is_begun else last + _SPACING * number}
        )
        for number, entry in enumerate(entries, start=1)
    ]
