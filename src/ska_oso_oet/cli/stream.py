"""Streams of an OET: events and output of scripts, in order, also after the connection was lost."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

import httpx
from pydantic import ValidationError

from ska_oso_oet.model import Backoff, Event, Output

from .connection import HttpSession
from .errors import CommandError, ServerUnavailableError
from .sse import Comment, ServerSentEvent, SseParser

HEARTBEAT = 15.0
"""The service sends a comment at least as often as this, in seconds."""
READ_TIMEOUT = 2 * HEARTBEAT + 5
"""A stream that was silent this long, in seconds, has lost its server: two comments are missing."""
GIVE_UP_AFTER = 300.0
"""Limit of the attempts to reconnect, in seconds: the restart of a service takes less."""
T = TypeVar("T")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class Received(NamedTuple):
    """An event, and its JSON as it was sent. The number of an event that has none is 0."""

    event: Event
    text: str


class ReceivedOutput(NamedTuple):
    """Lines of a script's output, and their JSON as it was sent."""

    output: Output
    text: str


class Pulse(NamedTuple):
    """Sign that the service is alive. There may be changes that no event has reported.

    Sent for each comment of the stream, and after each reconnection.
    """


class HttpStream(Generic[T]):
    """A stream that reconnects by itself, and continues where it was, when the connection breaks.

    Enter it as a context manager: from then on, the service sends, and no item is missed.

    :param http: connections to the service
    :param path: of the stream, below the URL of the API
    :param name: what to call it in a sentence
    :param read: reads an item; None if it is something else
    :param after: begin after the item of this number; None to begin with what happens from now on
    :param report: called with a sentence when the connection is lost and when it is back
    :param read_timeout: how long the stream may be silent, in seconds
    :param give_up_after: how long to try to reconnect, in seconds
    """

    def __init__(
        self,
        http: HttpSession,
        path: str,
        name: str,
        read: Callable[[ServerSentEvent], T | None],
        *,
        after: int | None,
        report: Callable[[str], None],
        read_timeout: float = READ_TIMEOUT,
        give_up_after: float = GIVE_UP_AFTER,
    ) -> None:
        self._http = http
        self._path = path
        self._name = name
        self._read_item = read
        self._last_id = "" if after is None else str(after)
        self._report = report
        self._read_timeout = read_timeout
        self._give_up_after = give_up_after
        self._aborted = threading.Event()
        self._comment = ""

    def __enter__(self) -> Self:
        """Connect.

        :raises CommandError: if the service is unavailable, or offers no stream
        """
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()

    def abort(self) -> None:
        """End the stream, also while it waits. Another thread may call it."""
        self._aborted.set()
        with suppress(AttributeError, OSError):  # it is not connected
            connection = self._response.extensions["network_stream"].get_extra_info("socket")
            connection.shutdown(socket.SHUT_RDWR)

    def __iter__(self) -> Iterator[T | Pulse]:
        """Yield items as they come, without end, unless it is aborted.

        :raises CommandError: if the connection is lost for good
        """
        while True:
            reason = "the server closed the stream"
            try:
                yield from self._read()
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            self._response.close()
            if self._aborted.is_set():
                return
            self._report(f"Lost the stream of {self._name} ({reason}); reconnecting")
            self._reconnect()
            self._report(
                f"The stream of {self._name} is back" + (", nothing was missed" if self._last_id else "")
            )
            yield Pulse()

    def _connect(self) -> None:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        self._parser = SseParser()
        self._response = self._http.open_stream(self._path, headers, self._read_timeout)
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
                f"{self._http.url} closes the stream of {self._name} as soon as it is open"
            )

    def _read(self) -> Iterator[T | Pulse]:
        yield from self._parse(self._first)
        # A service sends its position before the first event, for clients that are disconnected before that.
        self._last_id = self._last_id or self._parser.last_id
        for chunk in self._chunks:
            yield from self._parse(chunk)

    def _parse(self, chunk: bytes) -> Iterator[T | Pulse]:
        for item in self._parser.feed(chunk):
            if isinstance(item, Comment):
                self._pass_on(item.text)
                yield Pulse()
                continue
            self._last_id = item.id or self._last_id
            received = self._read_item(item)
            if received is None:
                self._report(
                    f"Skipped an item of the stream of {self._name} that cannot be read: {item.data[:200]}"
                )
            else:
                yield received

    def _pass_on(self, comment: str) -> None:
        """Report a comment of the service: events that are no longer kept, or an unavailable device.

        Each heartbeat may have one. Most are empty.
        """
        if comment not in {"", self._comment}:
            self._report(f"The OET says: {comment}")
        self._comment = comment

    def _reconnect(self) -> None:
        give_up = time.monotonic() + self._give_up_after
        for pause in Backoff(self._parser.retry or _FIRST_PAUSE, _LONGEST_PAUSE):
            if self._aborted.wait(pause):
                raise CommandError(f"The stream of {self._name} was ended")
            try:
                self._connect()
            except ServerUnavailableError as error:
                if time.monotonic() >= give_up:
                    raise CommandError(
                        f"The stream of {self._name} did not come back. {error.message}"
                    ) from error
            else:
                return


class HttpEventStream(HttpStream[Received]):
    """The events of an OET; see `HttpStream`.

    :param http: connections to the service
    :param after: begin after the event of this number; None to begin with what happens from now on
    :param report: called with a sentence when the connection is lost and when it is back
    :param read_timeout: how long the stream may be silent, in seconds
    :param give_up_after: how long to try to reconnect, in seconds
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
        super().__init__(
            http,
            "/stream",
            "events",
            _event,
            after=after,
            report=report,
            read_timeout=read_timeout,
            give_up_after=give_up_after,
        )


class HttpOutputStream(HttpStream[ReceivedOutput]):
    """The output of a procedure; see `HttpStream`. The last item has ``ended`` set.

    :param http: connections to the service
    :param pid: the procedure
    :param after: how many lines to skip
    :param report: called with a sentence when the connection is lost and when it is back
    """

    def __init__(self, http: HttpSession, pid: int, *, after: int, report: Callable[[str], None]) -> None:
        super().__init__(http, f"/procedures/{pid}/output", "output", _output, after=after, report=report)


def _output(sent: ServerSentEvent) -> ReceivedOutput | None:
    """Read lines of output; None if it is something else."""
    try:
        return ReceivedOutput(Output.model_validate_json(sent.data), sent.data)
    except ValidationError:
        return None


def _event(sent: ServerSentEvent) -> Received | None:
    """Read an event; None if it is none."""
    try:
        fields = json.loads(sent.data)
        if not isinstance(fields, dict):
            return None
        if isinstance(fields.get("msg_src"), int):
            fields["msg_src"] = str(fields["msg_src"])
        # Requests for lists have no number. Services up to 5.2.0 put neither number nor time into the JSON.
        return Received(Event.model_validate({"seq": 0, "time": time.time(), **fields}), sent.data)
    except (ValueError, ValidationError):
        return None
