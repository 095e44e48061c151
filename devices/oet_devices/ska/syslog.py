"""Log messages to a syslog, sent by a thread of its own: a slow syslog must not block callers."""

import logging
import logging.handlers
import queue
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

_CONNECT_TIMEOUT = 1.0
"""Seconds that a server may take to accept a connection: the device's monitor is held meanwhile."""

_WAITING = 1000
"""Messages that may wait to be sent; further ones are lost."""

_LAST_WORDS = 0.5
"""Seconds in which waiting messages may still be sent when the target is closed."""

_PORT = 514


def open_syslog(address: str) -> logging.Handler:
    """Return a handler that sends messages to a syslog.

    :param address: ``udp://host:port``, ``tcp://host:port`` or ``file:///dev/log``
    :raises ValueError: if the port is not a number
    :raises OSError: if it is known that it cannot be reached
    """
    url = urlsplit(address)
    if url.scheme == "file":
        # The handler itself does not report a missing socket.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.connect(url.path)
        return _Relay(logging.handlers.SysLogHandler(url.path))
    where = (url.hostname or "localhost", url.port or _PORT)
    if url.scheme == "udp":
        return _Relay(logging.handlers.SysLogHandler(where))
    return _Relay(_TcpHandler(where, socktype=socket.SOCK_STREAM))


class _TcpHandler(logging.handlers.SysLogHandler):
    """A handler that does not wait long for a connection, and connects again after one is lost."""

    def createSocket(self) -> None:
        """Connect, or raise."""
        self.unixsocket = False
        self.socket = socket.create_connection(self.address, _CONNECT_TIMEOUT)  # type: ignore[arg-type]
        self.socket.settimeout(None)

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop a record that could not be sent: the next one is sent over a new connection."""
        lost, self.socket = self.socket, None  # type: ignore[assignment]
        if lost is not None:
            lost.close()


class _Relay(logging.handlers.QueueHandler):
    """Passes records to another handler in a thread of its own.

    :param target: the other handler; closed with this one
    """

    def __init__(self, target: logging.handlers.SysLogHandler) -> None:
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(_WAITING)
        super().__init__(self._queue)
        self._target = target
        self._closed = False
        self._thread = threading.Thread(target=self._send, name="syslog", daemon=True)
        self._thread.start()

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Let the target write records in a form."""
        self._target.setFormatter(fmt)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Store a record for the thread, unless too many wait."""
        with suppress(queue.Full):  # logging that would make it worse
            self._queue.put_nowait(record)

    def close(self) -> None:
        """Send the messages that can be sent at once, and end the thread."""
        super().close()
        with suppress(queue.Full):
            self._queue.put(None, timeout=_LAST_WORDS)
        self._thread.join(_LAST_WORDS)
        self._closed = True
        # If it waits for a server that does not read, this ends that.
        waiting: socket.socket | None = self._target.socket  # type: ignore[attr-defined]
        if waiting is not None:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        self._target.close()

    def _send(self) -> None:
        while (record := self._queue.get()) is not None and not self._closed:
            # Not by handle(), whose lock close() would wait for.
            self._target.emit(record)
