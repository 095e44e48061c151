"""Journals of every make, each closed at the end of its test."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ska_oso_oet.event.journal import Journal, MemoryJournal, open_journal
from ska_oso_oet.event.journal.storage import SqlStorage

from .support import PATIENCE_S, OpenJournal, PostgresServer


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not left


@pytest.fixture
def opened() -> Iterator[OpenJournal]:
    """Open durable journals that are closed when the test ends."""
    journals: list[Journal] = []

    def open_one(*arguments: Any, **options: Any) -> Journal:
        journals.append(open_journal(*arguments, **options))
        return journals[-1]

    yield open_one
    for journal in journals:
        journal.close()


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


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def open_any(
    request: pytest.FixtureRequest, tmp_path: Path, opened: OpenJournal, namespace: str
) -> OpenJournal:
    """Open a journal of each make, again and again the same one."""
    match request.param:
        case "memory":
            return MemoryJournal
        case "sqlite":
            return lambda **options: opened(tmp_path, **options)
        case _:
            url = request.getfixturevalue("postgres_server").url
            return lambda **options: opened(tmp_path, url, namespace=namespace, **options)


@pytest.fixture(params=["sqlite", "postgres"])
def open_durable(
    request: pytest.FixtureRequest, tmp_path: Path, opened: OpenJournal, namespace: str
) -> OpenJournal:
    """Open a durable journal of each make, again and again the same one."""
    if request.param == "sqlite":
        return lambda **options: opened(tmp_path, **options)
    url = request.getfixturevalue("postgres_server").url
    return lambda **options: opened(tmp_path, url, namespace=namespace, **options)


class Housekeeping:
    """Tells when the maintenance thread has gone its round."""

    def __init__(self) -> None:
        self.rounds = threading.Semaphore(0)

    def wait(self) -> None:
        """Wait for the end of one more round."""
        assert self.rounds.acquire(timeout=PATIENCE_S)


@pytest.fixture
def housekeeping(monkeypatch: pytest.MonkeyPatch) -> Housekeeping:
    """Follow the rounds of the maintenance thread: tidying up is the last thing it does."""
    watched = Housekeeping()
    tidy = SqlStorage.tidy

    def tidy_and_tell(storage: SqlStorage) -> bool:
        result = tidy(storage)
        watched.rounds.release()
        return result

    monkeypatch.setattr(SqlStorage, "tidy", tidy_and_tell)
    return watched
