"""A sidecar that has as many connections as its descriptors allow."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import PATIENCE, wait_until
from tests.support.processes import ServerProcess

from ska_oso_oet.sidecar.settings import API

PROBES = ("/healthz", "/readyz", "/metrics")


@contextmanager
def sidecar_with(tango_host: str, descriptors: int) -> Iterator[Sidecar]:
    """Run a sidecar that may have so many files open."""
    limit = ["prlimit", f"--nofile={descriptors}:{descriptors}"]
    command = [*limit, sys.executable, "-m", "ska_oso_oet.sidecar", "--port", "0"]
    process = ServerProcess(command, {"TANGO_HOST": tango_host})
    try:
        running = Sidecar(process)
        yield running
        running.http.close()
    finally:
        process.stop()


def connected(rest: Sidecar, opened: ExitStack, request: bytes = b"") -> socket.socket:
    """Connect, send something, and stay."""
    client = opened.enter_context(socket.create_connection(("127.0.0.1", rest.port), PATIENCE))
    client.sendall(request)
    return client


def status(client: socket.socket) -> bytes:
    """Return the status of the answer; empty if the connection was closed without one."""
    try:
        return client.recv(12)[9:]
    except ConnectionError:
        return b""


def ask(rest: Sidecar, path: str) -> httpx.Response:
    """Send a request on a connection of its own."""
    return patient_http.get(f"{rest.root}{path}")


STREAM = f"GET {API}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def test_streams_are_refused_while_there_are_descriptors_for_probes(stack: OetStack) -> None:
    with sidecar_with(stack.tango_host, 160) as rest:
        with ExitStack() as opened:
            answers = [status(connected(rest, opened, STREAM)) for _ in range(200)]
            served = answers.index(b"503")
            assert 50 < served < 160
            assert set(answers[:served]) == {b"200"}
            assert set(answers[served:]) == {b"503"}
            with ExitStack() as idle:
                # Those who say nothing keep nobody out.
                for _ in range(100):
                    connected(rest, idle)
                assert [ask(rest, path).status_code for path in PROBES] == [200, 200, 200]
            refusal = ask(rest, f"{API}/procedures")
            assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "5")
            assert "as many connections as it can serve" in refusal.json()["Message"]
            assert rest.figures()["oet_event_streams"] == served
        wait_until(lambda: ask(rest, f"{API}/procedures").status_code == 200, "there is room again")
        assert rest.process.output.count("connections: all requests except probes are refused") == 1
        assert len(rest.process.output.splitlines()) < served + 20  # a line for each stream that was served


@pytest.mark.parametrize(
    "request_", [b"", b"GET /healthz HTTP/1.1\r\nHost: "], ids=["nothing", "half a head"]
)
def test_connections_without_a_request_keep_nobody_out(stack: OetStack, request_: bytes) -> None:
    with sidecar_with(stack.tango_host, 160) as rest, ExitStack() as opened:
        for _ in range(300):
            connected(rest, opened, request_)
        assert [ask(rest, path).status_code for path in PROBES] == [200, 200, 200]
        assert len(rest.process.output.splitlines()) < 20


def test_a_service_without_descriptors_logs_that_once_and_goes_on(stack: OetStack) -> None:
    # So few that its own files and Tango clients take what is kept for probes.
    with sidecar_with(stack.tango_host, 40) as rest:
        with ExitStack() as opened:
            for _ in range(60):
                connected(rest, opened, STREAM)
            rest.process.wait_for_output("Connections cannot be accepted at present: .*Too many open files")
        wait_until(lambda: ask(rest, "/healthz").status_code == 200, "it accepts connections again")
        assert rest.process.output.count("Connections cannot be accepted") == 1
        assert len(rest.process.output.splitlines()) < 100
