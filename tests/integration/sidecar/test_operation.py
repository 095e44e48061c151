"""The service for its operators."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support import patient_http
from tests.support.oet_stack import DEVICE, OetStack, Sidecar, sidecar
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess
from tests.support.sse_client import SseClient
from tests.support.tango_stack import database

STREAMS = 150


def test_probes(rest: Sidecar) -> None:
    for probe in ("healthz", "readyz", "healthz/", "readyz/"):
        assert patient_http.get(f"{rest.root}/{probe}").status_code == 200


def _not_ready(rest: Sidecar, state: str, *reported: str) -> None:
    """Check that probe, figures, list and status agree on a controller that cannot be used."""
    answer = patient_http.get(f"{rest.root}/readyz")
    assert answer.status_code == 503
    body = answer.json()
    (controller,) = body["controllers"]
    assert (controller["state"], controller["ready"], controller["available"]) == (state, False, True)
    assert body["Message"] == controller["reason"]
    status = rest.http.get("/status").json()
    assert status["state"] == state
    for words in reported:
        assert words in body["Message"]
        assert words in status["status"]
    assert rest.figures()["oet_controller_up"] == 0
    # It can be reached, to bring it back.
    assert rest.http.get("/subarrays").json()[0]["available"] is True
    assert patient_http.get(f"{rest.root}/healthz").status_code == 200


def test_it_is_not_ready_while_the_controller_is_switched_off(rest: Sidecar) -> None:
    rest.http.put("/admin_mode", json={"admin_mode": "OFFLINE"})
    try:
        _not_ready(rest, "DISABLE", "Nothing can be created or started", "adminMode")
    finally:
        rest.http.put("/admin_mode", json={"admin_mode": "ONLINE"})
    assert patient_http.get(f"{rest.root}/readyz").json()["controllers"][0]["state"] == "ON"
    assert rest.figures()["oet_controller_up"] == 1


def test_it_is_not_ready_while_the_controller_is_in_fault(rest: Sidecar, stack: OetStack) -> None:
    right = database(stack.tango_host).get_device_property(DEVICE, "ScriptRoots")
    database(stack.tango_host).put_device_property(DEVICE, {"ScriptRoots": ["/no/such/folder"]})
    try:
        assert rest.http.post("/reset").status_code == 409
        _not_ready(rest, "FAULT", "/no/such/folder", "send Reset")
    finally:
        database(stack.tango_host).put_device_property(DEVICE, right)
        rest.http.post("/reset")
    assert patient_http.get(f"{rest.root}/readyz").status_code == 200


def test_it_is_not_ready_while_the_controller_hangs(
    rest: Sidecar, stack: OetStack, controller: ServerProcess
) -> None:
    with controller.hanging():
        answer = patient_http.get(f"{rest.root}/readyz")
        assert patient_http.get(f"{rest.root}/healthz").status_code == 200
    assert (answer.status_code, answer.json()["controllers"][0]["available"]) == (503, False)
    assert f"{DEVICE} did not answer" in answer.json()["Message"]


def test_figures_tell_what_goes_on(rest: Sidecar, stack: OetStack) -> None:
    before = rest.figures()
    rest.create(stack.uri("hold"))
    after = rest.figures()
    assert after["oet_controller_up"] == 1
    assert after["process_resident_memory_bytes"] > 0
    assert after["oet_procedures_ready"] == before["oet_procedures_ready"] + 1
    ready = 'oet_procedure_duration_seconds_count{part="ready"}'
    assert after[ready] == before[ready] + 1
    assert after["oet_controller_events_total"] >= before["oet_controller_events_total"] + 5
    received = before["oet_events_total"] + 5
    wait_until(lambda: rest.figures()["oet_events_total"] >= received, "events of the procedure")
    call = 'oet_tango_call_seconds_count{call="Create"}'
    assert after[call] == before.get(call, 0) + 1
    assert rest.http.post("/procedures", json={"script_uri": "file:///etc/passwd"}).status_code == 400
    assert any("InvalidRequestError" in name for name in rest.figures())


def test_there_may_be_more_streams_than_files_that_a_shell_allows(stack: OetStack) -> None:
    async def listen(rest: Sidecar) -> None:
        clients = [await SseClient(rest.port).open() for _ in range(STREAMS)]
        assert patient_http.get(f"{rest.root}/readyz").status_code == 200
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
