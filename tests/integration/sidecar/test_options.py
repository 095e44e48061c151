"""Start, protection and end of the service."""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator, Sequence

import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import PATIENCE, patience, wait_until
from tests.support.sse_client import SseClient

from ska_oso_oet.sidecar import main

TOKEN = {"Authorization": "Bearer open sesame"}


def _refuses(options: Sequence[str]) -> SystemExit:
    with pytest.raises(SystemExit) as end:
        main(options)
    return end.value


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        end = _refuses(["--port", str(port)])
    # Of a text Python makes a line on stderr, and the exit status 1.
    assert end.code == (
        f"oet-sidecar: port {port} of 127.0.0.1 is taken by another program: end it, or choose a port "
        "with --port"
    )


@pytest.mark.parametrize(
    "options", [("--port", "70000"), ("--port", "http"), ("--root-path", "a b"), ("--max-lag", "0")]
)
def test_options_that_make_no_sense_are_refused(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _refuses(options).code == 2
    assert options[1] in capsys.readouterr().err


def test_what_the_environment_says_is_checked_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OET_REST_PORT", "http")
    assert _refuses([]).code == 2
    assert "'http' is not a TCP port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "reported"),
    [
        ({"OET_API_PRIVATE": "true"}, "OET_API_TOKEN"),
        ({"OET_API_PRIVATE": "true", "OET_API_TOKEN": " \n"}, "OET_API_TOKEN"),
        ({"OET_API_PRIVATE": "treu", "OET_API_TOKEN": "open sesame"}, "'treu'"),
        ({"OET_API_TOKEN": "open\nsesame"}, "OET_API_TOKEN"),
        ({"OET_API_TOKEN": ""}, "OET_API_TOKEN is blank"),
        ({"OET_API_TOKEN": " \n"}, "OET_API_TOKEN is blank"),
        ({"OET_REST_HOST": "0.0.0.0"}, "give --insecure"),
        ({"OET_REST_HOST": "::"}, "give --insecure"),
        ({"OET_REST_HOST": "0.0.0.0", "OET_API_TOKEN": " "}, "OET_API_TOKEN is blank"),
        ({"OET_ALLOWED_HOSTS": "oet.example http://tel.example"}, "'http://tel.example'"),
    ],
)
def test_it_does_not_serve_with_less_protection_than_was_meant(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    reported: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _refuses(["--port", "0"]).code == 2
    assert reported in capsys.readouterr().err


def test_it_ends_at_once_with_open_streams(stack: OetStack) -> None:
    async def listen_and_end(rest: Sidecar) -> None:
        clients = [await SseClient(rest.port).open() for _ in range(20)]
        rest.process.terminate()
        await asyncio.gather(*(client.read_to_end() for client in clients))
        await asyncio.to_thread(rest.process.wait, patience(5))
        await asyncio.gather(*(client.close() for client in clients))

    with sidecar(stack.tango_host) as rest:
        asyncio.run(listen_and_end(rest))
        assert rest.process.returncode == 0
        assert "Traceback" not in rest.process.output


def test_it_ends_at_once_though_a_request_goes_on(stack: OetStack) -> None:
    script, begun = stack.scripts / "never_stops.py", stack.scripts / "begun"
    script.write_text(
        "import pathlib, signal, threading\n"
        "def main():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"    pathlib.Path({str(begun)!r}).touch()\n"
        "    threading.Event().wait()\n"
    )
    with sidecar(stack.tango_host) as rest:
        procedure = rest.create(script.as_uri())
        rest.start(procedure["id"])
        wait_until(begun.exists, "the script ignores SIGTERM")
        with socket.create_connection(("127.0.0.1", rest.port)) as connection:
            body = b'{"state": "STOPPED"}'
            connection.sendall(
                f"PUT /api/v1.0/procedures/{procedure['id']} HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            rest.process.terminate()
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, json.load(answer)["type"]) == (503, "ServiceUnavailable")
            rest.process.wait(PATIENCE)
        assert "Traceback" not in rest.process.output


# Addresses


@pytest.fixture(scope="module")
def guarded(stack: OetStack) -> Iterator[Sidecar]:
    """A sidecar behind an ingress, with a token."""
    with sidecar(
        stack.tango_host, env={"OET_API_TOKEN": "open sesame", "OET_ROOT_PATH": "/site/oet/"}
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "oet.example:8080"}, "http://oet.example:8080"),
        ({"Host": "[::1]:5000"}, "http://[::1]:5000"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "tel.example"}, "https://tel.example"),
        ({"X-Forwarded-Host": "tel.example, inner", "X-Forwarded-Port": "8443"}, "http://tel.example:8443"),
        ({"X-Forwarded-Host": "tel.example", "X-Forwarded-Prefix": "/a/b"}, "http://tel.example/a/b"),
        ({"X-Forwarded-Host": "tel.example", "X-Forwarded-Prefix": "//evil"}, "http://tel.example"),
        ({"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "<b>"}, "http://127.0.0.1:{port}"),
    ],
)
def test_uris_are_those_by_which_the_client_came(
    rest: Sidecar, stack: OetStack, headers: dict[str, str], expected: str
) -> None:
    procedure = rest.create(stack.uri("hold"))
    answer = rest.http.get(f"/procedures/{procedure['id']}", headers=headers)
    uri = f"{expected.format(port=rest.port)}/api/v1.0/procedures/{procedure['id']}"
    assert answer.json()["procedure"]["uri"] == uri


