"""The journal's database as a schema of a PostgreSQL server."""

import os
import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from .database import EntryRejected, Step, StorageFault, StorageLocked
from .numbering import Numbering

if TYPE_CHECKING:
    from psycopg import Connection as PsycopgConnection

_CONNECT_TIMEOUT_S: Final = 3
# How long a predecessor that was killed may take to vanish from the server.
_LOCK_TIMEOUT_MS: Final = 3000

# Bounds on each side for a network that swallows packets: the server must notice that a client is gone, for
# it holds the lock, and the client that the server is.
_SERVER_OPTIONS: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
_CLIENT_OPTIONS: Final = {
    "connect_timeout": _CONNECT_TIMEOUT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}

_HOLDER: Final = """
    SELECT coalesce(activity.application_name, ''), activity.backend_start
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted
      AND (lock.classid::bigint << 32 | lock.objid::bigint) = hashtextextended(%s, 0)
"""


class PostgresDatabase:
    """A schema of a PostgreSQL database, which one server at a time may write.

    :param url: where the database is, e.g. `postgresql://oet:secret@host:5432/oet`
    :param namespace: name of the schema; it is made if there is none
    :raises ValueError: if the URL is none of PostgreSQL, or the name cannot be that of a schema
    """

    survives_power_loss = True

    def __init__(self, url: str, namespace: str) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", namespace):
            raise ValueError(f"'{namespace}' can't name a schema of PostgreSQL: use a to z, 0 to 9 and _")
        self._url = _psycopg_url(url)
        self._namespace = namespace
        self.name = f"{self._url.set(query={}).render_as_string(hide_password=True)}, schema {namespace}"
        options = " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items())
        arguments = {
            **_CLIENT_OPTIONS,
            "options": f"{options} -c search_path={namespace}",
            "application_name": f"OET journal of process {os.getpid()} on host {socket.gethostname()}",
        }
        self.writer = create_engine(self._url, connect_args=arguments, poolclass=NullPool)
        event.listen(self.writer, "connect", self._claim)
        self.readers = create_engine(
            self._url, connect_args=arguments, pool_pre_ping=True, isolation_level="AUTOCOMMIT"
        )

    def exists(self) -> None:
        """Not known before it is opened."""

    def _claim(self, connection: "PsycopgConnection[Any]", _record: object) -> None:
        """Make the schema, and take the lock that says that this process writes to it.

        The server gives the lock back when the connection ends, whatever ends it.
        """
        from psycopg.errors import LockNotAvailable

        name = f"ska-oso-oet journal {self._namespace}"
        connection.autocommit = True
        try:
            connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._namespace}")
        except LockNotAvailable:
            holder = connection.execute(_HOLDER, [name]).fetchone()
            raise StorageLocked(self._locked_by(holder)) from None
        finally:
            if not connection.closed:
                connection.autocommit = False

    def _locked_by(self, holder: tuple[Any, ...] | None) -> str:
        who = (
            f"the {holder[0]}, connected since {holder[1]:%Y-%m-%dT%H:%M:%S%z}"
            if holder
            else "another server"
        )
        return f"{self.name} is in use by {who}: stop that server, or give this one a schema of its own"

    def write(self, connection: Connection, steps: Sequence[Step]) -> None:
        """Take all of the steps in one transaction."""
        with connection.begin():
            for step in steps:
                connection.exec_driver_sql(step.statement, list(step.rows))

    def classify(self, error: Exception) -> StorageFault | EntryRejected:
        """Return what an exception of psycopg means. None of them is damage: the server sees to that."""
        from psycopg.errors import ProgramLimitExceeded

        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(error, UnicodeError | OverflowError | DataError):
            return EntryRejected(str(error))
        if isinstance(cause, ProgramLimitExceeded):  # of an index: a topic is too long
            return EntryRejected(str(cause))
        reason = " ".join(str(cause).split())
        return StorageFault(f"{self.name} cannot be used: see that the server runs and lets us in ({reason})")

    def salvage(self) -> Numbering | None:
        """Return None: what PostgreSQL cannot read, nobody else can."""
        return None

    def set_aside(self) -> str:
        """Refuse: a PostgreSQL database is mended by its administrator."""
        raise StorageFault(f"{self.name} is damaged: its administrator has to restore it")

    def is_suspect(self) -> bool:
        """Never: nobody changes it but through its server."""
        return False

    def verify(self) -> None:
        """Do nothing: the server sees to that."""

    def used_bytes(self) -> int:
        """Return nothing: how much room there is, the server's administrator knows."""
        return 0

    def tidy(self) -> bool:
        """Do nothing: the server's autovacuum sees to that."""
        return False

    def compact(self) -> None:
        """Do nothing, for the same reason."""

    def dispose(self) -> None:
        """Close all connections."""
        self.readers.dispose()
        self.writer.dispose()


def _psycopg_url(text: str) -> URL:
    try:
        # `postgres://` is what many deployments hand out, and SQLAlchemy does not know it.
        url = make_url(re.sub(r"^postgres://", "postgresql://", text))
    except ArgumentError as error:
        raise ValueError(
            "the journal's URL cannot be read: write postgresql://user:password@host/db"
        ) from error
    if url.get_backend_name() != "postgresql":
        raise ValueError(
            f"the journal's URL names a database of type '{url.get_backend_name()}': PostgreSQL alone is"
            " addressed by URL; leave it empty for SQLite in the state directory"
        )
    return url.set(drivername="postgresql+psycopg")
