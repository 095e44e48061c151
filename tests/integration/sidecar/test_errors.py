"""All errors have a body of the same form."""

import http.client
import json
import socket
import sys
from collections.abc import Iterator

import httpx
import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess

JSON = {"Content-Type": "application/json"}


def _assert_error(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error", "type", "Message"}
    assert body["error"].startswith(f"{status} ")
    message: str = body["Message"]
    return message


def test_unknown_paths(http: httpx.Client, rest: Sidecar) -> None:
    for path in ("/x", "/api/v1.0", "/api/v2/procedures", "/api/v1.0/procedures/x", "/api/v1.0/ui/../x"):
        assert "There is no resource" in _assert_error(patient_http.get(rest.root + path), 404)
    _assert_error(http.post("/nothing", json={}), 404)


@pytest.mark.parametrize("number", ["+1", "1.0", "1_0", "%201", "1%20", "١"])
def test_an_id_is_written_in_one_way(http: httpx.Client, number: str) -> None:
    for kind in ("procedures", "activities"):
        assert "There is no resource" in _assert_error(http.get(f"/{kind}/{number}"), 404)
    assert "There is no resource" in _assert_error(http.put(f"/procedures/{number}", json={}), 404)


def test_methods_that_are_not_possible(http: httpx.Client) -> None:
    answer = http.delete("/procedures/1")
    assert "DELETE is not possible" in _assert_error(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    _assert_error(http.put("/procedures", json={}), 405)
    _assert_error(http.post("/stream", json={}), 405)


def test_what_is_no_http(rest: Sidecar) -> None:
    for request in (
        b"HELLO\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"POST /api/v1.0/procedures HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", rest.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, answer.getheader("content-type")) == (400, "application/json")
            assert set(json.load(answer)) == {"error", "type", "Message"}


def test_an_error_is_not_as_long_as_what_it_tells_of(http: httpx.Client) -> None:
    assert len(_assert_error(http.get("/" + "a" * 50_000), 404)) < 5000
    unknown = {f"key {number}": number for number in range(20_000)}
    message = _assert_error(http.post("/procedures", json={"script_uri": "file:///a.py"} | unknown), 400)
    assert message.startswith("key 0: ")
    assert len(message) < 5000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"script": NaN}',
        b'{"script_uri": "file:///a.py", "script_args": {"init": {"args": [Infinity]}}}',
        b'{"script_uri": "file:///a.py", "script_args": {"init": {"args": ["\\ud800"]}}}',
        b'{"script_uri": "file:///a.py", "script_args": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"script_uri": "file:///a.py", "unknown": 1}',
        b'{"script": {"script_type": "floppy", "script_uri": "file:///a.py"}}',
        b'{"script_uri": "ftp://a.py"}',
        b'{"script_uri": "file:///etc/passwd"}',
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
def test_requests_that_make_no_sense(http: httpx.Client, content: bytes) -> None:
    assert _assert_error(http.post("/procedures", content=content, headers=JSON), 400)


def test_a_body_that_is_missing_is_named(http: httpx.Client) -> None:
    for method, path in (("POST", "/procedures"), ("PUT", "/procedures/1"), ("POST", "/activities")):
        assert "no body" in _assert_error(http.request(method, path, content=b"", headers=JSON), 400)


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_media_types_other_than_json(http: httpx.Client, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = http.post("/procedures", content=b'{"script_uri": "file:///a.py"}', headers=headers)
    assert "Content-Type: application/json" in _assert_error(answer, 415)


def test_requests_that_are_too_large(http: httpx.Client) -> None:
    large = b" " * (2 << 20)
    assert "larger" in _assert_error(http.post("/procedures", content=large, headers=JSON), 413)
    pieces = iter([large[: 1 << 18]] * 8)
    assert "larger" in _assert_error(http.post("/procedures", content=pieces, headers=JSON), 413)


def test_one_error_does_not_end_the_streams_of_others(rest: Sidecar, stack: OetStack) -> None:
    with rest.http.stream("GET", "/stream") as stream:
        lines = stream.iter_lines()
        next(lines)
        _assert_error(rest.http.get("/procedures/4711"), 404)
        _assert_error(rest.http.post("/procedures", content=b"{", headers=JSON), 400)
        rest.create(stack.uri("hold"))
        assert any("procedure.lifecycle.created" in line for line in lines)


# Without the device


@pytest.fixture(scope="module", params=["no device", "no database"])
def deserted(request: pytest.FixtureRequest, stack: OetStack) -> Iterator[Sidecar]:
    if request.param == "no database":
        with sidecar("127.0.0.1:1") as running:
            yield running
    else:
        with sidecar(stack.tango_host, "--device", "mid-oet/controller/99") as running:
            yield running


def test_without_the_device_everything_is_unavailable(deserted: Sidecar) -> None:
    http = deserted.http
    for path in ("/procedures", "/procedures/1", "/activities", "/activities/1"):
        assert "cannot be reached" in _assert_error(http.get(path), 503)
    _assert_error(http.post("/procedures", json={"script_uri": "file:///a.py"}), 503)
    _assert_error(http.put("/procedures/1", json={"state": "STOPPED"}), 503)
    _assert_error(http.post("/activities", json={"activity_name": "a", "sbd_id": "b"}), 503)
    unready = patient_http.get(f"{deserted.root}/readyz")
    assert (unready.status_code, unready.json()["type"]) == (503, "ServiceUnavailable")
    assert "cannot be reached" in unready.json()["controllers"][0]["reason"]
    assert patient_http.get(f"{deserted.root}/healthz").status_code == 200
    assert deserted.figures()["oet_controller_up"] == 0


def test_what_is_wrong_with_a_request_is_said_all_the_same(deserted: Sidecar) -> None:
    _assert_error(deserted.http.post("/procedures", json={}), 400)
    _assert_error(deserted.http.get("/procedures/0"), 404)


def test_a_stream_waits_for_the_device(deserted: Sidecar) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", deserted.port, timeout=PATIENCE)
    connection.request("GET", "/api/v1.0/stream")
    answer = connection.getresponse()
    assert (answer.status, answer.read(1)) == (200, b"\n")
    connection.close()


LOCKS = """
import signal
import sys
import tango

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
device = tango.DeviceProxy(sys.argv[1])
device.lock()
print("locked", flush=True)
signal.sigwait([signal.SIGTERM])
device.unlock()
"""


def test_a_device_that_another_client_has_locked(stack: OetStack, rest: Sidecar) -> None:
    locker = ServerProcess([sys.executable, "-c", LOCKS, stack.device], {})
    try:
        locker.wait_for_output("locked")
        answers = [
            rest.http.post("/procedures", json={"script_uri": stack.uri("hold")}),
            rest.http.post("/reset"),
            rest.http.put("/admin_mode", json={"admin_mode": "ONLINE"}),
        ]
        for answer in answers:
            assert "unlocks it" in _assert_error(answer, 423)
            assert answer.json()["type"] == "Locked"
        assert rest.http.get("/procedures").status_code == 200
        assert rest.http.get("/status").status_code == 200
    finally:
        locker.stop()
    assert rest.http.post("/reset").status_code == 200
