"""A small REST service of Scheduling Blocks, which can be set to fail."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from urllib.parse import parse_qs, urlsplit

BASE_PATH = "/test/oda/api/v5"


class Failure(Enum):
    """Ways to fail other than with an HTTP status."""

    DROP = "close the connection without an answer"
    HANG = "do not answer until the client has gone"
    DRIP = "answer piece by piece, and never come to the end"
    FLOOD = "answer with more than anybody wants, until the client has gone"


class OdaServer(ThreadingHTTPServer):
    """Serves ``GET <BASE_PATH>/sbds/<sbd_id>[?version=n]``."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OdaRequestHandler)
        self.documents: dict[str, dict[int, str]] = {}
        self.failures: deque[int | Failure] = deque()
        self.knows_versions = True
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.requested = threading.Event()

    @property
    def url(self) -> str:
        """Its address, as ODA_URL gives it."""
        return f"http://127.0.0.1:{self.server_port}{BASE_PATH}"

    def reset(self) -> None:
        """Forget what a test has set and stored."""
        self.documents.clear()
        self.failures.clear()
        self.requests.clear()
        self.authorizations.clear()
        self.requested.clear()
        self.knows_versions = True


class OdaRequestHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: OdaServer

    def do_GET(self) -> None:
        """Answer with a Scheduling Block, or fail as set."""
        self.server.requests.append(self.path)
        self.server.authorizations.append(self.headers.get("Authorization"))
        self.server.requested.set()
        failure = self.server.failures.popleft() if self.server.failures else None
        if failure is Failure.DROP:
            self.close_connection = True
        elif failure is Failure.HANG:
            self.connection.recv(1)
            self.close_connection = True
        elif failure in (Failure.DRIP, Failure.FLOOD):
            self._answer_for_ever(pause=0.02 if failure is Failure.DRIP else 0.0)
        elif isinstance(failure, int):
            self._answer(failure, "{}")
        else:
            self._answer_sbd()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def _answer_sbd(self) -> None:
        parts = urlsplit(self.path)
        versions = self.server.documents.get(parts.path.removeprefix(f"{BASE_PATH}/sbds/"), {})
        wanted = parse_qs(parts.query).get("version")
        version = int(wanted[0]) if wanted and self.server.knows_versions else max(versions, default=0)
        if version in versions:
            self._answer(200, versions[version])
        else:
            self._answer(404, '{"detail": "not found"}')

    def _answer_for_ever(self, pause: float) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while not select([self.connection], [], [], pause)[0]:
                self.wfile.write(b" " if pause else b" " * 1_000_000)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_oda_server() -> Iterator[OdaServer]:
    """Serve as long as the context lasts."""
    with OdaServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
