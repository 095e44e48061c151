"""Limits: of requests, of answers of the device, of silence."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from tests.support.oet_stack import OetStack
from tests.support.patience import PATIENCE, patience
from tests.support.processes import ServerProcess
from tests.support.sse_client import SseClient

from ska_oso_oet.sidecar.server import SidecarServer, bind
from ska_oso_oet.sidecar.settings import API, Settings


@asynccontextmanager
async def _served(settings: Settings) -> AsyncIterator[int]:
    """Serve on the loop of the test, with settings that no option has; yields the port."""
    with bind("127.0.0.1", 0) as listener:
        server = SidecarServer(settings, listener)
        serving = asyncio.create_task(server.serve())
        await server.ready.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            server.stop()
            await serving


def test_a_stream_in_which_nothing_happens_shows_that_it_is_alive(stack: OetStack) -> None:
    async def listen() -> tuple[list[str], list[int]]:
        async with _served(Settings({1: stack.device}, heartbeat=0.1)) as port:
            client = await SseClient(port).open()
            async with asyncio.timeout(PATIENCE):
                while len(client.comments) < 3:
                    await client.read()
            await client.close()
            return client.comments, client.ids

    comments, ids = asyncio.run(listen())
    assert (comments[:3], ids) == (["", "", ""], [])
    assert Settings().heartbeat == 15.0


@pytest.mark.parametrize("last_event_id", [None, 5])
def test_a_stream_that_waits_for_the_device_says_so(last_event_id: int | None) -> None:
    async def listen() -> list[str]:
        settings = Settings({1: "tango://127.0.0.1:1/mid-oet/controller/01"}, heartbeat=0.1)
        async with _served(settings) as port:
            client = await SseClient(port, last_event_id).open()
            async with asyncio.timeout(PATIENCE):
                while len(client.comments) < 2:
                    await client.read()
            await client.close()
            return client.comments

    assert all("does not answer" in comment for comment in asyncio.run(listen()))


def test_a_stream_that_cannot_know_where_to_begin_is_alive_too(
    stack: OetStack, controller: ServerProcess
) -> None:
    async def listen() -> list[str]:
        settings = Settings({1: stack.device}, tango_timeout=0.3, heartbeat=0.1)
        async with _served(settings) as port:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=PATIENCE) as http:
                await http.post("/procedures", json={"script_uri": stack.uri("hold")})
            with controller.hanging():
                # Only the device knows whether there is such an event.
                client = await SseClient(port, last_event_id=1_000_000).open()
                async with asyncio.timeout(PATIENCE):
                    while len(client.comments) < 3:
                        await client.read()
            async with asyncio.timeout(PATIENCE):
                while not client.ids:
                    await client.read()
            await client.close()
            assert client.ids[0] == 1
            return client.comments

    comments = asyncio.run(listen())
    assert comments.count("the controller has restarted the numbering of its events") == 1


def test_a_device_that_hangs_is_a_timeout(stack: OetStack, controller: ServerProcess) -> None:
    async def ask() -> list[httpx.Response]:
        async with (
            _served(Settings({1: stack.device}, tango_timeout=0.5)) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=PATIENCE) as http,
        ):
            assert (await http.get("/procedures")).status_code == 200
            with controller.hanging():
                return [
                    await http.get("/procedures"),
                    await http.post("/procedures", json={"script_uri": stack.uri("hold")}),
                    await http.put("/procedures/1", json={"state": "STOPPED"}),
                ]

    for answer in asyncio.run(ask()):
        assert answer.status_code == 504, answer.text
        assert set(answer.json()) == {"error", "type", "Message"}
        assert "did not answer" in answer.json()["Message"]


def test_figures_come_in_time_though_the_device_hangs(stack: OetStack, controller: ServerProcess) -> None:
    async def ask() -> httpx.Response:
        async with (
            _served(Settings({1: stack.device}, tango_timeout=3, figures_timeout=0.2)) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=patience(2.0)) as http,
        ):
            assert (await http.get("/readyz")).status_code == 200
            with controller.hanging():
                return await http.get("/metrics")

    up = f'oet_controller_up{{device="{stack.device}",subarray="1"}} 0.0'
    assert up in asyncio.run(ask()).text


def test_a_request_that_does_not_arrive_is_not_waited_for(stack: OetStack) -> None:
    async def ask() -> bytes:
        async with _served(Settings({1: stack.device}, body_timeout=0.2)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST {API}/procedures HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
            async with asyncio.timeout(PATIENCE):
                answer = await reader.readuntil(b"}")
            writer.close()
            await writer.wait_closed()
            return answer

    answer = asyncio.run(ask())
    assert b" 408 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "RequestTimeout"


LONG_JSON = "Content-Type: application/json\r\nContent-Length: 100000"


async def _drip(port: int, beginning: str, end: asyncio.Event) -> bytes:
    """Send the beginning of a request, then a byte at a time. Returns what is answered before the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning.encode())

    async def drip() -> None:
        with suppress(ConnectionError):
            while not end.is_set():
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await end.wait()

    dripping = asyncio.create_task(drip())
    answer = b""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionError):
            answer = await reader.read(1 << 16)
        end.set()
        await dripping
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("beginning", "answer"),
    [
        ("", b""),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b""),
        (
            f"POST {API}/procedures HTTP/1.1\r\nHost: localhost\r\n{LONG_JSON}\r\n\r\n",
            b"HTTP/1.1 408",
        ),
    ],
    ids=["nothing", "head", "body"],
)
def test_a_client_that_sends_a_byte_at_a_time_is_cut_off(
    stack: OetStack, beginning: str, answer: bytes
) -> None:
    async def ask() -> bytes:
        settings = Settings({1: stack.device}, head_timeout=0.5, body_timeout=0.5)
        async with _served(settings) as port:
            return await _drip(port, beginning, asyncio.Event())

    assert asyncio.run(ask())[:12] == answer


def test_a_connection_that_is_used_again_is_not_cut_off(stack: OetStack) -> None:
    async def ask() -> list[int]:
        settings = Settings({1: stack.device}, head_timeout=0.2)
        async with (
            _served(settings) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http,
        ):
            client = await SseClient(port).open()
            statuses = [(await http.get("/healthz")).status_code for _ in range(200)]
            assert not client.ended
            await client.close()
            return statuses

    assert set(asyncio.run(ask())) == {200}


@pytest.mark.parametrize(("settings", "wait"), [(Settings(), 6.0), (Settings(idle_timeout=0.2), PATIENCE)])
def test_an_idle_connection_outlives_the_pools_of_clients_but_ends(settings: Settings, wait: float) -> None:
    """A pool that gives a connection up at the same time as the service may use one that is just closed."""

    async def ends() -> bool:
        async with _served(settings) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
                # httpx waits for 5 s, and so does uvicorn unless its configuration differs.
                async with asyncio.timeout(wait):
                    await reader.read()
                return True
            except TimeoutError:
                return False
            finally:
                writer.close()

    assert asyncio.run(ends()) == (settings.idle_timeout < wait)
    assert Settings().idle_timeout > 60, "as long as nginx keeps a connection to a service behind it"
