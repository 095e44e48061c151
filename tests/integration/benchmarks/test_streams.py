"""The clients of event streams: what they count must have come, each event once and in order."""

import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from tests.benchmarks.stack.arrivals import EventsLostError
from tests.benchmarks.stack.stamp import stamp_of, stamped
from tests.benchmarks.stack.streams import Streams
from tests.benchmarks.stack.trigger import Trigger

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\n"

_IN_FUTURE = f"@{2**62:020d}"


def event(number: int, message: str) -> bytes:
    return f'data:{{"msg":"{message}"}}\nid:{number}\n\n'.encode()


@contextmanager
def served(*streams: Iterable[bytes]) -> Iterator[int]:
    """Send each client the pieces of a stream, and wait until all have left; the port is returned.

    :param streams: one for each client, in the order in which they come
    """

    def serve(listener: socket.socket) -> None:
        for pieces in streams:
            connection, _ = listener.accept()
            connections.append(connection)
            connection.recv(1000)
            connection.sendall(HEAD)
            # A client leaves when it has seen what it waits for, perhaps before the rest was sent.
            with suppress(ConnectionError):
                for piece in pieces:
                    connection.sendall(piece)
        for connection in connections:
            with connection, suppress(ConnectionError):
                connection.recv(1000)

    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        yield listener.getsockname()[1]
        server.join()


def test_events_are_taken_as_they_come_in_pieces_between_others() -> None:
    stamps = [stamped(30) for _ in range(3)]
    stream = b":\n\n" + event(7, "a state") + b"".join(event(8 + n, stamp) for n, stamp in enumerate(stamps))
    pieces = [stream[begin : begin + 11] for begin in range(0, len(stream), 11)]
    with served(pieces) as port, Streams(port, "/stream") as client:
        assert stamp_of(client.burst(3).text) == stamp_of(stamps[0])


def test_every_client_must_have_all_of_a_burst_in_order() -> None:
    first, second, third = (event(number, stamped(30)) for number in (1, 2, 3))
    with served([first, second], [first, second]) as port, Streams(port, "/stream", clients=2) as clients:
        clients.burst(2)
    with (
        served([first, second], [first, third]) as port,
        Streams(port, "/stream", clients=2) as clients,
        pytest.raises(EventsLostError, match="event 2 was to come"),
    ):
        clients.burst(2)


def test_what_was_published_before_is_not_counted(tmp_path: Path) -> None:
    settled = threading.Event()

    def stream() -> Iterator[bytes]:
        yield from (event(number, stamped(30)) for number in range(1, 4))
        yield event(4, _IN_FUTURE)
        settled.wait()
        yield event(5, stamped(30))

    with (
        closing(Trigger(tmp_path / "trigger")) as trigger,
        served(stream()) as port,
        Streams(port, "/stream") as client,
    ):
        client.settle(trigger)
        settled.set()
        client.burst(1)


@pytest.mark.parametrize("numbers", [(1, 3), (2, 1), (1, 1)], ids=["lost", "out of order", "twice"])
def test_events_that_do_not_follow_each_other_are_an_error(numbers: Sequence[int]) -> None:
    pieces = [event(number, stamped(30)) for number in numbers]
    with (
        served(pieces) as port,
        Streams(port, "/stream") as client,
        pytest.raises(EventsLostError, match="was to come"),
    ):
        client.burst(2)
