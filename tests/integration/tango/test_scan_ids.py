"""Scan IDs from several scripts and from a service: unique, or a refusal that says what to do."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE
from tests.support.tango_stack import database

from ska_oso_oet.tango import LocalScanIdGenerator, RemoteScanIdGenerator, ScanIdError, _shared_counter

DRAW_MANY = (
    "from ska_oso_oet.tango import SCAN_ID_GENERATOR\n"
    "for _ in range(100): print(SCAN_ID_GENERATOR.next(), flush=True)\n"
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OET_SCAN_ID_FILE", "OET_SCAN_ID_USER", "SKUID_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def scan_id_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scan-id"
    monkeypatch.setenv("OET_SCAN_ID_FILE", str(path))
    return path


def test_unique_across_scripts_and_restarts(scan_id_file: Path) -> None:
    scripts = [
        subprocess.Popen([sys.executable, "-c", DRAW_MANY], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    numbers = [int(line) for script in scripts for line in script.communicate(timeout=PATIENCE)[0].split()]
    numbers.append(LocalScanIdGenerator().next())
    assert sorted(numbers) == list(range(1, 302))


def test_a_script_killed_while_it_counts_harms_nobody(scan_id_file: Path) -> None:
    script = DRAW_MANY.replace("range(100)", "iter(int, 1)")
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    assert process.stdout.readline() == "2\n"
    process.send_signal(signal.SIGKILL)
    written = [2, *map(int, process.communicate(timeout=PATIENCE)[0].split("\n")[:-1])]
    assert LocalScanIdGenerator().next() > written[-1]


def draw(tango_host: str, user: str, count: int = 1, **environment: str) -> subprocess.Popen[str]:
    """Draw scan IDs as a script of a controller does."""
    return subprocess.Popen(
        [sys.executable, "-c", DRAW_MANY.replace("100", str(count))],
        env={**os.environ, "TANGO_HOST": tango_host, "OET_SCAN_ID_USER": user, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def drawn(*scripts: subprocess.Popen[str]) -> list[int]:
    """Return what scripts have drawn."""
    numbers = []
    for script in scripts:
        output, errors = script.communicate(timeout=PATIENCE)
        assert script.returncode == 0, errors
        numbers += [int(line) for line in output.split()]
    return numbers


def forget(tango_host: str, kind: str) -> None:
    """Delete properties of the counter, as the restoration of an old database does."""
    connection = database(tango_host)
    names = list(connection.get_object_property_list("ska-oso-oet-scan-ids", kind))
    connection.delete_property("ska-oso-oet-scan-ids", names)


def test_unique_among_the_controllers_of_a_tango_database(tango_host: str) -> None:
    numbers = drawn(*(draw(tango_host, f"test/scan-ids/{number}", 10) for number in range(3)))
    assert len(set(numbers)) == 30
    assert drawn(draw(tango_host, "test/scan-ids/later")) == [max(numbers) + 1]


def test_the_count_goes_on_if_the_database_has_lost_it(tango_host: str, tmp_path: Path) -> None:
    file = str(tmp_path / "scan-id")
    numbers = drawn(draw(tango_host, "test/scan-ids/0", 3, OET_SCAN_ID_FILE=file))
    forget(tango_host, "*")
    assert drawn(draw(tango_host, "test/scan-ids/0", OET_SCAN_ID_FILE=file)) == [max(numbers) + 1]


def test_a_controller_whose_script_was_killed_in_its_turn_holds_up_the_others_once(
    tango_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_shared_counter, "_SILENCE", 0.3)
    connection = database(tango_host)
    connection.put_property("ska-oso-oet-scan-ids", {"ticket:test/scan-ids/killed": ["1"]})
    counter = _shared_counter.SharedCounter("test/scan-ids/alive", connection)
    began = time.monotonic()
    first = counter.next()
    assert time.monotonic() - began >= 0.3
    assert counter.next() == first + 1
    assert not connection.get_object_property_list("ska-oso-oet-scan-ids", "ticket:*")


def test_a_tango_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    file = tmp_path / "scan-id"
    script = draw("127.0.0.1:1", "test/scan-ids/0", OET_SCAN_ID_FILE=str(file))
    errors = script.communicate(timeout=PATIENCE)[1]
    assert "ScanIdError: no scan ID from the Tango database" in errors
    assert "that TANGO_HOST names it" in errors
    assert file.read_text() == ""


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
    with pytest.raises(ScanIdError, match="contains no scan ID"):
        RemoteScanIdGenerator(skuid.address).next()


def test_a_service_that_fails(skuid: Skuid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skuid, "status", 500)
    with pytest.raises(ScanIdError, match=r"500.*unset it"):
        RemoteScanIdGenerator(skuid.address).next()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "://", "file:///etc"])
def test_a_service_that_is_not_there(address: str) -> None:
    with pytest.raises(ScanIdError, match="check that the service runs"):
        RemoteScanIdGenerator(address).next()


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
