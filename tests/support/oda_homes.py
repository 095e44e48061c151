"""Homes of Scheduling Blocks under test, and what it takes to fill them behind their backs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from tests.support.postgres_server import LOOPBACK, USER

from ska_oso_oet.oda import Oda

TABLES = """
CREATE TABLE tab_oda_sbd (
    id serial PRIMARY KEY, info jsonb NOT NULL, sbd_id text NOT NULL, version integer NOT NULL DEFAULT 1,
    created_by text NOT NULL, created_on timestamptz NOT NULL,
    last_modified_by text NOT NULL, last_modified_on timestamptz NOT NULL,
    UNIQUE (sbd_id, version)
);
CREATE TABLE tab_oda_sbi (
    id serial PRIMARY KEY, info jsonb NOT NULL, sbi_id text NOT NULL, version integer NOT NULL DEFAULT 1,
    sbd_id text NOT NULL, sbd_version integer,
    created_by text NOT NULL, created_on timestamptz NOT NULL,
    last_modified_by text NOT NULL, last_modified_on timestamptz NOT NULL,
    UNIQUE (sbi_id, version)
);
"""
INSERT = (
    "INSERT INTO tab_oda_sbd "
    "(info, sbd_id, version, created_by, created_on, last_modified_by, last_modified_on) "
    "VALUES (%s, %s, %s, 'test', now(), 'test', now())"
)
CHANGE = "UPDATE tab_oda_sbd SET last_modified_on = to_timestamp(%s) WHERE sbd_id = %s AND version = %s"


@dataclass(frozen=True)
class Home:
    """A home of Scheduling Blocks under test.

    :param oda: what is tested
    :param put: stores a document under an ID and a version, as another program would
    :param away: the same kind of home, where nothing answers
    """

    oda: Oda
    put: Callable[[str, int, Any], None]
    away: Oda


@dataclass(frozen=True)
class SearchableHome(Home):
    """A home of Scheduling Blocks that can be searched.

    :param change: sets when a version was stored, seconds since 1970
    """

    change: Callable[[str, int, float], None]


def connect(port: int) -> psycopg.Connection:
    """Connect to the test's database."""
    return psycopg.connect(host=LOOPBACK, port=port, user=USER, dbname="postgres")


def postgres_environment(port: int) -> dict[str, str]:
    """Return the environment variables that lead to the test's database."""
    return {
        "ODA_BACKEND_TYPE": "postgres",
        "POSTGRES_HOST": LOOPBACK,
        "POSTGRES_PORT": str(port),
        "POSTGRES_DB_NAME": "postgres",
        "ADMIN_POSTGRES_USER": USER,
    }
