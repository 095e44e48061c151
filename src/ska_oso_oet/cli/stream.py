"""The events of an OET, in order, through breaks of the connection."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

import httpx
from pydantic import ValidationError

from ska_oso_oet.model import Event

from .connection import HttpSession
from .errors import OetError, ServerUnavailableError
from .sse import Comment, ServerSentEvent, SseParser

HEARTBEAT = 15.0
"""The service sends a comment at least as often as this, in seconds."""
READ_TIMEOUT = 2 * HEARTBEAT + 5
"""A stream that was silent this long, in seconds, has lost its server: two comments are missing."""
GIVE_UP_AFTER = 300.0
"""How long to try to get a lost stream back, in seconds: the restart of a service takes less."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class Received(NamedTuple):
    """An event, and its JSON as it was sent."""

    event: Event
    text: str


class Pulse(NamedTuple):
    """The service is alive, and there may be news that came as no event: it is time to look.

    Sent for each comment of the stream, and after each reconnection.
    """


class EventStream:
    """A stream of events that comes back by itself, where it was, when the connection breaks.

    As a context manager it is open, and the service is sending, once entered: no event of what is
    asked for after that can be missed.

    :param http: connections to the service
    :param after: begin after the event of this number; None to begin with what happens from now on
    :param report: is told, in a sentence, when the connection is lost and when it is back
    :param read_timeout: how long the stream may be silent, in seconds
    :param give_up_after: how long to try to get it back, in seconds
    """

    def __init__(
        self,
        http: HttpSession,
        *,
        after: int | None,
        report: Callable[[str], None],
        read_timeout: float = READ_TIMEOUT,
        give_up_after: float = GIVE_UP_AFTER,
    ) -> None:
        self._http = http
        self._last_id = "" if after is None else str(after)
        self._report = report
        self._read_timeout = read_timeout
        self._give_up_after = give_up_after
        self._pause = threading.Event()
        self._comment = ""

    def __enter__(self) -> Self:
        """Connect.

        :raises OetError: if the service is away, or offers no stream
        """
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[Received | Pulse]:
        """Yield events as they come, without end.

        :raises OetError: if the connection is lost for good
        """
        while True:
            reason = "the server closed the stream"
            try:
                yield from self._read()
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            self._response.close()
            self._report(f"Lost the stream of events ({reason}); trying to get it back")
            self._reconnect()
            self._report("The stream of events is back" + (", nothing was missed" if self._last_id else ""))
            yield Pulse()

    def _connect(self) -> None:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        self._parser = SseParser()
        self._response = self._http.open_stream("/stream", headers, self._read_timeout)
        self._chunks = self._response.iter_bytes()
        try:
            # The headers may be sent before the service subscribes to events; its first byte comes after.
            self._first = next(self._chunks, b"")
        except httpx.HTTPError as error:
            self._response.close()
            raise self._http.unavailable(error) from error
        if not self._first:
            self._response.close()
            raise ServerUnavailableError(
                f"{self._http.url} closes the stream of events as soon as it is open"
            )

    def _read(self) -> Iterator[Received | Pulse]:
        yield from self._parse(self._first)
        # A service tells its place before there is any event, to whoever is cut off before that.
        self._last_id = self._last_id or self._parser.last_id
        for chunk in self._chunks:
            yield from self._parse(chunk)

    def _parse(self, chunk: bytes) -> Iterator[Received | Pulse]:
        for item in self._parser.feed(chunk):
            if isinstance(item, Comment):
                self._pass_on(item.text)
                yield Pulse()
                continue
            self._last_id = item.id or self._last_id
            received = _event(item)
            if received is None:
                self._report(f"Passed over what is no event of an OET: {item.data[:200]}")
            else:
                yield received

    def _pass_on(self, comment: str) -> None:
        """Report what the service has to say: which events it keeps no more, or that the device is away.

        It may say so with each heartbeat. Most of these say nothing.
        """
        if comment not in {"", self._comment}:
            self._report(f"The OET says: {comment}")
        self._comment = comment

    def _reconnect(self) -> None:
        give_up = time.monotonic() + self._give_up_after
        pause = self._parser.retry or _FIRST_PAUSE
        while True:
            self._pause.wait(pause)
            try:
                self._connect()
            except ServerUnavailableError as error:
                if time.monotonic() >= give_up:
                    raise OetError(f"The stream of events did not come back. {error.message}") from error
            else:
                return
            pause = min(2 * pause, _LONGEST_PAUSE)


def _event(sent: ServerSentEvent) -> Received | None:
    """Read an event; None if it is none."""
    try:
        fields = json.loads(sent.data)
        if not isinstance(fields, dict):
            return None
        if isinstance(fields.get("msg_src"), int):
            fields["msg_src"] = str(fields["msg_src"])
        number = int(sent.id) if sent.id.isascii() and sent.id.isdigit() else 0
        # Services up to 5.2.0 put neither number nor time into the JSON.
        return Received(Event.model_validate({"seq": number, "time": time.time(), **fields}), sent.data)
    except (ValueError, ValidationError):
        return None
