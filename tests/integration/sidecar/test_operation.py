"""What those who run the service see of it."""

import asyncio
import re
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.sse_client import SseClient

STREAMS = 150


def _figures(rest: Sidecar) -> dict[str, float]:
    text = httpx.get(f"{rest.root}/metrics").text
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}


def test_probes(rest: Sidecar) -> None:
    for probe in ("healthz", "readyz", "healthz/", "readyz/"):
        assert httpx.get(f"{rest.root}/{probe}").status_code == 200


def test_figures_tell_what_goes_on(rest: Sidecar, stack: OetStack) -> None:
    before = _figures(rest)
    rest.create(stack.uri("hold"))
    after = _figures(rest)
    assert after["oet_controller_up"] == 1
    assert after["process_resident_memory_bytes"] > 0
    assert after['oet_procedures{state="READY"}'] == before['oet_procedures{state="READY"}'] + 1
    assert after["oet_events_total"] >= before["oet_events_total"] + 5
    call = 'oet_tango_call_seconds_count{call="Create"}'
    assert after[call] == before.get(call, 0) + 1
    assert rest.http.post("/procedures", json={"script_uri": "file:///etc/passwd"}).status_code == 400
    assert any("InvalidRequestError" in name for name in _figures(rest))


def test_there_may_be_more_streams_than_files_that_a_shell_allows(stack: OetStack) -> None:
    async def listen(rest: Sidecar) -> None:
        clients = [await SseClient(rest.port).open() for _ in range(STREAMS)]
        assert httpx.get(f"{rest.root}/readyz").status_code == 200
        await asyncio.gather(*(client.close() for client in clients))

    with ExitStack() as exits:
        with _few_files_for_children():
            rest = exits.enter_context(sidecar(stack.tango_host))
        asyncio.run(listen(rest))


@contextmanager
def _few_files_for_children() -> Iterator[None]:
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (STREAMS, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
