"""Events of lists and descriptions that clients request, on the topics of the OET 5.2.0.

The controller does not publish them: it would store an event for each read. They are sent
to the streams that are open at that moment, have no number, and cannot be read again.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

from .feed import EventFeed

_BYTES_PER_SECOND = 1 << 20
"""Bytes that these events may take on all streams together, in the long run."""

_BURST = 2 << 20
"""Bytes that they may take after a pause."""

_LEAST_COST = 100_000
"""Bytes that a request counts at least: 10 requests a second are published, and 20 after a pause."""

_REQUESTER = "Sidecar"
_SOURCE = "OETController"


class Listings:
    """Publishes requests for lists and descriptions on the streams of one controller, and their answers.

    Without listeners, and while there are too many requests, it publishes nothing.

    :param feed: sends events to the streams
    """

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._left = float(_BURST)
        self._counted = 0.0

    def begin(self, kind: str, **asked: Sequence[int] | None) -> "Listing | None":
        """Publish a request for a list or a description.

        :param kind: ``procedure`` or ``activity``
        :param asked: field of the topic with the IDs that are asked for; None for all
        :returns: the object that publishes the answer; None if neither is published
        """
        if not self._feed.streams:
            return None
        now = asyncio.get_running_loop().time()
        self._left = min(self._left + (now - self._counted) * _BYTES_PER_SECOND, _BURST)
        self._counted = now
        if self._left <= 0:
            return None
        self._left -= _LEAST_COST
        listing = Listing(self, kind)
        listing.publish(f"request.{kind}.list", _REQUESTER, asked)
        return listing

    def send(self, event: dict[str, Any]) -> None:
        """Send an event to all streams."""
        text = to_json(event)
        self._left -= max(0, len(text) * self._feed.streams - _LEAST_COST)
        self._feed.publish_unnumbered(b"data:" + text + b"\n\n")


class Listing:
    """A request for a list or a description, while it is answered.

    :param listings: publishes its events
    :param kind: ``procedure`` or ``activity``
    """

    def __init__(self, listings: Listings, kind: str) -> None:
        self._listings = listings
        self._kind = kind
        self._request_id = time.time()

    def end(self, summaries: Iterable[dict[str, Any]]) -> None:
        """Publish the answer.

        :param summaries: JSON of the result, in the form of events
        """
        self.publish(f"{self._kind}.pool.list", _SOURCE, {"result": list(summaries)})

    def publish(self, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """Publish an event of this request."""
        common = {"time": time.time(), "topic": topic, "msg_src": msg_src, "request_id": self._request_id}
        self._listings.send(common | fields)
