"""Fixtures for tests of journals that need processes, PostgreSQL or disks of limited size."""

from collections.abc import Iterator

import pytest
from tests.support.journals import housekeeping as housekeeping
from tests.support.journals import next_version as next_version
from tests.support.journals import no_thread_is_left as no_thread_is_left
from tests.support.journals import opened as opened

from .support import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server of PostgreSQL, for all tests; a test that stops it starts it again."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """Name of a schema that no other test uses."""
    return f"journal_{abs(hash(request.node.nodeid))}"
