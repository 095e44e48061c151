"""A damaged file is moved aside, a new one is created, and no number is assigned again."""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.support.journals import Faults, Housekeeping, OpenJournal, document, events, ids, numbers

from ska_oso_oet.journal import EventsNoLongerKeptError, JournalUnavailableError
from ska_oso_oet.journal.high_water_marks import unreached_numbers

_FILE = "journal.sqlite"


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _truncate(file: Path) -> None:
    with file.open("r+b") as content:
        content.truncate(file.stat().st_size // 2)


def _overwrite_header(file: Path) -> None:
    with file.open("r+b") as content:
        content.write(b"\xa5" * 4096)


def _overwrite_middle(file: Path) -> None:
    with file.open("r+b") as content:
        for page in range(2, file.stat().st_size // 4096):
            content.seek(page * 4096)
            content.write(b"\xa5" * 2048)


def _remove(file: Path) -> None:
    file.unlink()


def _exchange(file: Path) -> None:
    copy = file.with_name("copy")
    copy.write_bytes(file.read_bytes())
    copy.replace(file)


Damage = Callable[[Path], None]
_DAMAGES = [_empty, _truncate, _overwrite_header, _overwrite_middle, _remove]


def _filled(opened: OpenJournal, directory: Path) -> None:
    journal = opened(directory)
    for first in range(1, 5001, 100):
        journal.append(events(first, first + 99), [document(first // 100 + 1)])
    journal.close()


def _set_aside(directory: Path) -> list[Path]:
    return [path for path in directory.glob(f"{_FILE}.damaged-*") if not path.name.endswith(("-wal", "-shm"))]


@pytest.mark.parametrize(
    ("damage", "marks_are_there"),
    [
        *((damage, True) for damage in _DAMAGES),
        # An empty file without marks could not be distinguished from a new one.
        *((damage, False) for damage in (_truncate, _overwrite_header, _overwrite_middle)),
    ],
)
def test_damage_while_no_server_ran(
    opened: OpenJournal, tmp_path: Path, damage: Damage, marks_are_there: bool
) -> None:
    _filled(opened, tmp_path)
    damage(tmp_path / _FILE)
    if not marks_are_there:
        (tmp_path / "journal.marks").unlink()
    faults = Faults()
    journal = opened(tmp_path, on_fault=faults)
    try:
        journal.read_events(0, 10_000)
        # The file can be opened, and turns out to be damaged only when that part is read.
        journal.newest_documents("procedure", 1000)
    except (JournalUnavailableError, EventsNoLongerKeptError):
        pass
    if journal.fault is not None:
        faults.wait_until_well()
    assert journal.recovery is not None
    assert journal.last_seq >= 5000
    assert journal.last_id("procedure") >= 50
    assert journal.last_id("procedure") < 2**31
    # The journal works, and goes on with greater numbers.
    first = journal.last_seq + 1
    journal.append(events(first, first + 9), [document(journal.last_id("procedure") + 1)])
    assert journal.fault is None
    assert numbers(journal.read_events(first - 1, 100)) == list(range(first, first + 10))
    with pytest.raises(EventsNoLongerKeptError):
        journal.read_events(0, 100)
    journal.close()
    again = opened(tmp_path)
    assert (again.last_seq, again.recovery) == (first + 9, None)


def test_the_damaged_file_is_kept_and_named(opened: OpenJournal, tmp_path: Path) -> None:
    _filled(opened, tmp_path)
    for _ in range(5):
        _overwrite_header(tmp_path / _FILE)
        journal = opened(tmp_path)
        newest = max(_set_aside(tmp_path))
        assert str(newest) in (journal.recovery or "")
        journal.close()
    assert len(_set_aside(tmp_path)) == 3


# SQLite repairs a header that is overwritten meanwhile: it has the page in its log.
@pytest.mark.parametrize("damage", [_empty, _truncate, _overwrite_middle, _remove])
def test_damage_while_the_server_runs(opened: OpenJournal, tmp_path: Path, damage: Damage) -> None:
    _filled(opened, tmp_path)
    faults = Faults()
    journal = opened(tmp_path, on_fault=faults)
    journal.append(events(5001, 5100), [document(51, live=True)])
    damage(tmp_path / _FILE)
    last_seq = 5100
    while journal.fault is None and journal.recovery is None:
        last_seq += 1
        journal.append(events(last_seq, last_seq), [])
        with suppress(JournalUnavailableError, EventsNoLongerKeptError):
            journal.read_events(0, 10_000)
    last_seq += 5000
    journal.append(events(last_seq - 4999, last_seq), [])
    faults.wait_until_well()
    journal.append(events(last_seq + 1, last_seq + 10), [document(52)])
    assert journal.recovery is not None
    # What was in memory went to the new file: the observation that runs is known.
    assert numbers(journal.read_events(5000, 10_000)) == list(range(5001, last_seq + 11))
    journal.close()
    again = opened(tmp_path)
    assert (again.recovery, again.last_seq, again.last_id("procedure")) == (None, last_seq + 10, 52)
    assert numbers(again.read_events(5000, 10_000)) == list(range(5001, last_seq + 11))
    assert ids(again.live_documents("procedure")) == [51]
    with pytest.raises(EventsNoLongerKeptError):
        again.read_events(0, 10)


@pytest.mark.parametrize("damage", [_truncate, _remove, _exchange])
def test_a_damage_is_noticed_though_nobody_reads(
    opened: OpenJournal, tmp_path: Path, damage: Damage, housekeeping: Housekeeping
) -> None:
    _filled(opened, tmp_path)
    while housekeeping.rounds.acquire(blocking=False):
        pass
    journal = opened(tmp_path, on_fault=(faults := Faults()))
    housekeeping.wait()
    damage(tmp_path / _FILE)
    journal.append(events(5001, 5002), [])
    faults.wait_until_well()
    journal.append(events(5003, 5003), [])
    journal.close()
    again = opened(tmp_path)
    assert numbers(again.read_events(5000, 100)) == [5001, 5002, 5003]


def test_a_file_that_was_copied_back_from_a_backup_assigns_no_number_twice(
    opened: OpenJournal, tmp_path: Path
) -> None:
    _filled(opened, tmp_path)
    backup = (tmp_path / _FILE).read_bytes()
    journal = opened(tmp_path)
    journal.append(events(5001, 6000), [document(60)])
    journal.close()
    (tmp_path / _FILE).write_bytes(backup)
    again = opened(tmp_path)
    assert (again.last_seq, again.last_id("procedure")) == (6000, 60)
    assert again.recovery is not None
    again.append(events(6001, 6010), [])
    assert numbers(again.read_events(4990, 100)) == list(range(4991, 5001))
    with pytest.raises(EventsNoLongerKeptError, match="events 5001 to 6000 "):
        again.read_events(5000, 100)
    assert numbers(again.read_events(6000, 100)) == list(range(6001, 6011))


def test_a_backup_that_is_put_back_after_a_kill_assigns_no_number_twice(
    opened: OpenJournal, tmp_path: Path
) -> None:
    _filled(opened, tmp_path)
    backup = (tmp_path / _FILE).read_bytes()
    journal = opened(tmp_path)
    for first in range(5001, 25_001, 1000):
        journal.append(events(first, first + 999), [document(journal.last_id("procedure") + 20)])
    last_seq, last_id = journal.last_seq, journal.last_id("procedure")
    # What a server that is killed at this moment leaves beside the journal.
    marks = (tmp_path / "journal.marks").read_bytes()
    journal.close()
    (tmp_path / _FILE).write_bytes(backup)
    (tmp_path / "journal.marks").write_bytes(marks)
    again = opened(tmp_path)
    assert again.last_seq >= last_seq
    assert again.last_id("procedure") >= last_id
    assert "somebody removed them" in (again.recovery or "")
    with pytest.raises(EventsNoLongerKeptError, match="events 5001 to "):
        again.read_events(5000, 100)


def test_a_power_cut_does_not_make_numbers_come_twice(opened: OpenJournal, tmp_path: Path) -> None:
    _filled(opened, tmp_path)
    marks = json.loads((tmp_path / "journal.marks").read_text())
    cut = {
        **marks,
        "exact": False,
        "boot": "an earlier one",
        "last_seq": 12_000,
        "last_ids": {"procedure": 130},
    }
    (tmp_path / "journal.marks").write_text(json.dumps(cut))
    journal = opened(tmp_path)
    assert (journal.last_seq, journal.last_id("procedure")) == (12_000, 130)
    assert "stopped without warning" in (journal.recovery or "")
    assert numbers(journal.read_events(4000, 10_000)) == list(range(4001, 5001))


def test_marks_are_on_the_disk_before_a_number_beyond_the_last_ones_is_assigned(
    opened: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def sync_and_record(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_and_record)
    journal = opened(tmp_path)
    for first in range(1, 10_001, 1000):
        journal.append(events(first, first + 999), [])
        marks = json.loads((tmp_path / "journal.marks").read_text())
        assert marks["last_seq"] > journal.last_seq
        # The file, and that it has taken the place of the one before.
        assert synced[-2:] == [".journal.marks.new", tmp_path.name]


def test_marks_that_cannot_be_read_are_ignored(opened: OpenJournal, tmp_path: Path) -> None:
    _filled(opened, tmp_path)
    (tmp_path / "journal.marks").write_text('{"last_seq": []')
    journal = opened(tmp_path)
    assert (journal.last_seq, journal.last_id("procedure"), journal.recovery) == (5000, 50, None)


def test_a_long_look_into_the_file_by_another_program_is_no_damage(
    opened: OpenJournal, tmp_path: Path
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 100), [])
    with closing(sqlite3.connect(tmp_path / _FILE)) as other:
        assert other.execute("SELECT count(*) FROM events").fetchone() == (100,)
        other.execute("VACUUM")
    journal.append(events(101, 200), [])
    journal.close()
    again = opened(tmp_path)
    assert again.recovery is None
    assert again.read_events(0, 1000) == events(1, 200)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identifiers SET kind = CAST(X'70FF' AS TEXT)",
        "UPDATE identifiers SET last_id = 'fifty'",
        "UPDATE identifiers SET last_id = 4611686018427387904",
        "INSERT INTO gaps VALUES (3, 'five')",
        "INSERT INTO gaps VALUES (1, 4611686018427387904)",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
        "UPDATE alembic_version SET version_num = '00 2'",
        "UPDATE alembic_version SET version_num = CAST(X'FF' AS TEXT)",
        "ALTER TABLE events RENAME COLUMN text TO texu",
        "ALTER TABLE documents RENAME COLUMN checksum TO chdcksum",
    ],
)
def test_a_file_whose_own_records_are_damaged_is_moved_aside(
    opened: OpenJournal, tmp_path: Path, statement: str
) -> None:
    _filled(opened, tmp_path)
    with closing(sqlite3.connect(tmp_path / _FILE)) as database, database:
        database.execute(statement)
    journal = opened(tmp_path, on_fault=(faults := Faults()))
    with suppress(JournalUnavailableError, EventsNoLongerKeptError):
        journal.read_events(0, 100)
        journal.newest_documents("procedure", 100)
    if journal.fault is not None:
        faults.wait_until_well()
    assert "is damaged" in (journal.recovery or "")
    assert len(_set_aside(tmp_path)) == 1
    assert 5000 <= journal.last_seq < 2**53
    assert 50 <= journal.last_id("procedure") < 2**31
    journal.append(events(journal.last_seq + 1, journal.last_seq + 1), [document(1000)])
    assert journal.fault is None


def test_numbers_that_nobody_has_reached_on_a_machine_whose_clock_is_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seconds_since_1970 in (5.0, time.time()):
        monkeypatch.setattr(time, "time", lambda seconds=seconds_since_1970: seconds)
        numbers = unreached_numbers()
        assert 10**9 < numbers.last_seq < 2**53
        assert 10**6 < numbers.id_floor < 2**31
