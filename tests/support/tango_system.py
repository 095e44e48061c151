"""The Tango system that sites have: the C++ DataBaseds on MariaDB, Starter and access control.

They are Debian's packages tango-db, tango-starter, tango-accesscontrol and mariadb-server.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import tango
from tests.support.mariadb_server import MariaDb, mariadb_is_installed
from tests.support.processes import ServerProcess
from tests.support.tango_stack import LOOPBACK, READY, database

PROGRAMS = Path("/usr/lib/tango")
PACKAGES = {
    "DataBaseds": "tango-db",
    "Starter": "tango-starter",
    "TangoAccessControl": "tango-accesscontrol",
}
"""Debian's packages of Tango's servers."""
_SCHEMA = Path("/usr/share/dbconfig-common/data/tango-db/install/mysql")
_USER, _PASSWORD = "tango", "tango"


def what_is_missing(programs: Sequence[str] = ("DataBaseds",)) -> str | None:
    """Return a sentence that says which packages tests lack; None if all is there.

    :param programs: names of Tango's servers
    """
    missing = [PACKAGES[name] for name in programs if not (PROGRAMS / name).exists()]
    if not mariadb_is_installed():
        missing.append("mariadb-server")
    return f"not installed: Debian packages {', '.join(missing)}" if missing else None


class TangoSystem:
    """A Tango database that can be stopped and started again, at the same address.

    :param mariadb: where it keeps everything
    :param address: where it listens
    :param within: command that runs it, for example on another host; MariaDB runs there, too
    """

    def __init__(self, mariadb: MariaDb, address: str = LOOPBACK, within: Sequence[str] = ()) -> None:
        self._mariadb = mariadb
        self._within = within
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        self.tango_host = f"{address}:{port}"
        self._endpoint = f"giop:tcp:{self.tango_host}"
        self._process: ServerProcess | None = None

    def create(self) -> None:
        """Make the tables, as the package does when it is installed."""
        self._mariadb.run_sql(
            f"CREATE DATABASE tango;"
            f"CREATE USER '{_USER}'@'%' IDENTIFIED BY '{_PASSWORD}';"
            f"GRANT ALL ON tango.* TO '{_USER}'@'%';"
            f"USE tango;\nsource {_SCHEMA}\n"
        )

    def start(self) -> None:
        """Start the database server, and wait until it answers."""
        self._process = self.run("DataBaseds", "2", "-ORBendPoint", self._endpoint)

    def stop(self) -> None:
        """End the database server."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def run(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        within: Sequence[str] | None = None,
    ) -> ServerProcess:
        """Start one of Tango's servers, and wait until it is ready.

        :param program: its name
        :param arguments: its arguments, the instance first
        :param environment: further variables
        :param within: command that runs it; that of the database unless given
        """
        variables = {
            **(environment or {}),
            "TANGO_HOST": self.tango_host,
            "MYSQL_USER": _USER,
            "MYSQL_PASSWORD": _PASSWORD,
            "MYSQL_HOST": f"{LOOPBACK}:{self._mariadb.port}",
            "MYSQL_DATABASE": "tango",
        }
        command = self._within if within is None else within
        process = ServerProcess([*command, str(PROGRAMS / program), *arguments], variables)
        try:
            process.wait_for_output(READY)
        except AssertionError:
            process.stop()
            raise
        return process

    @contextmanager
    def running(
        self, program: str, instance: str, *, environment: Mapping[str, str] | None = None
    ) -> Iterator[ServerProcess]:
        """Run one of Tango's servers as long as the context lasts.

        :param program: its name
        :param instance: its instance
        :param environment: variables to set on top of this process's environment
        """
        endpoint = ("-ORBendPoint", f"giop:tcp:{LOOPBACK}:0")
        process = self.run(program, instance, *endpoint, environment=environment)
        try:
            yield process
        finally:
            process.stop()

    @property
    def database(self) -> tango.Database:
        """A connection to the database."""
        return database(self.tango_host)
