"""The event stream: live, from a number on, for many at a time, and for those who do not read."""

import asyncio
import json
import socket
import time
from contextlib import ExitStack
from typing import Any

import httpx
import psutil
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import PATIENCE, wait_until
from tests.support.sse_client import SseClient

BURST = 20_000
STREAMS = 200
DEAF = 20
LONG = 60
"""Long events, more than the controller answers at a time."""


async def _run_burst(rest: Sidecar, stack: OetStack, count: int, size: int = 0) -> int:
    """Start a script that publishes many events; return the number of its procedure."""
    procedure = await asyncio.to_thread(rest.create, stack.uri("burst"), count=count, size=size)
    await asyncio.to_thread(rest.start, procedure["id"])
    return int(procedure["id"])


def test_a_stream_is_what_the_contract_says(rest: Sidecar, stack: OetStack) -> None:
    with rest.http.stream("GET", "/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == ""
        rest.http.post("/procedures", json={"script_uri": stack.uri("hold")})
        for line in lines:
            if "procedure.lifecycle.created" in line:
                break
        assert line.startswith("data:{")
        event = json.loads(line.removeprefix("data:"))
        assert next(lines) == f"id:{event['seq']}"
        assert next(lines) == ""
    assert event["msg_src"] == str(event["result"]["id"])
    assert event["result"]["script"]["script_uri"] == stack.uri("hold")
    assert event["result"]["script_args"]["init"] == {"args": [], "kwargs": {}}
    assert isinstance(event["time"], float)


def test_a_burst_arrives_whole(rest: Sidecar, stack: OetStack) -> None:
    async def receive() -> SseClient:
        client = await SseClient(rest.port).open()
        await _run_burst(rest, stack, BURST)
        await client.read_until("procedure.lifecycle.complete")
        await client.close()
        return client

    client = asyncio.run(receive())
    assert client.is_gapless
    assert sum(event["topic"] == "user.script.announce" for event in client.events) == BURST


def test_what_happened_before_is_replayed_then_follows_what_happens(rest: Sidecar, stack: OetStack) -> None:
    async def receive() -> tuple[SseClient, SseClient]:
        first = await SseClient(rest.port).open()
        await _run_burst(rest, stack, 5000)
        await first.read_until("procedure.lifecycle.complete")
        # It comes back while there is much to send that it has missed.
        await _run_burst(rest, stack, 5000)
        second = await SseClient(rest.port, last_event_id=first.ids[100]).open()
        await second.read_until("procedure.lifecycle.complete")
        await second.read_until("procedure.lifecycle.complete")
        await asyncio.gather(first.close(), second.close())
        return first, second

    first, second = asyncio.run(receive())
    assert second.is_gapless
    assert second.ids[0] == first.ids[101]
    assert second.events[: len(first.events) - 101] == first.events[101:]


def test_long_events_that_a_client_has_missed_arrive(stack: OetStack) -> None:
    async def receive(rest: Sidecar, last_event_id: int | None) -> SseClient:
        client = await SseClient(rest.port, last_event_id).open()
        if last_event_id is None:
            await _run_burst(rest, stack, LONG, size=900_000)
        await client.read_until("procedure.lifecycle.complete")
        await client.close()
        return client

    with sidecar(stack.tango_host) as rest:
        before = asyncio.run(receive(rest, None))
    # One that has heard of none of them.
    with sidecar(stack.tango_host) as rest:
        after = asyncio.run(receive(rest, before.ids[0]))
    assert after.ids == before.ids[1:]


def test_an_id_that_no_event_ever_had_is_no_obstacle(rest: Sidecar, stack: OetStack) -> None:
    for header in ("1605017762.46912", "", "-5", "9" * 30):
        with rest.http.stream("GET", "/stream", headers={"Last-Event-ID": header}) as stream:
            assert stream.status_code == 200
            lines = stream.iter_lines()
            # First its place, for a client that is cut off before there is an event.
            assert next(lines) == ""
            place = int(next(lines).removeprefix("id:"))
            assert next(lines) == ""
            rest.http.post("/procedures", json={"script_uri": stack.uri("hold")})
            # On a slow machine, there is a heartbeat before: a comment, and an empty line.
            assert next(line for line in lines if line.strip(":")).startswith("data:")
            assert next(lines) == f"id:{place + 1}"


def test_an_id_from_another_numbering_brings_everything(rest: Sidecar) -> None:
    with rest.http.stream("GET", "/stream", headers={"Last-Event-ID": "1000000000"}) as stream:
        lines = stream.iter_lines()
        assert [next(lines) for _ in range(2)][1].startswith(": the controller has restarted the numbering")
        assert next(line for line in lines if line.startswith("id:")) == "id:1"


def test_many_streams_slow_nobody(rest: Sidecar, stack: OetStack) -> None:
    durations: list[float] = []

    async def receive() -> list[SseClient]:
        clients = await asyncio.gather(*(SseClient(rest.port).open() for _ in range(STREAMS)))
        try:
            await read(clients)
        finally:
            await asyncio.gather(*(client.close() for client in clients))
        return clients

    def look(procedure_id: int, reading: asyncio.Future[Any]) -> None:
        with httpx.Client(base_url=rest.url, timeout=PATIENCE) as http:
            while not reading.done():
                began = time.perf_counter()
                assert http.get(f"/procedures/{procedure_id}").status_code == 200
                durations.append(time.perf_counter() - began)

    async def read(clients: list[SseClient]) -> None:
        reading = asyncio.gather(*(client.read_until("procedure.lifecycle.complete") for client in clients))
        procedure_id = await _run_burst(rest, stack, 300)
        # In a thread: the readers occupy this loop for seconds, and the server closes a connection without
        # a request.
        await asyncio.to_thread(look, procedure_id, reading)
        await reading
        assert rest.figures()["oet_event_streams"] == STREAMS

    clients = asyncio.run(receive())
    assert all(client.is_gapless for client in clients)
    assert len({tuple(client.ids[-300:]) for client in clients}) == 1
    assert durations


def test_streams_that_are_never_read_are_dropped_and_hold_nobody_up(stack: OetStack) -> None:
    async def receive(rest: Sidecar) -> SseClient:
        client = await SseClient(rest.port).open()
        await _run_burst(rest, stack, 8000, size=5000)
        await client.read_until("procedure.lifecycle.complete")
        await client.close()
        return client

    with sidecar(stack.tango_host, "--max-lag", "4000") as rest, ExitStack() as connections:
        for _ in range(DEAF):
            deaf = connections.enter_context(socket.create_connection(("127.0.0.1", rest.port)))
            deaf.sendall(b"GET /api/v1.0/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            deaf.recv(1)
        client = asyncio.run(receive(rest))
        # Their clients have not left, and have not read.
        rest.process.wait_for_output("dropped because its reader is too slow")
        figures = rest.figures()
        memory = psutil.Process(rest.process.pid).memory_info().rss
        # To drop a stream is not an error of the service.
        assert " ERROR " not in rest.process.output
    assert client.is_gapless
    assert figures["oet_event_streams_dropped_total"] == DEAF
    assert figures["oet_event_streams"] == 0
    # Had each of them kept what was sent, that would have been 40 MB each.
    assert memory < 40_000_000 * DEAF


def test_a_client_that_leaves_is_forgotten(rest: Sidecar) -> None:
    async def come_and_go() -> None:
        client = await SseClient(rest.port).open()
        await client.close()

    asyncio.run(come_and_go())
    wait_until(lambda: rest.figures()["oet_event_streams"] == 0, "the client is forgotten")
