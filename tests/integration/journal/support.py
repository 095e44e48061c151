"""Processes, disks and a PostgreSQL server for tests of the journal."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.patience import LONG_PATIENCE, PATIENCE

_PROJECT = Path(__file__).parents[3]


def start_child(*arguments: str) -> "subprocess.Popen[str]":
    """Start one of the programs in children.py; its standard output can be read line by line."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.journal.children", *arguments],
        cwd=_PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def unavailable(what: str) -> None:
    """Skip a test that the machine cannot run, or fail where CI requires that it can."""
    if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
        pytest.fail(f"{what}, but OET_REQUIRE_SYSTEM_TESTS=1 demands it")
    pytest.skip(what)


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Callable[[str], None]]:
    """Mount a memory disk of a size; yields a function that mounts it again with other options."""
    at.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", at], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        unavailable("no disk can be mounted here")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size},{options}", at], check=True, capture_output=True)

    try:
        yield remount
    finally:
        subprocess.run(["umount", at], check=True)


class PostgresServer:
    """A PostgreSQL server of its own in a temporary directory."""

    def __init__(self) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not binaries:
            unavailable("PostgreSQL is not installed")
        self._binaries = binaries[-1]
        self._directory = Path(tempfile.mkdtemp(prefix="oet-postgres-"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            # The server refuses to run as root.
            shutil.chown(self._directory, "nobody")
            self._as_user = ["setpriv", "--reuid", "nobody", "--clear-groups"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._run("initdb", "-D", str(self._data), "-U", "oet", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def url(self) -> str:
        """Return the URL by which a journal finds it."""
        return f"postgresql://oet@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "log_min_messages": "log",
            "log_checkpoints": "off",
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        # It ends with the tests, even if these are killed.
        starter = ["setpriv", "--pdeathsig", "QUIT", *self._as_user[1:]]
        server = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self._port)]
        self._process = subprocess.Popen(
            [*starter, *server, *options],
            cwd=self._directory,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "ready to accept connections" in line:
                return
        pytest.fail("the server of PostgreSQL did not start")

    def stop(self) -> None:
        """End it, as if its machine had lost power."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.communicate(timeout=PATIENCE)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._binaries / program), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            timeout=LONG_PATIENCE,
        )
