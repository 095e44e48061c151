"""A fault of the storage is reported, stops nothing, and missing entries are written when it has ended."""

import os
from pathlib import Path

import psycopg
import pytest
from tests.support.journals import Faults, OpenJournal, document, events, ids, numbers
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import (
    EventsNoLongerKeptError,
    JournalLockedError,
    JournalUnavailableError,
)
from ska_oso_oet.journal import (
    directory_lock as lock,
)

from .support import PostgresServer, small_disk, start_child


def test_a_file_that_may_not_grow(opened: OpenJournal, tmp_path: Path) -> None:
    with start_child("fill", str(tmp_path)) as child:
        assert child.stdout is not None
        fault = child.stdout.readline()
        last_seq = int(child.stdout.readline())
        child.wait(PATIENCE)
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
        with pytest.raises(JournalUnavailableError, match="cannot be read"):
            journal.read_events(50, 100)
        remount("rw")
        faults.wait_until_well()
        assert numbers(journal.read_events(0, 200)) == list(range(1, 151))
        assert ids(journal.newest_documents("procedure", 10)) == [7, 8]
        journal.close()


def test_postgresql_ends_and_is_started_again(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    faults = Faults()
    journal = opened(tmp_path, postgres_server.url, namespace=namespace, on_fault=faults)
    journal.append(events(1, 5000), [document(1, live=True)])
    postgres_server.stop()
    try:
        journal.append(events(5001, 5010), [document(1), document(2)])
        assert "check that its server runs" in (faults.next() or "")
        assert numbers(journal.read_events(4990, 100)) == list(range(4991, 5011))
        assert journal.read_document("procedure", 2) == document(2)
        with pytest.raises(JournalUnavailableError):
            journal.read_events(0, 10)
    finally:
        postgres_server.start()
    faults.wait_until_well()
    journal.append(events(5011, 5020), [])
    journal.close()
    again = opened(tmp_path, postgres_server.url, namespace=namespace)
    assert numbers(again.read_events(0, 10_000)) == list(range(1, 5021))
    assert again.newest_documents("procedure", 10) == [document(1), document(2)]


def test_postgresql_does_not_run_when_the_server_starts(
    opened: OpenJournal, tmp_path: Path, postgres_server: PostgresServer, namespace: str
) -> None:
    journal = opened(tmp_path / "known", postgres_server.url, namespace=namespace)
    journal.append(events(1, 10), [document(3)])
    journal.close()
    faults = Faults()
    postgres_server.stop()
    try:
        # Nothing here says which numbers were given out: to begin with 1 could give them out again.
        with pytest.raises(JournalUnavailableError, match="last numbers"):
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
    with pytest.raises(EventsNoLongerKeptError) as refusal:
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
        with pytest.raises(JournalUnavailableError):
            opened(tmp_path, postgres_server.url, namespace=namespace)
    finally:
        postgres_server.start()
    try:
        lock.DirectoryLock(tmp_path).release()
    except JournalLockedError:
        pytest.fail("the lock is still held")


def test_removed_lock_file_lets_no_second_server_in(opened: OpenJournal, tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "journal.lock").unlink()
    with pytest.raises(JournalLockedError, match="is in use by"):
        opened(tmp_path)


def test_removed_lock_file_is_reported_with_the_next_event(opened: OpenJournal, tmp_path: Path) -> None:
    reports: list[int] = []
    journal = opened(tmp_path, on_damage=lambda: reports.append(1))
    journal.append(events(1, 1), [])
    assert (journal.recovery, reports) == (None, [])
    for last in (2, 3):
        (tmp_path / "journal.lock").unlink()
        journal.append(events(last, last), [])
        assert "journal.lock was removed while this server uses it" in (journal.recovery or "")
        assert len(reports) == last - 1
    assert journal.fault is None


def test_removed_lock_file_that_another_server_has_locked_is_reported(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a network file system that locks files alone.
    monkeypatch.setattr(lock.DirectoryLock, "_lock_directory", lambda _: None)
    journal = opened(tmp_path)
    (tmp_path / "journal.lock").unlink()
    other = lock.DirectoryLock(tmp_path)
    try:
        journal.append(events(1, 1), [])
        assert f"process {os.getpid()} on host" in (journal.recovery or "")
        assert "two servers use this state directory" in (journal.recovery or "")
    finally:
        other.release()


def test_removed_lock_file_is_created_again_and_says_who_holds_it(tmp_path: Path) -> None:
    held = lock.DirectoryLock(tmp_path)
    try:
        (tmp_path / "journal.lock").unlink()
        assert "was removed while this server uses it" in (held.renew_file() or "")
        assert held.renew_file() is None
        with pytest.raises(JournalLockedError, match=f"process {os.getpid()} on host"):
            lock.DirectoryLock(tmp_path)
    finally:
        held.release()
    lock.DirectoryLock(tmp_path).release()
