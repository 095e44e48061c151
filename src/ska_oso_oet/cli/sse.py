"""Parser for streams of server-sent events.

The format is that of the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream"
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE_END = re.compile(r"[\r\n]")


class ServerSentEvent(NamedTuple):
    """One event of a stream."""

    data: str
    """Its data lines, joined by newlines."""
    type: str = "message"
    """Its ``event:`` field."""
    id: str = ""
    """The newest ``id:`` of the stream: what to send as ``Last-Event-ID`` to read on after it."""


class Comment(NamedTuple):
    """A comment line, which servers send to show that they are alive."""

    text: str


class SseParser:
    """Turns chunks of bytes, cut anywhere, into events and comments.

    :ivar retry: how long the server asks to wait before a reconnection, in seconds; None if it did not say
    """

    def __init__(self) -> None:
        self.retry: float | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start = True
        self._after_cr = False
        self._partial: list[str] = []
        self._data: list[str] = []
        self._type = ""
        self._id = ""

    @property
    def last_id(self) -> str:
        """The newest ``id:`` of the stream; it may come before any event."""
        return self._id

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent | Comment]:
        """Read on.

        :param chunk: the next bytes of the stream
        :returns: what these bytes complete, in order; an event is complete at its empty line
        """
        for line in self._lines(self._decoder.decode(chunk)):
            item = self._dispatch() if not line else self._read(line)
            if item is not None:
                yield item

    def _lines(self, text: str) -> Iterator[str]:
        """Cut into lines at CR, LF or CR LF, and at nothing else that Python would call a line end."""
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        begin = 0
        for match in _LINE_END.finditer(text):
            end = match.start()
            # A CR ends its line at once, so that no event waits for the next; the LF after it is not a line.
            second_half = self._after_cr and end == begin and text[end] == "\n"
            self._after_cr = text[end] == "\r"
            if not second_half:
                yield "".join([*self._partial, text[begin:end]])
                self._partial.clear()
            begin = end + 1
        if begin < len(text):
            self._after_cr = False
            self._partial.append(text[begin:])

    def _read(self, line: str) -> Comment | None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                return Comment(value)
            case "data":
                self._data.append(value)
            case "event":
                self._type = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, type_ = self._data, self._type
        self._data, self._type = [], ""
        return ServerSentEvent("\n".join(data), type_ or "message", self._id) if data else None
