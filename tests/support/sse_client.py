"""A reader of the sidecar's event stream that knows nothing but the standard."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from tests.support.patience import PATIENCE

from ska_oso_oet.cli.sse import Comment, SseParser


class SseClient:
    """An event stream, read by an asyncio program over a socket of its own.

    :param port: of the sidecar
    :param last_event_id: number of the last event that is known; None for what happens from now on
    :param prefix: path of a controller of a gateway
    :param host: address of the sidecar
    """

    def __init__(
        self, port: int, last_event_id: int | None = None, prefix: str = "", host: str = "127.0.0.1"
    ) -> None:
        self._port = port
        self._host = host
        self._path = f"{prefix}/api/v1.0/stream"
        self._last_event_id = last_event_id
        self._parser = SseParser()
        self._writer: asyncio.StreamWriter | None = None
        self.events: list[dict[str, Any]] = []
        self.ids: list[int] = []
        self.unnumbered: list[dict[str, Any]] = []
        self.comments: list[str] = []
        self.ended = False

    async def open(self) -> "SseClient":
        """Connect, and wait for the beginning of the stream."""
        self._reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 16)
        self._writer = writer
        header = "" if self._last_event_id is None else f"Last-Event-ID: {self._last_event_id}\r\n"
        # HTTP/1.0: the body is not chunked, and ends with the connection.
        writer.write(f"GET {self._path} HTTP/1.0\r\nHost: {self._host}\r\n{header}\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0], head
        assert b"text/event-stream" in head
        assert await self._reader.readexactly(1) == b"\n"
        return self

    async def read(self) -> bool:
        """Read on. Returns whether the stream goes on."""
        chunk = b""
        with suppress(ConnectionError):
            chunk = await self._reader.read(1 << 16)
        for item in self._parser.feed(chunk):
            if isinstance(item, Comment):
                self.comments.append(item.text)
                continue
            event = json.loads(item.data)
            if "seq" in event:
                self.events.append(event)
                self.ids.append(int(item.id))
            else:
                self.unnumbered.append(event)
        self.ended = not chunk
        return bool(chunk)

    def has_read(self, topic: str) -> bool:
        """Whether an event of a topic has come."""
        return any(event["topic"] == topic for event in self.events)

    async def read_until(self, topic: str) -> list[dict[str, Any]]:
        """Read until there is an event of a topic that was not there when this was called.

        :param topic: the topic
        :returns: all events up to now
        """
        known = len(self.events)
        async with asyncio.timeout(PATIENCE):
            while not any(event["topic"] == topic for event in self.events[known:]):
                known = len(self.events)
                assert await self.read(), "the stream has ended"
        return self.events

    async def read_to_end(self) -> None:
        """Read until the stream has ended."""
        async with asyncio.timeout(PATIENCE):
            while await self.read():
                pass

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is None:
            return
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    @property
    def is_gapless(self) -> bool:
        """Whether each event has come once and in order."""
        return (
            self.ids
            == [event["seq"] for event in self.events]
            == list(range(self.ids[0], self.ids[0] + len(self.ids)))
        )
