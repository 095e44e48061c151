"""The ring gives every reader every event once and in order, or reports that it is too late."""

import pytest

from ska_oso_oet.client import RawEvent
from ska_oso_oet.sidecar.ring import FallenBehindError, Ring, encode


def _events(first: int, last: int, size: int = 0) -> list[RawEvent]:
    return [RawEvent(seq, 0.0, f'{{"seq":{seq}{" " * size}}}') for seq in range(first, last + 1)]


def _read_all(ring: Ring, after: int) -> bytes:
    data = b""
    while True:
        chunk, after = ring.read(after)
        if not chunk:
            return data
        data += chunk


def test_an_event_is_a_data_line_and_its_number() -> None:
    assert encode(RawEvent(4, 0.0, '{"seq":4}')) == b'data:{"seq":4}\nid:4\n\n'


def test_readers_get_what_they_have_not_seen() -> None:
    ring = Ring(100, first=11)
    events = _events(11, 15)
    ring.append(events[:2])
    assert _read_all(ring, 10) == b"".join(map(encode, events[:2]))
    ring.append(events[2:])
    assert _read_all(ring, 12) == b"".join(map(encode, events[2:]))
    assert ring.read(15) == (b"", 15)


def test_much_is_given_in_portions_that_join_to_the_whole() -> None:
    ring = Ring(1000, first=1)
    events = _events(1, 300, size=1000)
    ring.append(events)
    chunk, last = ring.read(0)
    assert len(chunk) <= 64 << 10
    assert 0 < last < 300
    assert _read_all(ring, 0) == b"".join(map(encode, events))


def test_an_event_that_is_larger_than_a_portion_is_given_whole() -> None:
    ring = Ring(10, first=1)
    events = _events(1, 2, size=200_000)
    ring.append(events)
    assert ring.read(0) == (encode(events[0]), 1)


def test_the_oldest_events_make_room_and_their_readers_are_told() -> None:
    ring = Ring(100, first=1)
    for seq in range(1, 501):
        ring.append(_events(seq, seq))
    assert 100 <= ring.next - ring.first <= 110
    assert ring.next == 501
    assert _read_all(ring, ring.first - 1).startswith(encode(_events(ring.first, ring.first)[0]))
    with pytest.raises(FallenBehindError):
        ring.read(ring.first - 2)


def test_long_events_make_it_hold_fewer() -> None:
    ring = Ring(1000, first=1, max_bytes=100_000)
    for seq in range(1, 101):
        ring.append(_events(seq, seq, size=10_000))
    assert 9 <= ring.next - ring.first <= 11
    assert _read_all(ring, ring.first - 1).count(b"data:") == ring.next - ring.first
