"""A real PostgreSQL server on the loopback interface, in a temporary folder."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import patience

LOOPBACK = "127.0.0.1"
USER = "oet"
_SERVICE_USER = "postgres"
_STOP_TIMEOUT = patience(10.0)
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


def postgres_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server that Debian has installed; None if there is none."""
    folders = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((path.parent for path in folders), key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running_postgres(programs: Path) -> Iterator[int]:
    """Run a PostgreSQL server as long as the context lasts. Anybody may connect as USER.

    :param programs: the folder of its programs
    :returns: its port
    """
    # Not below pytest's own folder: the server's user may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="oet-postgres-"))
    try:
        user = _unprivileged_user(folder)
        data = folder / "data"
        options = ["-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        initdb = [str(programs / "initdb"), *options]
        subprocess.run(initdb, user=user, cwd=folder, env=_ENVIRONMENT, check=True, capture_output=True)
        with _serving(programs, data, user) as port:
            yield port
    finally:
        shutil.rmtree(folder)


def _unprivileged_user(folder: Path) -> int | None:
    """Give a folder to a user that PostgreSQL agrees to run as; None means the present one."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam(_SERVICE_USER)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account.pw_uid


@contextmanager
def _serving(programs: Path, data: Path, user: int | None) -> Iterator[int]:
    port = _free_port()
    options = ["-D", str(data), "-h", LOOPBACK, "-p", str(port), "-k", "", "-F"]
    process = subprocess.Popen(
        [str(programs / "postgres"), *options],
        user=user,
        cwd=data,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until_ready(process)
        yield port
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients
        process.communicate(timeout=_STOP_TIMEOUT)


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "ready to accept connections" in line:
            return
    raise AssertionError(f"PostgreSQL did not start:\n{''.join(lines)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
