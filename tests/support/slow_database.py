"""A Tango database whose answer to a server, that it is exported, is held back for a while."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.patience import PATIENCE
from tests.support.tango_stack import LOOPBACK

_CHUNK = 1 << 16


class SlowDatabase:
    """The way to a Tango database, for one device server. Others connect to the database itself.

    :param tango_host: the database's ``host:port``
    :param server: executable and instance of the device server
    :ivar tango_host: address for the device server
    """

    def __init__(self, tango_host: str, server: str) -> None:
        host, _, port = tango_host.rpartition(":")
        self._database = (host, int(port))
        self._admin_device = f"dserver/{server}".lower().encode()
        self._held = threading.Event()
        self._released = threading.Event()
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.tango_host = f"{LOOPBACK}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="way to a Tango database", daemon=True).start()

    def wait_for_export(self) -> None:
        """Wait until the database has stored that the server is exported; the server does not know it yet."""
        assert self._held.wait(PATIENCE)

    def release(self) -> None:
        """Let the answer through, and hold none from now on."""
        self._released.set()

    def close(self) -> None:
        """End all connections."""
        self.release()
        for each in (self._listener, *self._connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                server, _ = self._listener.accept()
                database = socket.create_connection(self._database)
                self._connections += [server, database]
                exporting = threading.Event()
                for pass_on in (self._pass_requests, self._pass_answers):
                    threading.Thread(target=pass_on, args=(server, database, exporting), daemon=True).start()

    def _pass_requests(
        self, server: socket.socket, database: socket.socket, exporting: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK):
                if b"DbExportDevice" in data and self._admin_device in data.lower():
                    exporting.set()
                database.sendall(data)
            database.shutdown(socket.SHUT_RDWR)

    def _pass_answers(
        self, server: socket.socket, database: socket.socket, exporting: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := database.recv(_CHUNK):
                if exporting.is_set():
                    self._held.set()
                    self._released.wait(PATIENCE)
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)


@contextmanager
def slow_database(tango_host: str, server: str) -> Iterator[SlowDatabase]:
    """Lead a device server to a Tango database, and hold back an answer, as long as the context lasts.

    :param tango_host: the database's ``host:port``
    :param server: executable and instance of the device server
    """
    slow = SlowDatabase(tango_host, server)
    try:
        yield slow
    finally:
        slow.close()
