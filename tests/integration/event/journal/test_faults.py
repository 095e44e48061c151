"""A storage that fails is reported, stops nobody, and gets what it missed once it is well again."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ska_oso_oet.event.journal import (
    EventsNoLongerKept,
    JournalLocked,
    JournalUnavailable,
    ledger,
    lock,
    sqlite,
)
from ska_oso_oet.event.journal.database import StorageFault
from ska_oso_oet.event.journal.numbering import Numbering
from ska_oso_oet.event.journal.owner import StorageOwner
from ska_oso_oet.event.journal.storage import Entries, SqlStorage

from .support import (
    PATIENCE_S,
    Faults,
    OpenJournal,
    PostgresServer,
    document,
    events,
    ids,
    numbers,
    small_disk,
    start_child,
)


def test_a_file_that_may_not_grow(opened: OpenJournal, tmp_path: Path) -> None:
    with start_child("fill", str(tmp_path)) as child:
        assert child.stdout is not None
        fault = child.stdout.readline()
        last_seq = int(child.stdout.readline())
        child.wait(PATIENCE_S)
    assert "journal.sqlite" in fault
    assert "kept in memory" in fault
    journal = opened(tmp_path)
    assert numbers(journal.read_events(0, last_seq + 1)) == list(range(1, last_seq + 1))


def test_a_full_disk(opened: OpenJournal, tmp_path: Path) -> None:
    faults = Faults()
    with small_disk(tmp_path / "disk", "2m"):
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(1_500_000))
        journal = opened(tmp_path / "disk", on_fault=faults)
        while journal.fault is None:
            journal.append(events(journal.last_seq + 1, journal.last_seq + 10), [document(journal.last_seq)])
        assert "the disk is full: free some space" in (faults.next() or "")
        seq, document_id = journal.last_seq, journal.last_id("procedure")
        journal.append(events(seq + 1, seq + 1000), [document(document_id + 1, live=True)])
        assert numbers(journal.read_events(0, 5000)) == list(range(1, seq + 1001))
        assert ids(journal.live_documents("procedure")) == [document_id + 1]
        ballast.unlink()
        faults.wait_until_well()
        journal.close()
        again = opened(tmp_path / "disk")
        assert numbers(again.read_events(0, 5000)) == list(range(1, seq + 1001))
        assert ids(again.live_documents("procedure")) == [document_id + 1]
        again.close()


def test_a_directory_that_is_read_only_when_the_server_starts(opened: OpenJournal, tmp_path: Path) -> None:
    faults = Faults()
    with small_disk(tmp_path / "disk", "4m") as remount:
        journal = opened(tmp_path / "disk")
        journal.append(events(1, 100), [document(7)])
        journal.close()
        remount("ro")
        journal = opened(tmp_path / "disk", on_fault=faults)
        assert "cannot be written" in (faults.next() or "")
        assert (journal.last_seq, journal.last_id("procedure")) == (100, 7)
        journal.append(events(101, 150), [document(8)])
        assert numbers(journal.read_events(100, 100)) == list(range(101, 151))
        with pytest.raises(JournalUnavailable, match="cannot be read"):
            journal.read_events(50, 100)
        remount("rw")
        faults.wait_until_well()
        assert numbers(journal.read_events(0, 200)) == list(range(1, 151))
        assert ids(journal.newest_documents("procedure", 10)) == [7, 8]
        journal.close()


def test_a_new_directory_that_cannot_be_made(opened: OpenJournal, tmp_path: Path) -> None:
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
    reserve = StorageOwner.reserve

    def reserve_and_tell(owner: StorageOwner, numbering: Numbering, stored: Numbering | None) -> None:
        reserve(owner, numbering, stored)
        if stored is None:
            noted.set()

    monkeypatch.setattr(StorageOwner, "reserve", reserve_and_tell)
    journal = opened(tmp_path)
    journal.append(events(1, 10), [])
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        journal.append(events(11, 20), [document(1)])
        assert noted.wait(PATIENCE_S)
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
    assert "lacks what the server before could not write" in (again.recovery or "")
    assert again.read_events(0, 100) == events(1, 10)
    with pytest.raises(EventsNoLongerKept) as refusal:
        again.read_events(10, 100)
    assert refusal.value.first == again.last_seq + 1


def test_memory_for_unwritten_events_is_bounded_and_what_is_lost_is_named(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(ledger, "_MAX_UNWRITTEN_CHARS", 100_000)
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
    with pytest.raises(EventsNoLongerKept) as refusal:
        journal.read_events(100, 10_000)
    first = refusal.value.first
    assert 101 < first < 1101
    assert journal.read_events(first - 1, 10_000) == events(first, 1110)
    journal.close()
    again = opened(tmp_path)
    with pytest.raises(EventsNoLongerKept, match=f"events 101 to {first - 1} "):
        again.read_events(100, 10_000, "user.")


def test_who_reads_what_is_new_does_not_wait_for_a_disk_that_hangs(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 100), [document(1, live=True)])
    hanging, go_on = threading.Event(), threading.Event()
    write = SqlStorage.write

    def hang(storage: SqlStorage, entries: Entries) -> None:
        hanging.set()
        assert go_on.wait(PATIENCE_S)
        write(storage, entries)

    monkeypatch.setattr(SqlStorage, "write", hang)
    bus = threading.Thread(target=journal.append, args=(events(101, 200), []))
    bus.start()
    assert hanging.wait(PATIENCE_S)
    assert journal.read_events(0, 1000) == events(1, 100)
    assert journal.read_document("procedure", 1) == document(1, live=True)
    assert journal.last_seq == 100
    go_on.set()
    bus.join(PATIENCE_S)
    assert journal.last_seq == 200


def test_a_commit_that_was_answered_by_an_error_is_not_made_twice(
    open_durable: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_durable(on_fault=(faults := Faults()))
    journal.append(events(1, 10), [])
    write = SqlStorage.write

    def lose_the_answer(storage: SqlStorage, entries: Entries) -> None:
        write(storage, entries)
        monkeypatch.setattr(SqlStorage, "write", write)
        raise StorageFault("the connection was closed")

    monkeypatch.setattr(SqlStorage, "write", lose_the_answer)
    journal.append(events(11, 20), [document(1)])
    faults.wait_until_well()
    assert journal.recovery is None
    journal.close()
    assert open_durable().read_events(0, 100) == events(1, 20)


def test_postgresql_goes_away_and_comes_back(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    faults = Faults()
    journal = opened(tmp_path, postgres_server.url, namespace=namespace, on_fault=faults)
    journal.append(events(1, 5000), [document(1, live=True)])
    postgres_server.stop()
    try:
        journal.append(events(5001, 5010), [document(1), document(2)])
        assert "see that the server runs" in (faults.next() or "")
        assert numbers(journal.read_events(4990, 100)) == list(range(4991, 5011))
        assert journal.read_document("procedure", 2) == document(2)
        with pytest.raises(JournalUnavailable):
            journal.read_events(0, 10)
    finally:
        postgres_server.start()
    faults.wait_until_well()
    journal.append(events(5011, 5020), [])
    journal.close()
    again = opened(tmp_path, postgres_server.url, namespace=namespace)
    assert numbers(again.read_events(0, 10_000)) == list(range(1, 5021))
    assert again.newest_documents("procedure", 10) == [document(1), document(2)]


def test_postgresql_is_away_when_the_server_starts(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    journal = opened(tmp_path / "known", postgres_server.url, namespace=namespace)
    journal.append(events(1, 10), [document(3)])
    journal.close()
    faults = Faults()
    postgres_server.stop()
    try:
        # Nothing here says which numbers were given out: to begin with 1 could give them out again.
        with pytest.raises(JournalUnavailable, match="how far the numbers"):
            opened(tmp_path / "unknown", postgres_server.url, namespace=namespace)
        journal = opened(tmp_path / "known", postgres_server.url, namespace=namespace, on_fault=faults)
        assert (journal.last_seq, journal.last_id("procedure")) == (10, 3)
        journal.append(events(11, 20), [])
    finally:
        postgres_server.start()
    faults.wait_until_well()
    assert journal.read_events(0, 100) == events(1, 20)


def test_postgresql_comes_back_without_what_it_had(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    """As a replica does that lags behind the server whose place it takes, or a back-up."""
    faults = Faults()
    journal = opened(tmp_path, postgres_server.url, namespace=namespace, on_fault=faults)
    for first in range(1, 6001, 100):
        journal.append(events(first, first + 99), [document(first // 100 + 1, live=first > 5900)])
    with psycopg.connect(postgres_server.url, autocommit=True) as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'OET journal%'"
        )
        administrator.execute(f"SET search_path = {namespace}")
        administrator.execute("DELETE FROM events WHERE seq > 1000")
        administrator.execute("DELETE FROM documents WHERE id > 10")
        administrator.execute("UPDATE identifiers SET last_id = 10")
    journal.append(events(6001, 6010), [])
    faults.wait_until_well()
    assert "without events from number 1001 on" in (journal.recovery or "")
    journal.append(events(6011, 6020), [])
    journal.close()
    again = opened(tmp_path, postgres_server.url, namespace=namespace)
    assert numbers(again.read_events(0, 10_000)) == list(range(1, 1001))
    with pytest.raises(EventsNoLongerKept) as refusal:
        again.read_events(1000, 10_000)
    # What was in memory was written once more.
    assert 1001 < refusal.value.first < 5000
    assert numbers(again.read_events(refusal.value.first - 1, 10_000)) == list(
        range(refusal.value.first, 6021)
    )
    assert (again.last_id("procedure"), ids(again.live_documents("procedure"))) == (60, [60])
    assert again.read_document("procedure", 11) == document(11)


def test_a_refused_start_leaves_the_directory_free(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    postgres_server.stop()
    try:
        with pytest.raises(JournalUnavailable):
            opened(tmp_path, postgres_server.url, namespace=namespace)
    finally:
        postgres_server.start()
    try:
        lock.DirectoryLock(tmp_path).release()
    except JournalLocked:
        pytest.fail("the lock is still held")


def test_an_url_of_something_else_is_refused(opened: OpenJournal, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="PostgreSQL alone"):
        opened(tmp_path, "mysql://oet@localhost/oet")
    with pytest.raises(ValueError, match="cannot be read"):
        opened(tmp_path, "nonsense")
    with pytest.raises(ValueError, match="schema"):
        opened(tmp_path, "postgres://oet@localhost/oet", namespace='x"; drop')
