"""The sockets of the contract server: requests in, JSON and server-sent events out."""

import copy
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.support.patience import PATIENCE, wait_until

BASE = "/api/v1.0"


class Answer(NamedTuple):
    """Answer to a request."""

    status: int
    body: Any
    """JSON, or text to send as it is."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Recorded:
    """A request that was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class EventLog:
    """All events so far, and the streams that send them.

    :ivar heartbeat: how long a stream is silent before it sends a comment, in seconds
    :ivar comment: what it says then
    :ivar mute_next: the next stream goes silent after its first byte, as if its host had lost power
    """

    def __init__(self) -> None:
        self.heartbeat = 15.0
        self.comment = ""
        self.mute_next = False
        self._changed = threading.Condition()
        self._events: list[str] = []
        self._open = 0
        self._cuts = 0

    def append(self, fields: dict[str, Any]) -> int:
        """Number an event, and have it sent."""
        with self._changed:
            return self.append_text(json.dumps({**fields, "seq": len(self._events) + 1, "time": time.time()}))

    def append_text(self, text: str) -> int:
        """Have a text sent as an event, whatever it is."""
        with self._changed:
            self._events.append(text)
            self._changed.notify_all()
            return len(self._events)

    def cut(self) -> None:
        """Break all streams as they are."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    def wait_for_streams(self, count: int) -> None:
        """Wait until this many streams are open."""
        wait_until(lambda: self._open == count, f"{count} streams", self._changed, lambda: self._open)

    def send(self, write: Callable[[bytes], Any], last_id: str | None) -> None:
        """Send what comes after an event, or after now, until the stream is cut."""
        with self._changed:
            sent = len(self._events) if last_id is None else int(last_id)
            cuts = self._cuts
            mute, self.mute_next = self.mute_next, False
            self._open += 1
            self._changed.notify_all()
        try:
            write(b"\n")
            while self._wait_for_news(sent, cuts):
                text = self._text_after(sent)
                sent = max(sent, len(self._events)) if text else sent
                if not mute:
                    write((text or f":{self.comment}\n\n").encode())
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _wait_for_news(self, sent: int, cuts: int) -> bool:
        """Wait for an event, for a cut or for the time of a heartbeat. False if the stream was cut."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) > sent or self._cuts > cuts, self.heartbeat)
            return self._cuts == cuts

    def _text_after(self, sent: int) -> str:
        events = enumerate(self._events[sent:], start=sent + 1)
        return "".join(f"data:{text}\nid:{seq}\n\n" for seq, text in events)


class ContractHttpServer:
    """Serves HTTP on a free port of the loopback interface.

    :param answer: gives the answer to a method, path and JSON body
    :param events: what ``/stream`` sends
    """

    def __init__(self, answer: Callable[[str, str, Any], Answer], events: EventLog) -> None:
        self.answer = answer
        self.events = events
        self.requests: list[Recorded] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # so that closing waits for them
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{BASE}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """End all streams, then the server and its threads."""
        self._server.shutdown()
        self.events.cut()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
                """Be silent: tests look at what was recorded."""

            def do_GET(self) -> None:
                owner.serve(self)

            def do_POST(self) -> None:
                owner.serve(self)

            def do_PUT(self) -> None:
                owner.serve(self)

        return Handler

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, and close its connection."""
        handler.close_connection = True
        text = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = json.loads(text) if text else None
        path = handler.path.removeprefix(BASE)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append(Recorded(handler.command, path, headers, copy.deepcopy(body)))
        if not handler.path.startswith(BASE):
            self._reply(handler, Answer(200, "<html>This is not an API</html>"))
        elif path == "/stream":
            self._stream(handler)
        else:
            self._reply(handler, self.answer(handler.command, path, body))

    def _reply(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        handler.send_response(answer.status)
        handler.send_header(
            "Content-Type", "text/html" if isinstance(answer.body, str) else "application/json"
        )
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.send_header("Connection", "close")
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text.encode())

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()

        def write(data: bytes) -> None:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        with suppress(OSError):  # the client has gone
            self.events.send(write, handler.headers.get("Last-Event-ID"))
