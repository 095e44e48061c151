"""The journal's database as a schema of a PostgreSQL server."""

import os
import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from ska_oso_oet import secrets

from .backend import EntryRejectedError, StorageError, StorageLockedError, WriteStatement
from .high_water_marks import LastNumbers

if TYPE_CHECKING:
    from psycopg import Connection as PsycopgConnection

_CONNECT_TIMEOUT_S: Final = 3
# How long the server may take to notice that a previous OET was killed.
_LOCK_TIMEOUT_MS: Final = 3000

# Limits on both sides for a network that loses all packets: the server must notice the loss of a client,
# because that holds the lock, and the client must notice the loss of the server.
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


class PostgresBackend:
    """A schema of a PostgreSQL database, which one OET at a time may write.

    :param url: URL of the database, e.g. `postgresql://oet:secret@host:5432/oet`
    :param namespace: name of the schema, created if it does not exist
    :raises ValueError: if the URL does not name a PostgreSQL database, or the name is not valid for a schema
    """

    survives_power_loss = True

    def __init__(self, url: str, namespace: str) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", namespace):
            raise ValueError(f"'{namespace}' cannot name a schema of PostgreSQL: use a to z, 0 to 9 and _")
        self._url = _psycopg_url(url)
        self._namespace = namespace
        self.name = f"{self._url.set(query={}).render_as_string(hide_password=True)}, schema {namespace}"
        options = " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items())
        arguments: dict[str, Any] = {
            **_CLIENT_OPTIONS,
            "options": f"{options} -c search_path={namespace}",
            "application_name": f"OET journal of process {os.getpid()} on host {socket.gethostname()}",
        }
        password = secrets.environment().get("PGPASSWORD")
        if self._url.password is None and password is not None:
            # The library would look for it in the environment, from which it was removed.
            arguments["password"] = password
        self.writer = create_engine(self._url, connect_args=arguments, poolclass=NullPool)
        event.listen(self.writer, "connect", self._claim)
        self.readers = create_engine(
            self._url, connect_args=arguments, pool_pre_ping=True, isolation_level="AUTOCOMMIT"
        )

    def exists(self) -> None:
        """Return None: not known before the database is opened."""

    def _claim(self, connection: "PsycopgConnection[Any]", _record: object) -> None:
        """Create the schema, and take the lock of the process that writes to it.

        The server releases the lock when the connection ends, for any reason.
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
            raise StorageLockedError(self._locked_by(holder)) from None
        finally:
            if not connection.closed:
                connection.autocommit = False

    def _locked_by(self, holder: tuple[Any, ...] | None) -> str:
        name = "another server"
        if holder:
            name = f"the {holder[0]}, connected since {holder[1]:%Y-%m-%dT%H:%M:%S%z}"
        return f"{self.name} is in use by {name}: stop that server, or give this one its own schema"

    def write(self, connection: Connection, steps: Sequence[WriteStatement]) -> None:
        """Execute all steps in one transaction."""
        with connection.begin():
            for step in steps:
                connection.exec_driver_sql(step.statement, list(step.rows))

    def classify(self, error: Exception) -> StorageError | EntryRejectedError:
        """Return the fault that an exception of psycopg means. Damage is the server's concern."""
        from psycopg.errors import ProgramLimitExceeded

        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(error, UnicodeError | OverflowError | DataError):
            return EntryRejectedError(str(error))
        if isinstance(cause, ProgramLimitExceeded):  # of an index: a topic is too long
            return EntryRejectedError(str(cause))
        reason = " ".join(str(cause).split())
        return StorageError(
            f"{self.name} cannot be used: check that its server runs and accepts this login ({reason})"
        )

    def salvage(self) -> LastNumbers | None:
        """Return None: only the server itself can read the files of PostgreSQL."""
        return None

    def move_aside(self) -> str:
        """Refuse: a PostgreSQL database is restored by its administrator."""
        raise StorageError(f"{self.name} is damaged: its administrator has to restore it")

    def may_have_changed(self) -> bool:
        """Return False: other programs change it only through its server."""
        return False

    def verify(self) -> None:
        """Do nothing: the server checks its files."""

    def used_bytes(self) -> int:
        """Return 0: the administrator of the server limits its space."""
        return 0

    def checkpoint(self) -> bool:
        """Do nothing: the server's autovacuum does the maintenance."""
        return False

    def compact(self) -> None:
        """Do nothing: the server's autovacuum does that."""

    def dispose(self) -> None:
        """Close all connections."""
        self.readers.dispose()
        self.writer.dispose()


def _psycopg_url(text: str) -> URL:
    if text.partition("?")[0].count("@") > 1:
        # What follows the first one would count as the host, and be shown: it is a part of the password.
        raise ValueError(
            "the journal's URL has more than one @: percent-encode those in the name of the user and in the "
            "password (%40)"
        )
    try:
        # Many deployments use `postgres://`, which SQLAlchemy does not know.
        url = make_url(re.sub(r"^postgres://", "postgresql://", text))
    except (ArgumentError, ValueError):
        # Not the reason of the library, which may show a part of the password.
        raise ValueError(
            "the journal's URL cannot be read: write postgresql://user:password@host/db, and percent-encode "
            "what is neither a letter nor a digit in the password"
        ) from None
    if url.get_backend_name() != "postgresql":
        raise ValueError(
            f"the journal's URL names a database of type '{url.get_backend_name()}': only PostgreSQL"
            " is supported here; leave the URL empty for SQLite in the state directory"
        )
    return url.set(drivername="postgresql+psycopg")
