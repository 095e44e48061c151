"""Scheduling Blocks in the PostgreSQL database of the ODA: tables ``tab_oda_sbd`` and ``tab_oda_sbi``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from ska_oso_oet.model import FoundSchedulingBlock

from .documents import SBDefinition, SBInstance
from .errors import (
    OdaNotConfiguredError,
    OdaUnavailableError,
    StoringNotSupportedError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
)
from .identifiers import ID_PATTERN, checked_id, checked_version
from .interface import describe_found, require_id

_CONNECT_TIMEOUT = 5
_STATEMENT_TIMEOUT_MS = 10_000
# Without these, a request waits for hours if the network is cut just then.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": _STATEMENT_TIMEOUT_MS,
}
_AUTHOR = "ska-oso-oet"
_FIRST_VERSION = 1

_NEWEST = "SELECT info FROM tab_oda_sbd WHERE sbd_id = %s ORDER BY version DESC LIMIT 1"
_ONE = "SELECT info FROM tab_oda_sbd WHERE sbd_id = %s AND version = %s"
_VERSIONS = "SELECT version FROM tab_oda_sbd WHERE sbd_id = %s ORDER BY version"
# Only the parts of a document that the OET needs: many are long.
_FIND = (
    "SELECT sbd_id, version, last_modified_on, jsonb_build_object('sbd_id', info -> 'sbd_id', "
    "'metadata', info -> 'metadata', 'activities', info -> 'activities') "
    "FROM (SELECT DISTINCT ON (sbd_id) * FROM tab_oda_sbd "
    "WHERE position(%(part)s in lower(sbd_id)) > 0 AND sbd_id ~ %(pattern)s "
    "ORDER BY sbd_id, version DESC) AS newest "
    "ORDER BY last_modified_on DESC, sbd_id LIMIT %(limit)s"
)
_STORE = (
    "INSERT INTO tab_oda_sbi (info, sbi_id, sbd_id, sbd_version, version, "
    "created_by, created_on, last_modified_by, last_modified_on) "
    "VALUES (%(info)s, %(sbi_id)s, %(sbd_id)s, %(sbd_version)s, %(version)s, %(by)s, %(on)s, %(by)s, %(on)s)"
)


@dataclass(frozen=True)
class PostgresSettings:
    """Connection settings of the database.

    :param host: host of the server
    :param port: its port
    :param database: name of the database
    :param user: name of the user; None for the default of PostgreSQL
    :param password: the user's password, if one is needed
    """

    host: str = "localhost"
    port: str = "5432"
    database: str = "postgres"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"


class PostgresOda:
    """The PostgreSQL database of the ODA (ska-db-oda).

    Each request has a connection of its own: one every few minutes, and none that a restart of the
    database has broken.

    :param settings: how to reach it
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        """Return a Scheduling Block; see `Oda`."""
        checked_id("sbd_id", sbd_id)
        wanted = None if version is None else checked_version(version)
        with self._connection() as connection:
            if wanted is None:
                row = connection.execute(_NEWEST, (sbd_id,)).fetchone()
            else:
                row = connection.execute(_ONE, (sbd_id, wanted)).fetchone()
            if row is None:
                versions = [number for (number,) in connection.execute(_VERSIONS, (sbd_id,))]
                raise self._unknown(sbd_id, wanted, versions)
        return self._read(sbd_id, row[0])

    def find_sbdefinitions(self, part: str, limit: int) -> list[FoundSchedulingBlock]:
        """Return Scheduling Blocks; see `Oda`."""
        asked = {"part": part.lower(), "pattern": f"^({ID_PATTERN})$", "limit": limit}
        with self._connection() as connection:
            rows = connection.execute(_FIND, asked).fetchall()
        return [
            describe_found(sbd_id, version, changed.timestamp(), partial(self._read, sbd_id, document))
            for sbd_id, version, changed, document in rows
        ]

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store a record; see `Oda`."""
        values = {
            "info": Jsonb(instance.model_dump(mode="json")),
            "sbi_id": checked_id("sbi_id", instance.sbi_id),
            "sbd_id": instance.sbd_id,
            "sbd_version": instance.sbd_version,
            "version": _FIRST_VERSION,
            "by": _AUTHOR,
            "on": datetime.now(UTC),
        }
        with self._connection() as connection:
            try:
                connection.execute(_STORE, values)
            except UniqueViolation as error:
                raise StoringNotSupportedError(
                    f"{self._settings} has an SBInstance {instance.sbi_id} already; "
                    "give each an ID of its own"
                ) from error

    def close(self) -> None:
        """Do nothing: no connection stays open."""

    def _read(self, sbd_id: str, document: Any) -> SBDefinition:
        source = f"Scheduling Block {sbd_id} in {self._settings}"
        return require_id(SBDefinition.from_document(document, source), sbd_id, source)

    def _unknown(self, sbd_id: str, version: int | None, versions: list[int]) -> Exception:
        if not versions:
            return UnknownSchedulingBlockError(
                f"there is not a Scheduling Block '{sbd_id}' in {self._settings}; check its ID"
            )
        return UnknownVersionError(
            f"there is no version {version} of Scheduling Block '{sbd_id}' in {self._settings}; "
            f"there are: {', '.join(map(str, versions))}"
        )

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """Connect for one transaction.

        :raises OdaUnavailableError: if the database cannot be reached, or fails meanwhile
        :raises OdaNotConfiguredError: if it has no such tables, or does not let this user at them
        """
        settings = self._settings
        try:
            with psycopg.connect(
                host=settings.host,
                port=settings.port,
                dbname=settings.database,
                user=settings.user,
                password=settings.password,
                connect_timeout=_CONNECT_TIMEOUT,
                options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}",
                **_KEEPALIVE,
            ) as connection:
                yield connection
        except psycopg.ProgrammingError as error:
            raise OdaNotConfiguredError(
                f"the database {settings} cannot be used as an ODA: {_reason(error)}; "
                "check that the settings name the right database and user"
            ) from error
        except psycopg.Error as error:
            raise OdaUnavailableError(
                f"the database {settings} cannot be used: {_reason(error)}; check that it runs, and check "
                "the settings PGHOST or POSTGRES_HOST and so on"
            ) from error


def _reason(error: psycopg.Error) -> str:
    """Return the first line of PostgreSQL's message."""
    return str(error).partition("\n")[0] or type(error).__name__
