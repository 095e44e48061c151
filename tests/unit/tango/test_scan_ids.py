"""Scan IDs: unique whoever asks, or a refusal that says what to do."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import ska_oso_oet.tango
from ska_oso_oet.tango import (
    LocalScanIdGenerator,
    RemoteScanIdGenerator,
    ScanIdError,
    scan_id_generator,
)

DRAW_MANY = (
    "from ska_oso_oet.tango import SCAN_ID_GENERATOR\n"
    "for _ in range(100): print(SCAN_ID_GENERATOR.next(), flush=True)\n"
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OET_SCAN_ID_FILE", "SKUID_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def scan_id_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scan-id"
    monkeypatch.setenv("OET_SCAN_ID_FILE", str(path))
    return path


def test_counts_from_the_start() -> None:
    generator = LocalScanIdGenerator(start=5)
    assert [generator.next(), generator.next()] == [5, 6]
    assert generator.value == 6


def test_the_current_id_is_one_that_nobody_else_has(scan_id_file: Path) -> None:
    first, second = LocalScanIdGenerator(), LocalScanIdGenerator()
    assert [first.value, first.value, second.value] == [1, 1, 2]


def test_unique_across_scripts_and_restarts(scan_id_file: Path) -> None:
    scripts = [
        subprocess.Popen([sys.executable, "-c", DRAW_MANY], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    numbers = [int(line) for script in scripts for line in script.communicate(timeout=30)[0].split()]
    numbers.append(LocalScanIdGenerator().next())
    assert sorted(numbers) == list(range(1, 302))


def test_unique_across_threads(scan_id_file: Path) -> None:
    shared = LocalScanIdGenerator()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda own: (own or shared).next(), [None, LocalScanIdGenerator()] * 50))
    assert sorted(numbers) == list(range(1, 101))


def test_a_script_killed_while_it_counts_harms_nobody(scan_id_file: Path) -> None:
    script = DRAW_MANY.replace("range(100)", "iter(int, 1)")
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    assert process.stdout.readline() == "2\n"
    process.send_signal(signal.SIGKILL)
    written = [2, *map(int, process.communicate(timeout=10)[0].split("\n")[:-1])]
    assert LocalScanIdGenerator().next() > written[-1]


def test_the_file_outranks_a_smaller_start(scan_id_file: Path) -> None:
    scan_id_file.write_text("41\n")
    assert LocalScanIdGenerator(start=1).next() == 42
    assert LocalScanIdGenerator(start=100).next() == 100
    assert LocalScanIdGenerator(start=1).next() == 101


def test_a_damaged_file_is_refused_rather_than_counted_from_one(scan_id_file: Path) -> None:
    scan_id_file.write_text("not a number")
    with pytest.raises(ScanIdError, match="greater than any scan ID used so far"):
        LocalScanIdGenerator().next()
    assert scan_id_file.read_text() == "not a number"


def test_a_file_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OET_SCAN_ID_FILE", str(tmp_path / "missing" / "scan-id"))
    with pytest.raises(ScanIdError, match="in a folder that exists"):
        LocalScanIdGenerator().next()


class Skuid(ThreadingHTTPServer):
    """A SKUID service whose answers a test sets."""

    status = 200
    body = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SkuidHandler)

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_port}"


class SkuidHandler(BaseHTTPRequestHandler):
    """Answers requests to it."""

    server: Skuid

    def do_GET(self) -> None:
        """Answer the one path that SKUID has for scan IDs."""
        known = self.path == "/skuid/ska_scan_id"
        self.send_response(self.server.status if known else 404)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def skuid() -> Iterator[Skuid]:
    with Skuid() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [json.dumps(json.dumps({"scan_id": 12})), json.dumps({"scan_id": 12}), "12", '"12"'],
    ids=["encoded twice", "encoded once", "bare", "bare, encoded twice"],
)
def test_reads_every_form_of_the_answer(skuid: Skuid, body: str) -> None:
    skuid.body = body.encode()
    generator = RemoteScanIdGenerator(skuid.address)
    assert (generator.next(), generator.value) == (12, 12)


@pytest.mark.parametrize("address", ["http://{}", "http://{}/"])
def test_an_address_may_be_a_url(skuid: Skuid, address: str) -> None:
    skuid.body = b'{"scan_id": 3}'
    assert RemoteScanIdGenerator(address.format(skuid.address)).next() == 3


@pytest.mark.parametrize(
    "body", ["", "<html>", "{}", '{"scan_id": "x"}', '{"scan_id": -1}', "true", str(2**48 + 1)]
)
def test_an_answer_without_a_scan_id(skuid: Skuid, body: str) -> None:
    skuid.body = body.encode()
    with pytest.raises(ScanIdError, match="holds no scan ID"):
        RemoteScanIdGenerator(skuid.address).next()


def test_a_service_that_fails(skuid: Skuid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skuid, "status", 500)
    with pytest.raises(ScanIdError, match=r"500.*unset it"):
        RemoteScanIdGenerator(skuid.address).next()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "://", "file:///etc"])
def test_a_service_that_is_not_there(address: str) -> None:
    with pytest.raises(ScanIdError, match="see that the service runs"):
        RemoteScanIdGenerator(address).next()


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(scan_id_generator(), LocalScanIdGenerator)
    monkeypatch.setenv("SKUID_URL", "skuid:9870")
    assert isinstance(scan_id_generator(), RemoteScanIdGenerator)


def test_the_choice_waits_until_a_script_asks(tmp_path: Path) -> None:
    """The package is imported before a script's environment is set: scripts are forked from there."""
    script = (
        "import os, ska_oso_oet.tango\n"
        f"os.environ['OET_SCAN_ID_FILE'] = {str(tmp_path / 'scan-id')!r}\n"
        "from ska_oso_oet.tango import SCAN_ID_GENERATOR\n"
        "from ska_oso_oet.tango import SCAN_ID_GENERATOR as again\n"
        "print(SCAN_ID_GENERATOR.next(), again.next())\n"
    )
    output = subprocess.check_output([sys.executable, "-c", script], text=True, env=os.environ)
    assert output == "1 2\n"
    assert int((tmp_path / "scan-id").read_text()) == 2


def test_a_misspelt_name_is_missed() -> None:
    with pytest.raises(AttributeError, match="SCAN_ID_GENRATOR"):
        _ = ska_oso_oet.tango.SCAN_ID_GENRATOR
