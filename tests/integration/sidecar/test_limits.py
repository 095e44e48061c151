"""What has an end, though the other side has none: requests, answers of the device, silence."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.support.oet_stack import OetStack
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
        async with _served(Settings(device=stack.device, heartbeat=0.1)) as port:
            client = await SseClient(port).open()
            async with asyncio.timeout(10):
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
        settings = Settings(device="tango://127.0.0.1:1/mid-oet/controller/01", heartbeat=0.1)
        async with _served(settings) as port:
            client = await SseClient(port, last_event_id).open()
            async with asyncio.timeout(10):
                while len(client.comments) < 2:
                    await client.read()
            await client.close()
            return client.comments

    assert all("does not answer" in comment for comment in asyncio.run(listen()))


def test_a_stream_that_cannot_know_where_to_begin_is_alive_too(
    stack: OetStack, controller: ServerProcess
) -> None:
    async def listen() -> list[str]:
        settings = Settings(device=stack.device, tango_timeout=0.3, heartbeat=0.1)
        async with _served(settings) as port:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=10) as http:
                await http.post("/procedures", json={"script_uri": stack.uri("hold")})
            with controller.hanging():
                # Whether there is such an event, only the device can tell.
                client = await SseClient(port, last_event_id=1_000_000).open()
                async with asyncio.timeout(10):
                    while len(client.comments) < 3:
                        await client.read()
            async with asyncio.timeout(10):
                while not client.ids:
                    await client.read()
            await client.close()
            assert client.ids[0] == 1
            return client.comments

    comments = asyncio.run(listen())
    assert comments.count("the controller has begun to number its events anew") == 1


def test_a_device_that_hangs_is_a_timeout(stack: OetStack, controller: ServerProcess) -> None:
    async def ask() -> list[httpx.Response]:
        async with (
            _served(Settings(device=stack.device, tango_timeout=0.5)) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=10) as http,
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
            _served(Settings(device=stack.device, tango_timeout=3, figures_timeout=0.2)) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=2) as http,
        ):
            assert (await http.get("/readyz")).status_code == 200
            with controller.hanging():
                return await http.get("/metrics")

    assert "oet_controller_up 0.0" in asyncio.run(ask()).text


def test_a_request_that_does_not_arrive_is_not_waited_for(stack: OetStack) -> None:
    async def ask() -> bytes:
        async with _served(Settings(device=stack.device, body_timeout=0.2)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST {API}/procedures HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
            async with asyncio.timeout(10):
                answer = await reader.readuntil(b"}")
            writer.close()
            await writer.wait_closed()
            return answer

    answer = asyncio.run(ask())
    assert b" 408 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "RequestTimeout"
