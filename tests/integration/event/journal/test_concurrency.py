"""Reading goes on while entries are appended and old ones are dropped."""

import threading

from ska_oso_oet.event.journal import EventsNoLongerKept, Journal

from .support import PATIENCE_S, OpenJournal, events

_LAST = 20_000


def test_readers_miss_no_event_unless_they_are_told(open_durable: OpenJournal) -> None:
    journal = open_durable(event_retention=5000)
    seen: list[tuple[int, int]] = []
    readers = [threading.Thread(target=_follow, args=(journal, seen, topic)) for topic in ("", "user.")]
    for reader in readers:
        reader.start()
    for first in range(1, _LAST + 1, 100):
        journal.append(events(first, first + 99), [])
    for reader in readers:
        reader.join(PATIENCE_S)
    assert [read + refused for read, refused in seen] == [_LAST, _LAST]


def _follow(journal: Journal, seen: list[tuple[int, int]], topic: str) -> None:
    """Read to the end; notes how many events were read, and of how many it was said that they are gone."""
    after = read = refused = 0
    while after < _LAST:
        try:
            found = journal.read_events(after, 70, topic)
        except EventsNoLongerKept as missing:
            refused += missing.first - 1 - after
            after = missing.first - 1
            continue
        assert [event.seq for event in found] == list(range(after + 1, after + len(found) + 1))
        read += len(found)
        after += len(found)
    seen.append((read, refused))
