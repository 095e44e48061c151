"""Events of requests for lists: what is sent, and how much of it."""

import asyncio
import json
from typing import Any

import pytest

from ska_oso_oet.client import Controller
from ska_oso_oet.sidecar.feed import EventFeed
from ska_oso_oet.sidecar.listings import Listings
from ska_oso_oet.sidecar.metrics import Metrics
from ska_oso_oet.sidecar.ring import UnnumberedEvents

LARGE = {"script": "x" * 300_000}


@pytest.fixture
def feed() -> EventFeed:
    controller = Controller("tango://127.0.0.1:1/no/such/device")
    feed = EventFeed(controller, Metrics().of(1, "test/oet/1"), 100, heartbeat=60)
    feed.streams = 1
    return feed


def sent(feed: EventFeed) -> list[dict[str, Any]]:
    """Return the events that a reader of the feed has been sent."""
    return [
        json.loads(block.removeprefix("data:"))
        for block in feed.unnumbered.read(0).decode().split("\n\n")[:-1]
    ]


def ask(listings: Listings, times: int, answer: dict[str, Any]) -> int:
    """Ask for procedures at once, and return how many of the requests are published."""
    published = 0
    for _ in range(times):
        listing = listings.begin("procedure", pids=None)
        if listing is not None:
            published += 1
            listing.end([answer])
    return published


def test_request_and_answer_have_the_same_request_id_and_no_number(feed: EventFeed) -> None:
    async def run() -> None:
        listing = Listings(feed).begin("activity", activity_ids=[3])
        assert listing is not None
        listing.end([{"id": 3}])

    asyncio.run(run())
    asked, answered = sent(feed)
    assert (asked["topic"], asked["activity_ids"]) == ("request.activity.list", [3])
    assert (answered["topic"], answered["result"]) == ("activity.pool.list", [{"id": 3}])
    assert asked["request_id"] == answered["request_id"] <= asked["time"] <= answered["time"]
    assert "seq" not in asked | answered


def test_nothing_is_published_while_nobody_listens(feed: EventFeed) -> None:
    async def run() -> int:
        feed.streams = 0
        return ask(Listings(feed), 1, {})

    assert asyncio.run(run()) == feed.unnumbered.count == 0


@pytest.mark.parametrize(
    ("streams", "answer", "least", "most"), [(1, {"id": 1}, 20, 40), (1, LARGE, 4, 10), (10, LARGE, 1, 2)]
)
def test_requests_in_a_row_are_left_out_by_number_and_size(
    feed: EventFeed, streams: int, answer: dict[str, Any], least: int, most: int
) -> None:
    async def run() -> int:
        feed.streams = streams
        return ask(Listings(feed), 1000, answer)

    assert least <= asyncio.run(run()) <= most


def test_a_slow_reader_misses_the_oldest_and_gets_each_of_the_others_once() -> None:
    events = UnnumberedEvents(max_bytes=30)
    known = events.count
    for number in range(10):
        events.append(b"event %d;" % number)
    assert events.read(known) == b"event 7;event 8;event 9;"
    assert events.read(9) == b"event 9;"
    assert events.read(events.count) == b""
    events.append(b"x" * 100)
    assert events.read(10) == b"x" * 100
