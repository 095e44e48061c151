"""Sidecar and device come and go independently, and no client loses an event by it."""

import asyncio
import itertools
import re

from tests.support import patient_http
from tests.support.oet_stack import DEVICE, OetStack, Sidecar, sidecar
from tests.support.patience import PATIENCE, wait_until
from tests.support.processes import ServerProcess
from tests.support.sse_client import SseClient
from tests.support.tango_stack import database


def _burst(rest: Sidecar, stack: OetStack, count: int) -> None:
    rest.start(rest.create(stack.uri("burst"), count=count)["id"])


def _wait_until_ready(rest: Sidecar) -> None:
    def ready() -> bool:
        answer = patient_http.get(f"{rest.root}/readyz")
        assert answer.status_code in {200, 503}
        return answer.status_code == 200

    wait_until(ready, "the sidecar is ready", seen=lambda: patient_http.get(f"{rest.root}/readyz").text)


def test_a_restart_of_the_sidecar_costs_no_event(stack: OetStack) -> None:
    async def read(rest: Sidecar, last_event_id: int | None) -> SseClient:
        client = await SseClient(rest.port, last_event_id).open()
        reading = asyncio.create_task(client.read_until("procedure.lifecycle.complete"))
        await asyncio.to_thread(_burst, rest, stack, 2000)
        await reading
        return client

    async def leave_and_come_back() -> tuple[SseClient, SseClient]:
        with sidecar(stack.tango_host) as rest:
            port = str(rest.port)
            before = await read(rest, None)
            # What happens now is sent to nobody: the client is still there, and reads no more.
            await asyncio.to_thread(_burst, rest, stack, 1000)
            await asyncio.to_thread(rest.process.kill)
        with sidecar(stack.tango_host, "--port", port) as rest:
            after = await read(rest, before.ids[-1])
            await after.read_until("procedure.lifecycle.complete")
            await asyncio.gather(before.close(), after.close())
        return before, after

    before, after = asyncio.run(leave_and_come_back())
    assert before.is_gapless
    assert after.is_gapless
    assert after.ids[0] == before.ids[-1] + 1
    assert sum(event["topic"] == "user.script.announce" for event in after.events) == 3000


def test_clients_may_move_from_one_sidecar_to_another(stack: OetStack) -> None:
    async def move_about(sidecars: list[Sidecar]) -> list[int]:
        seen: list[int] = []
        client = await SseClient(sidecars[0].port).open()
        publishing = asyncio.create_task(asyncio.to_thread(_burst, sidecars[0], stack, 5000))
        for rest in itertools.cycle(sidecars):
            async with asyncio.timeout(PATIENCE):
                # A few at a time: the next sidecar may be ahead of what was read here, or behind.
                while len(client.ids) < 500 and not client.has_read("procedure.lifecycle.complete"):
                    await client.read()
            seen += client.ids
            await client.close()
            if client.has_read("procedure.lifecycle.complete"):
                break
            client = await SseClient(rest.port, seen[-1]).open()
        await publishing
        return seen

    with sidecar(stack.tango_host) as first, sidecar(stack.tango_host) as second:
        seen = asyncio.run(move_about([first, second]))
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert len(seen) > 5000


def test_a_device_that_comes_late_and_is_killed_and_started_again(own_stack: OetStack) -> None:
    async def watch(rest: Sidecar, controller: ServerProcess) -> SseClient:
        client = await SseClient(rest.port).open()
        held = await asyncio.to_thread(rest.create, own_stack.uri("hold"))
        await asyncio.to_thread(rest.start, held["id"])
        await client.read_until("procedure.lifecycle.started")
        await asyncio.to_thread(controller.kill)
        assert rest.http.get("/procedures").status_code == 503
        with own_stack.controller():
            # The first report of the new server is that the procedure which was alive is UNKNOWN.
            while not any(event.get("new_state") == "UNKNOWN" for event in client.events):
                await client.read_until("procedure.lifecycle.statechange")
            await asyncio.to_thread(_wait_until_ready, rest)
            await asyncio.to_thread(_burst, rest, own_stack, 3000)
            await client.read_until("procedure.lifecycle.complete")
            await read_late()
            states = [procedure["state"] for procedure in rest.http.get("/procedures").json()["procedures"]]
        await client.close()
        assert states == ["UNKNOWN", "COMPLETE"]
        return client

    async def read_late() -> None:
        """Some missed events are no longer kept: the client is notified, and gets the rest."""
        with sidecar(own_stack.tango_host) as another:
            late = await SseClient(another.port, last_event_id=1).open()
            await late.read_until("procedure.lifecycle.complete")
            await late.close()
        assert late.comments == [f"events 2 to {late.ids[0] - 1} are no longer kept"]
        assert late.is_gapless

    database(own_stack.tango_host).put_device_property(DEVICE, {"EventRetention": ["200"]})
    with sidecar(own_stack.tango_host) as rest:
        assert rest.http.get("/procedures").status_code == 503
        with own_stack.controller() as controller:
            _wait_until_ready(rest)
            assert rest.http.get("/procedures").json() == {"procedures": []}
            client = asyncio.run(watch(rest, controller))
    # The service misses events that Tango drops and the controller no longer keeps: streams get their
    # numbers.
    reported = [re.fullmatch(r"events (\d+) to (\d+) are no longer kept", text) for text in client.comments]
    lost = [number for match in reported if match for number in range(int(match[1]), int(match[2]) + 1)]
    assert sorted(client.ids + lost) == list(range(client.ids[0], client.ids[-1] + 1))
    assert client.ids == sorted(client.ids) == [event["seq"] for event in client.events]


def test_whoever_waits_until_the_service_is_ready_misses_no_event(own_stack: OetStack) -> None:
    """The service, which was there first, looks for the device now and then only."""

    async def first_event(rest: Sidecar) -> str:
        client = await SseClient(rest.port).open()
        await asyncio.to_thread(rest.http.post, "/procedures", json={"script_uri": own_stack.uri("hold")})
        await client.read_until("procedure.lifecycle.created")
        await client.close()
        topic: str = client.events[0]["topic"]
        await client.close()
        return topic

    with sidecar(own_stack.tango_host) as rest, own_stack.controller():
        _wait_until_ready(rest)
        assert asyncio.run(first_event(rest)) == "request.procedure.create"