def test_an_ingress_may_strip_the_root_path_or_leave_it(guarded: Sidecar) -> None:
    for path in ("/api/v1.0/procedures", "/site/oet/api/v1.0/procedures/", "/site/oet/api/v1/procedures"):
        assert "procedures" in patient_http.get(guarded.root + path).json()
    description = patient_http.get(f"{guarded.url}/openapi.json").json()
    assert description["servers"] == [{"url": "/site/oet"}]
    assert "/site/oet/api/v1.0/ui/swagger-ui-bundle.js" in patient_http.get(f"{guarded.url}/ui/").text


# The token


@pytest.fixture(scope="module")
def private(stack: OetStack) -> Iterator[Sidecar]:
    with sidecar(
        stack.tango_host, env={"OET_API_TOKEN": "open sesame", "OET_API_PRIVATE": "true"}
    ) as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic open sesame"},
        {"Authorization": "Bearer \u00fc".encode("latin-1")},
    ],
)
def test_without_the_token_nothing_changes(guarded: Sidecar, headers: dict[str, str]) -> None:
    # What is asked for is not even looked at: it may be too large, or for nothing that there is.
    for method, path, content in (
        ("POST", "/procedures", b"{}"),
        ("PUT", "/procedures/1", b"{}"),
        ("POST", "/activities", b" " * (2 << 20)),
        ("DELETE", "/nothing", b""),
    ):
        answer = guarded.http.request(method, path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "Unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.http.get("/procedures", headers=headers).status_code == 200


def test_with_the_token_everything_is_possible(guarded: Sidecar, stack: OetStack) -> None:
    answer = guarded.http.post("/procedures", json={"script_uri": stack.uri("hold")}, headers=TOKEN)
    assert answer.status_code == 201
    assert guarded.http.get("/openapi.json").json()["components"]["securitySchemes"]


def test_a_private_service_shows_nothing_without_the_token(private: Sidecar) -> None:
    for url in (
        "/procedures",
        "/procedures/1",
        "/activities",
        "/stream",
        "/openapi.json",
        "/ui/",
        "/nothing",
        f"{private.root}/metrics",
    ):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert private.http.request(method, url).status_code == 401
        with private.http.stream("GET", url, headers=TOKEN) as answer:
            assert answer.status_code != 401
    for probe in ("healthz", "readyz"):
        assert patient_http.get(f"{private.root}/{probe}").status_code == 200


def test_the_description_of_a_private_service_tells_of_the_token(private: Sidecar) -> None:
    paths = private.http.get("/openapi.json", headers=TOKEN).json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            protected = path not in ("/healthz", "/readyz", "/api/v1.0/session")
            assert ("security" in operation) == protected
            assert "401" in operation["responses"] or not protected


def test_a_token_may_have_any_letters_and_the_end_of_a_line(stack: OetStack) -> None:
    # As it comes from a file, and with a byte at its end that is a space in Latin-1.
    token = "voilà"
    with sidecar(stack.tango_host, env={"OET_API_TOKEN": f"{token}\n"}) as rest:
        headers = {b"Authorization": f"Bearer {token}".encode()}
        assert rest.http.put("/procedures/4711", json={}, headers=headers).status_code == 404
