"""Downloads that do not go as usual: clients that leave, files that change, names that lead elsewhere."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import PATIENCE, wait_until

LARGE = 48 << 20
"""Bytes: much more than what the sockets of a client that does not read take."""
SMALL_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

WRITES = """
import os, threading

def main(size):
    with open("large.dat", "wb") as file:
        file.write(os.urandom(size))
    os.mkdir("folder")
    os.symlink("/etc/passwd", "link")
    os.symlink("/etc", "elsewhere")
    os.mkfifo("pipe")
    print(os.getcwd(), flush=True)
    while size:
        threading.Event().wait()
"""


@pytest.fixture(scope="module")
def writes(stack: OetStack) -> Iterator[str]:
    path = stack.scripts / "writes.py"
    path.write_text(WRITES)
    yield stack.uri("writes")
    path.unlink()


@pytest.fixture(scope="module")
def slow(rest: Sidecar) -> Iterator[httpx.Client]:
    """A client that is sent little before it reads."""
    transport = httpx.HTTPTransport(socket_options=[SMALL_BUFFER])
    with httpx.Client(base_url=rest.url, transport=transport, timeout=PATIENCE) as client:
        yield client


@contextmanager
def _running(rest: Sidecar, uri: str) -> Iterator[tuple[int, Path]]:
    """Run a script that has written a large file, and get its number and its working directory."""
    number = rest.create(uri, size=LARGE)["id"]
    rest.start(number)

    def printed() -> list[str]:
        lines: list[str] = rest.http.get(f"/procedures/{number}/output").json()["lines"]
        return lines

    wait_until(printed, "the file is written")
    try:
        yield number, Path(printed()[0])
    finally:
        rest.http.put(f"/procedures/{number}", json={"state": "STOPPED"})


@pytest.fixture(scope="module")
def ended(rest: Sidecar, writes: str) -> int:
    number: int = rest.create(writes, size=0)["id"]
    rest.start(number)
    rest.wait_for(number, "COMPLETE")
    return number


def _parts_read(rest: Sidecar) -> float:
    return rest.figures().get('oet_tango_call_seconds_count{call="GetFile"}', 0)


def test_a_file_is_not_read_further_once_its_client_has_left(
    rest: Sidecar, slow: httpx.Client, writes: str
) -> None:
    with _running(rest, writes) as (number, _):
        before = _parts_read(rest)
        assert len(rest.http.get(f"/procedures/{number}/files/large.dat").content) == LARGE
        whole = _parts_read(rest) - before
        with slow.stream("GET", f"/procedures/{number}/files/large.dat") as answer:
            next(answer.iter_bytes())
        seen = [-1.0]

        def is_at_rest() -> bool:
            seen.append(_parts_read(rest))
            rest.http.get(f"/procedures/{number}/files")
            return seen[-1] == seen[-2]

        wait_until(is_at_rest, "the file is no longer read")
        assert seen[-1] - before - whole < whole


def _archives(rest: Sidecar) -> list[str]:
    """Return the archives that the sidecar has on its disk."""
    folder = Path(f"/proc/{rest.process.pid}/fd")
    targets = [os.readlink(each) for each in folder.iterdir() if each.is_symlink()]
    return [target for target in targets if target.endswith(" (deleted)")]


def test_an_archive_is_not_built_further_once_its_client_has_left(rest: Sidecar, writes: str) -> None:
    with _running(rest, writes) as (number, _):
        before = _parts_read(rest)
        assert len(rest.http.get(f"/procedures/{number}/export").content) > LARGE
        whole = _parts_read(rest) - before
        with socket.create_connection((rest.http.base_url.host, rest.http.base_url.port or 80)) as leaving:
            path = f"{rest.http.base_url.path}procedures/{number}/export"
            leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            wait_until(lambda: _archives(rest), "the archive is being built")
        wait_until(lambda: not _archives(rest), "the archive is removed")
        assert _parts_read(rest) - before - whole < whole


def test_the_archive_of_a_client_that_has_left_is_removed(
    rest: Sidecar, slow: httpx.Client, writes: str
) -> None:
    with _running(rest, writes) as (number, _):
        before = len(_archives(rest))
        with slow.stream("GET", f"/procedures/{number}/export") as answer:
            assert int(answer.headers["Content-Length"]) > LARGE
            next(answer.iter_bytes())
        wait_until(lambda: len(_archives(rest)) == before, "the archive is removed")


def test_of_a_file_that_grows_what_it_had_is_sent(rest: Sidecar, slow: httpx.Client, writes: str) -> None:
    with _running(rest, writes) as (number, folder):
        with slow.stream("GET", f"/procedures/{number}/files/large.dat") as answer:
            parts = answer.iter_bytes()
            received = len(next(parts))
            with (folder / "large.dat").open("ab") as file:
                file.write(b"x" * 100)
            assert received + sum(map(len, parts)) == LARGE
        assert len(rest.http.get(f"/procedures/{number}/files/large.dat").content) == LARGE + 100


def test_of_a_file_that_shrinks_what_is_left_is_sent(rest: Sidecar, slow: httpx.Client, writes: str) -> None:
    with _running(rest, writes) as (number, folder):
        with slow.stream("GET", f"/procedures/{number}/files/large.dat") as answer:
            parts = answer.iter_bytes()
            received = len(next(parts))
            os.truncate(folder / "large.dat", 0)
            assert received + sum(map(len, parts)) < LARGE
        assert rest.http.get(f"/procedures/{number}/files/large.dat").content == b""


@pytest.mark.parametrize(
    "name",
    [
        "%2E%2E/%2E%2E/journal.sqlite",
        "folder/%2E%2E/large.dat",
        "folder%2F..%2F..%2F..%2Fjournal.sqlite",
        "/etc/passwd",
        "link",
        "elsewhere/passwd",
        "pipe",
        "folder",
        "large.dat/x",
        "large.dat%00.png",
        "x" * 300,
        "%FF",
        "x/" * 2100,
    ],
)
def test_a_name_leads_nowhere_else(http: httpx.Client, ended: int, name: str) -> None:
    answer = http.get(f"/procedures/{ended}/files/{name}")
    assert (answer.status_code, answer.json().keys()) == (404, {"error", "type", "Message"})


def test_links_and_pipes_are_not_followed_while_the_script_runs(rest: Sidecar, writes: str) -> None:
    with _running(rest, writes) as (number, _):
        for name in ("link", "elsewhere/passwd", "pipe"):
            assert rest.http.get(f"/procedures/{number}/files/{name}").status_code == 404


def test_files_that_are_no_longer_kept(
    rest: Sidecar, http: httpx.Client, writes: str, stack: OetStack
) -> None:
    number = rest.create(writes, size=0)["id"]
    rest.start(number)
    rest.wait_for(number, "COMPLETE")
    assert http.get(f"/procedures/{number}/files/large.dat").status_code == 200
    kept = stack.state / "files" / str(number)
    wait_until(kept.exists, "the files are moved to where they are kept")
    shutil.rmtree(kept)
    gone = http.get(f"/procedures/{number}/files/large.dat")
    assert (gone.status_code, gone.json()["type"]) == (410, "Gone")
