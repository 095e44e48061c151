"""A real MariaDB server on the loopback interface, in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.patience import LONG_PATIENCE, patience
from tests.support.processes import ServerProcess

LOOPBACK = "127.0.0.1"
_SERVICE_USER = "mysql"
_SERVER = Path("/usr/sbin/mariadbd")
_STOP_TIMEOUT = patience(20.0)


@dataclass(frozen=True)
class MariaDb:
    """Address of a MariaDB server.

    :param port: its TCP port
    :param socket: its socket, which only the administrator uses
    """

    port: int
    socket: Path

    def run_sql(self, script: str) -> None:
        """Execute SQL, or commands of the client, as administrator.

        :raises AssertionError: if that fails
        """
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root"]
        done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=LONG_PATIENCE)
        assert done.returncode == 0, done.stderr


def mariadb_is_installed() -> bool:
    """Return whether Debian's MariaDB server is there."""
    return _SERVER.exists()


@contextmanager
def running_mariadb(within: Sequence[str] = ()) -> Iterator[MariaDb]:
    """Run a MariaDB server as long as the context lasts.

    :param within: command that runs it, for example on another host
    """
    # Not below pytest's own folder: the server's user may not enter that, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="oet-mariadb-"))
    try:
        data = folder / "data"
        user = _unprivileged_user(folder)
        options = [f"--datadir={data}", f"--user={user}"]
        install = ["mariadb-install-db", "--no-defaults", *options, "--skip-test-db"]
        install += ["--auth-root-authentication-method=normal"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=LONG_PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        with _serving(folder, options, within) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serving(folder: Path, options: list[str], within: Sequence[str]) -> Iterator[MariaDb]:
    server = MariaDb(_free_port(), folder / "socket")
    process = ServerProcess(
        [
            *[*within, str(_SERVER), "--no-defaults", *options],
            *[f"--bind-address={LOOPBACK}", f"--port={server.port}", f"--socket={server.socket}"],
            # Nothing of this is to outlive the test: no need to wait for the disk.
            *["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--skip-log-bin"],
            # The tables of access control are from before this became the default.
            "--explicit-defaults-for-timestamp=OFF",
            *["--innodb-buffer-pool-size=16M", f"--tmpdir={folder}", f"--pid-file={folder / 'pid'}"],
        ]
    )
    try:
        process.wait_for_output("ready for connections")
        yield server
    finally:
        process.stop(_STOP_TIMEOUT)


def _unprivileged_user(folder: Path) -> str:
    """Return a user that MariaDB agrees to run as, and give a folder to that user."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    account = pwd.getpwnam(_SERVICE_USER)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return _SERVICE_USER


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
