"""A fault of the storage is reported, stops nothing, and missing entries are written when it has ended."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.journals import Faults, OpenJournal, document, events
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import (
    EventsNoLongerKeptError,
    sqlite,
)
from ska_oso_oet.journal import (
    journal_state as state,
)
from ska_oso_oet.journal.entries import Entries
from ska_oso_oet.journal.high_water_marks import LastNumbers
from ska_oso_oet.journal.sql_storage import SqlStorage
from ska_oso_oet.journal.storage_opener import StorageOpener


def test_a_new_directory_that_cannot_be_created(opened: OpenJournal, tmp_path: Path) -> None:
    (tmp_path / "occupied").touch()
    faults = Faults()
    journal = opened(tmp_path / "occupied" / "state", on_fault=faults)
    assert faults.next() is not None
    journal.append(events(1, 10), [document(1)])
    assert journal.read_events(0, 100) == events(1, 10)
    assert journal.newest_documents("procedure", 10) == [document(1)]
    (tmp_path / "occupied").unlink()
    faults.wait_until_well()
    journal.close()
    assert opened(tmp_path / "occupied" / "state").read_events(0, 100) == events(1, 10)


def test_another_program_has_the_file_locked(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 20)
    faults = Faults()
    journal = opened(tmp_path, on_fault=faults)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        journal.append(events(1, 1), [])
        assert "locked by another program" in (faults.next() or "")
        journal.append(events(2, 50), [])
        assert journal.read_events(0, 100) == events(1, 50)
        intruder.execute("COMMIT")
    faults.wait_until_well()
    journal.append(events(51, 60), [])
    journal.close()
    assert opened(tmp_path).read_events(0, 100) == events(1, 60)


def test_a_server_that_dies_while_it_cannot_write_gives_no_number_twice(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 20)
    noted = threading.Event()
    reserve = StorageOpener.reserve

    def reserve_and_signal(
        opener: StorageOpener, last_numbers: LastNumbers, stored: LastNumbers | None
    ) -> None:
        reserve(opener, last_numbers, stored)
        if stored is None:
            noted.set()

    monkeypatch.setattr(StorageOpener, "reserve", reserve_and_signal)
    journal = opened(tmp_path)
    journal.append(events(1, 10), [])
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        journal.append(events(11, 20), [document(1)])
        assert noted.wait(PATIENCE)
        marks = (tmp_path / "journal.marks").read_text()
    # What is on the disk at this moment is what a server would find that is killed at this moment.
    journal.close()
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as source:
        source.execute("DELETE FROM events WHERE seq > 10")
        source.execute("DELETE FROM documents")
        source.execute("DELETE FROM identifiers")
        source.commit()
        with closing(sqlite3.connect(copy / "journal.sqlite")) as target:
            source.backup(target)
    (copy / "journal.marks").write_text(marks)
    again = opened(copy)
    assert again.last_seq >= 20
    assert again.last_id("procedure") >= 1
    assert "the previous server could not write them" in (again.recovery or "")
    assert again.read_events(0, 100) == events(1, 10)
    with pytest.raises(EventsNoLongerKeptError) as refusal:
        again.read_events(10, 100)
    assert refusal.value.first == again.last_seq + 1


def test_memory_for_unwritten_events_is_bounded_and_what_is_lost_is_named(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(state, "_MAX_UNWRITTEN_CHARS", 100_000)
    journal = opened(tmp_path, on_fault=(faults := Faults()))
    journal.append(events(1, 100), [])
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        for seq in range(101, 1101):
            journal.append(events(seq, seq), [])
        assert "events from number 101 on have been lost" in (journal.fault or "")
    faults.wait_until_well()
    journal.append(events(1101, 1110), [])
    assert journal.read_events(0, 10_000) == events(1, 100)
    with pytest.raises(EventsNoLongerKeptError) as refusal:
        journal.read_events(100, 10_000)
    first = refusal.value.first
    assert 101 < first < 1101
    assert journal.read_events(first - 1, 10_000) == events(first, 1110)
    journal.close()
    again = opened(tmp_path)
    with pytest.raises(EventsNoLongerKeptError, match=f"events 101 to {first - 1} "):
        again.read_events(100, 10_000, "user.")


def test_readers_of_new_entries_do_not_wait_for_a_disk_that_hangs(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 100), [document(1, live=True)])
    hanging, go_on = threading.Event(), threading.Event()
    write = SqlStorage.write

    def hang(storage: SqlStorage, entries: Entries) -> None:
        hanging.set()
        assert go_on.wait(PATIENCE)
        write(storage, entries)

    monkeypatch.setattr(SqlStorage, "write", hang)
    bus = threading.Thread(target=journal.append, args=(events(101, 200), []))
    bus.start()
    assert hanging.wait(PATIENCE)
    assert journal.read_events(0, 1000) == events(1, 100)
    assert journal.read_document("procedure", 1) == document(1, live=True)
    assert journal.last_seq == 100
    go_on.set()
    bus.join(PATIENCE)
    assert journal.last_seq == 200


def test_an_url_of_something_else_is_refused(opened: OpenJournal, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only PostgreSQL"):
        opened(tmp_path, "mysql://oet@localhost/oet")
    with pytest.raises(ValueError, match="cannot be read"):
        opened(tmp_path, "nonsense")
    with pytest.raises(ValueError, match="schema"):
        opened(tmp_path, "postgres://oet@localhost/oet", namespace='x"; drop')
