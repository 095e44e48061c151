"""Journals, their entries, and fixtures that tests of the journal share."""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import Document, Journal, JournalEvent, open_journal, schema
from ska_oso_oet.journal.sql_storage import SqlStorage

OpenJournal = Callable[..., Journal]


def events(first: int, last: int, topic: str = "user.script.announce") -> list[JournalEvent]:
    """Return events with these numbers."""
    return [
        JournalEvent(seq, topic, f'{{"seq":{seq},"pad":"{"x" * 300}"}}') for seq in range(first, last + 1)
    ]


def document(document_id: int, *, live: bool = False, kind: str = "procedure") -> Document:
    """Return a document."""
    return Document(kind, document_id, f'{{"id":{document_id}}}', live)


def numbers(found: list[JournalEvent]) -> list[int]:
    """Return the numbers of events."""
    return [event.seq for event in found]


def ids(found: list[Document]) -> list[int]:
    """Return the IDs of documents."""
    return [each.id for each in found]


class Faults:
    """Receives the faults that a journal reports."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __call__(self, fault: str | None) -> None:
        """Record a change."""
        self._queue.put(fault)

    def next(self) -> str | None:
        """Wait for the next change."""
        return self._queue.get(timeout=PATIENCE)

    def wait_until_well(self) -> None:
        """Wait until there is no fault."""
        while self.next() is not None:
            pass


class Housekeeping:
    """Counts the rounds of the background thread."""

    def __init__(self) -> None:
        self.rounds = threading.Semaphore(0)

    def wait(self) -> None:
        """Wait for the end of one more round."""
        assert self.rounds.acquire(timeout=PATIENCE)


def wait_for_first(journal: Journal, first: int, housekeeping: Housekeeping) -> None:
    """Wait until this is the number of the oldest event that is kept."""
    while journal.first_seq != first:
        housekeeping.wait()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread."""
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


@pytest.fixture
def housekeeping(monkeypatch: pytest.MonkeyPatch) -> Housekeeping:
    """Count the rounds of the background thread: the checkpoint is the last step of a round."""
    watched = Housekeeping()
    checkpoint = SqlStorage.checkpoint

    def checkpoint_and_count(storage: SqlStorage) -> bool:
        result = checkpoint(storage)
        watched.rounds.release()
        return result

    monkeypatch.setattr(SqlStorage, "checkpoint", checkpoint_and_count)
    return watched


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a version of the OET that has one migration more."""

    def install(text: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "r0003_next.py").write_text(text)
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "REVISION", "0003")

    return install
