"""The contract of a journal, as test classes: each kind of journal has a subclass of its own."""

import random
import threading
from collections.abc import Callable

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import Document, EventsNoLongerKeptError, Journal, JournalEvent
from ska_oso_oet.journal.backend import StorageError
from ska_oso_oet.journal.entries import Entries
from ska_oso_oet.journal.sql_storage import SqlStorage

from .journals import (
    Faults,
    Housekeeping,
    OpenJournal,
    document,
    events,
    ids,
    numbers,
    wait_for_first,
)

_NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

def upgrade():
    op.add_column("events", sa.Column("weight", sa.Integer, nullable=False, server_default="7"))
"""
_FAILS = "    raise RuntimeError('half way through')\n"
_LAST = 10_000

Execute = Callable[[str], None]
"""Executes a statement in the database of a journal that is closed."""


class JournalContract:
    """The tests that every kind of journal passes.

    A subclass has the fixture `open_one`, which opens a journal of its kind, again and again the same one.
    """

    def test_an_empty_journal_begins_with_one(self, open_one: OpenJournal) -> None:
        journal = open_one()
        assert (journal.first_seq, journal.last_seq, journal.last_id("procedure")) == (1, 0, 0)
        assert journal.read_events(0, 10) == []
        assert journal.newest_documents("procedure", 10) == journal.live_documents("procedure") == []
        assert journal.read_document("procedure", 1) is None
        assert journal.fault is None
        assert journal.recovery is None

    def test_events_are_read_in_order_from_anywhere(self, open_one: OpenJournal) -> None:
        journal = open_one()
        everything = events(1, 5000)
        journal.append(everything[:1], [])
        journal.append(everything[1:], [])
        assert (journal.first_seq, journal.last_seq) == (1, 5000)
        assert journal.read_events(0, 3) == everything[:3]
        assert journal.read_events(0, 10_000) == everything
        assert journal.read_events(2499, 100) == everything[2499:2599]
        assert journal.read_events(4900, 1000) == everything[4900:]
        assert journal.read_events(5000, 10) == []
        assert journal.read_events(0, 0) == []

    def test_long_events_are_read_a_few_at_a_time(self, open_one: OpenJournal) -> None:
        journal = open_one()
        large = [JournalEvent(seq, "user.image", f'{{"pad":"{seq:>{2**20 - 10}}"}}') for seq in range(1, 31)]
        for event in large:
            journal.append([event], [])
        for after, topic in ((0, ""), (10, "user.")):
            assert journal.read_events(after, 10_000, topic) == large[after : after + 16]
        journal.append([JournalEvent(31, "user.image", f'{{"pad":"{"x" * 2**25}"}}')], [])
        assert numbers(journal.read_events(30, 1)) == [31]

    def test_a_topic_is_read_by_its_beginning(self, open_one: OpenJournal) -> None:
        journal = open_one()
        topics = [
            "user.script.announce",
            "procedure.lifecycle.started",
            "user.script.ann",
            "usér",
            "user.script%",
        ]
        everything = [JournalEvent(seq, topics[seq % len(topics)], "{}") for seq in range(1, 6001)]
        journal.append(everything, [])
        for prefix in ("user.", "user.script.ann", "user.script.announce", "usé", "user.script%", "nothing"):
            expected = [event for event in everything if event.topic.startswith(prefix)]
            assert journal.read_events(0, 10_000, prefix) == expected
            assert (
                journal.read_events(1234, 7, prefix) == [event for event in expected if event.seq > 1234][:7]
            )

    def test_a_topic_among_very_many_is_found(self, open_one: OpenJournal) -> None:
        journal = open_one()
        everything = [JournalEvent(seq, f"user.number{seq % 100}", "{}") for seq in range(1, 5001)]
        journal.append(everything, [])
        assert journal.read_events(10, 500, "user.") == everything[10:510]

    def test_documents_are_replaced_and_listed_by_id(self, open_one: OpenJournal) -> None:
        journal = open_one()
        journal.append([], [document(number, live=number > 25) for number in range(1, 31)])
        journal.append([], [document(28)])
        journal.append([], [document(7, kind="activity", live=True)])
        assert journal.read_document("procedure", 28) == document(28)
        assert ids(journal.newest_documents("procedure", 10)) == list(range(21, 31))
        assert ids(journal.live_documents("procedure")) == [26, 27, 29, 30]
        assert journal.live_documents("activity") == [document(7, kind="activity", live=True)]
        assert (journal.last_id("procedure"), journal.last_id("activity"), journal.last_id("other")) == (
            30,
            7,
            0,
        )
        assert journal.newest_documents("procedure", 0) == []
        assert ids(journal.newest_documents("procedure", 2, before=26)) == [24, 25]
        assert journal.newest_documents("procedure", 2, before=1) == []

    def test_events_that_retention_dropped_are_refused_by_name(
        self, open_one: OpenJournal, housekeeping: Housekeeping
    ) -> None:
        journal = open_one(event_retention=100)
        for first in range(1, 1001, 100):
            journal.append(events(first, first + 99), [])
        # Memory drops at once, a database in the background.
        while journal.first_seq <= 800:
            housekeeping.wait()
        with pytest.raises(EventsNoLongerKeptError, match=r"read on with 'after' = ") as refusal:
            journal.read_events(0, 10)
        assert refusal.value.first == journal.first_seq
        assert numbers(journal.read_events(900, 1000)) == list(range(901, 1001))

    def test_a_document_in_memory_keeps_the_value_that_it_was_written_from(
        self, open_one: OpenJournal
    ) -> None:
        journal = open_one()
        value = object()
        appended = Document("procedure", 1, "{}", True, value)
        journal.append([], [appended])
        found = [
            journal.read_document("procedure", 1),
            *journal.newest_documents("procedure", 10),
            *journal.live_documents("procedure"),
        ]
        assert [each and each.value for each in found] == [value] * 3


class DurableJournalContract(JournalContract):
    """The tests that every journal with a database passes.

    A subclass has the fixture `execute` too.
    """

    def test_everything_is_there_after_closing_and_opening(self, open_one: OpenJournal) -> None:
        journal = open_one()
        journal.append(events(1, 3000), [document(1), document(2, live=True)])
        journal.append([], [document(5, kind="activity")])
        journal.close()
        again = open_one()
        assert (again.first_seq, again.last_seq, again.last_id("procedure")) == (1, 3000, 2)
        assert again.read_events(0, 5000) == events(1, 3000)
        assert again.live_documents("procedure") == [document(2, live=True)]
        assert again.newest_documents("procedure", 10) == [document(1), document(2, live=True)]
        assert again.read_document("activity", 5) == document(5, kind="activity")
        assert again.fault is None
        assert again.recovery is None

    def test_a_character_that_the_database_refuses_costs_that_character_alone(
        self, open_one: OpenJournal
    ) -> None:
        journal = open_one()
        journal.append([JournalEvent(1, "user.\ud800half", "{}"), JournalEvent(2, "user.nul\0", "{}")], [])
        journal.append(events(3, 3), [])
        assert journal.fault is None
        journal.close()
        again = open_one()
        assert numbers(again.read_events(0, 10)) == [1, 2, 3]
        assert numbers(again.read_events(0, 10, "user.nul")) == [2]

    def test_a_topic_that_is_too_long_for_an_index_costs_its_end_alone(self, open_one: OpenJournal) -> None:
        journal = open_one()
        # What repeats itself would be compressed.
        topic = "user." + random.Random(1).randbytes(5000).hex()
        journal.append([JournalEvent(1, topic, "{}")], [])
        journal.append(events(2, 2), [])
        assert journal.fault is None
        journal.close()
        again = open_one()
        assert numbers(again.read_events(0, 10)) == [1, 2]
        assert numbers(again.read_events(0, 10, topic[:100])) == [1]

    def test_old_events_go_from_the_database_too(
        self, open_one: OpenJournal, housekeeping: Housekeeping
    ) -> None:
        journal = open_one(event_retention=1000)
        journal.append(events(1, 4000), [])
        wait_for_first(journal, 3001, housekeeping)
        journal.close()
        again = open_one(event_retention=1000)
        assert (again.first_seq, again.last_seq) == (3001, 4000)
        assert numbers(again.read_events(3000, 5000)) == list(range(3001, 4001))

    def test_ended_documents_go_and_live_ones_and_ids_stay(
        self, open_one: OpenJournal, housekeeping: Housekeeping
    ) -> None:
        journal = open_one(document_retention=20)
        journal.append([], [document(1, live=True)])
        # Old documents are dropped after each second one that is appended, so after the last of these.
        for number in range(2, 503):
            journal.append([], [document(number)])
        while journal.read_document("procedure", 482) is not None:
            housekeeping.wait()
        assert journal.read_document("procedure", 483) == document(483)
        assert ids(journal.live_documents("procedure")) == [1]
        journal.close()
        again = open_one(document_retention=20)
        assert again.last_id("procedure") == 502
        assert ids(again.newest_documents("procedure", 100)) == [1, *range(483, 503)]

    def test_a_commit_that_was_answered_by_an_error_is_not_made_twice(
        self, open_one: OpenJournal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = open_one(on_fault=(faults := Faults()))
        journal.append(events(1, 10), [])
        write = SqlStorage.write

        def lose_the_answer(storage: SqlStorage, entries: Entries) -> None:
            write(storage, entries)
            monkeypatch.setattr(SqlStorage, "write", write)
            raise StorageError("the connection was closed")

        monkeypatch.setattr(SqlStorage, "write", lose_the_answer)
        journal.append(events(11, 20), [document(1)])
        faults.wait_until_well()
        assert journal.recovery is None
        journal.close()
        assert open_one().read_events(0, 100) == events(1, 20)

    def test_a_journal_of_the_previous_version_is_upgraded_when_it_is_opened(
        self, open_one: OpenJournal, next_version: Callable[[str], None]
    ) -> None:
        journal = open_one()
        journal.append(events(1, 3000), [document(1), document(2, live=True)])
        journal.close()
        next_version(_NEXT_MIGRATION)
        for last in (3010, 3020):
            again = open_one()
            assert (again.fault, again.recovery) == (None, None)
            again.append(events(again.last_seq + 1, last), [])
            assert again.read_events(0, 5000) == events(1, last)
            assert again.newest_documents("procedure", 10) == [document(1), document(2, live=True)]
            again.close()

    def test_a_failed_migration_changes_nothing_and_stops_nothing(
        self, open_one: OpenJournal, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = open_one()
        journal.append(events(1, 10), [])
        journal.close()
        next_version(_NEXT_MIGRATION + _FAILS)
        journal = open_one()
        assert "half way through" in (journal.fault or "")
        journal.append(events(journal.last_seq + 1, journal.last_seq + 1), [])
        journal.close()
        # The version before goes on with it.
        monkeypatch.undo()
        assert open_one().read_events(0, 10) == events(1, 10)

    def test_one_changed_character_costs_its_row_alone_and_is_reported_once(
        self, open_one: OpenJournal, execute: Execute, caplog: pytest.LogCaptureFixture
    ) -> None:
        journal = open_one()
        journal.append(events(1, _LAST), [document(number, live=number > 4) for number in range(1, 8)])
        journal.close()
        # What is left is valid, and could have been written so.
        execute("UPDATE events SET text = replace(text, 'xxx\"}', 'xxy\"}') WHERE seq = 10")
        execute("UPDATE events SET topic = 'user.script.announcf' WHERE seq = 20")
        execute("UPDATE documents SET text = replace(text, '}', ' }') WHERE id IN (2, 5)")
        execute("UPDATE documents SET live = NOT live WHERE id IN (3, 6)")
        reports: list[int] = []
        again = open_one(on_damage=lambda: reports.append(1))
        read: list[int] = []
        after = 0
        while after < 30:
            try:
                read += numbers(again.read_events(after, 30 - after))
                after = read[-1]
            except EventsNoLongerKeptError as missing:
                after = missing.first - 1
        assert read == [number for number in range(1, 31) if number not in (10, 20)]
        for _ in range(2):
            assert ids(again.newest_documents("procedure", 100)) == [1, 4, 7]
            assert ids(again.live_documents("procedure")) == [7]
            assert [again.read_document("procedure", number) for number in (2, 3, 5, 6)] == [None] * 4
        assert "event 10, event 20, procedure 6, procedure 5, procedure 3 and 1 more" in (
            again.recovery or ""
        )
        assert (len(reports), len(caplog.records)) == (6, 6)
        assert again.fault is None
        # A newer state of the thing takes the place of the row.
        again.append(events(_LAST + 1, _LAST + 1), [document(5)])
        again.close()
        assert ids(open_one().newest_documents("procedure", 100)) == [1, 4, 5, 7]

    def test_a_damaged_document_that_is_set_aside_is_reported_once_and_kept_for_people(
        self, open_one: OpenJournal, execute: Execute
    ) -> None:
        journal = open_one()
        journal.append([], [document(number, live=True) for number in (1, 2, 3)])
        journal.close()
        execute("UPDATE documents SET text = '{}' WHERE id = 2")
        found = open_one()
        assert ids(found.live_documents("procedure")) == [1, 3]
        found.set_aside("procedure", [2, 3, 4])
        # Nobody loses what is sound.
        assert ids(found.live_documents("procedure")) == [1, 3]
        assert "could not be restored, and are kept there" in (found.recovery or "")
        assert "procedure 2" in (found.recovery or "")
        assert found.fault is None
        found.close()
        again = open_one()
        assert ids(again.live_documents("procedure")) == [1, 3]
        assert (again.recovery, again.last_id("procedure")) == (None, 3)
        again.close()
        execute(
            "UPDATE documents SET kind = 'procedure', text = '{\"id\":2}' WHERE kind = 'damaged:procedure'"
        )
        assert ids(open_one().live_documents("procedure")) == [1, 2, 3]

    def test_a_journal_without_checksums_is_upgraded_and_its_rows_are_accepted(
        self, open_one: OpenJournal, execute: Execute
    ) -> None:
        journal = open_one()
        journal.append(events(1, 3000), [document(1), document(2, live=True)])
        journal.close()
        for table in ("events", "documents"):
            execute(f"ALTER TABLE {table} DROP COLUMN checksum")
        execute("UPDATE alembic_version SET version_num = '0001'")
        execute("UPDATE events SET text = '{' WHERE seq = 11")
        again = open_one()
        again.append(events(3001, 3010), [document(3)])
        assert numbers(again.read_events(0, 5000)) == list(range(1, 11))
        assert again.read_events(11, 5000) == events(12, 3010)
        assert again.newest_documents("procedure", 10) == [document(1), document(2, live=True), document(3)]
        assert "skipped: event 11." in (again.recovery or "")
        again.close()
        execute("UPDATE events SET text = replace(text, 'xxx\"}', 'xxy\"}') WHERE seq = 3005")
        assert numbers(open_one().read_events(3000, 10)) == [3001, 3002, 3003, 3004]

    def test_readers_miss_no_event_unless_an_error_reports_it(self, open_one: OpenJournal) -> None:
        journal = open_one(event_retention=2000)
        seen: list[tuple[int, int]] = []
        readers = [threading.Thread(target=_follow, args=(journal, seen, topic)) for topic in ("", "user.")]
        for reader in readers:
            reader.start()
        for first in range(1, _LAST + 1, 100):
            journal.append(events(first, first + 99), [])
        for reader in readers:
            reader.join(PATIENCE)
        assert [read + refused for read, refused in seen] == [_LAST, _LAST]


def _follow(journal: Journal, seen: list[tuple[int, int]], topic: str) -> None:
    """Read to the end; notes how many events were read, and of how many it was said that they are gone."""
    after = read = refused = 0
    while after < _LAST:
        try:
            found = journal.read_events(after, 70, topic)
        except EventsNoLongerKeptError as missing:
            refused += missing.first - 1 - after
            after = missing.first - 1
            continue
        assert [event.seq for event in found] == list(range(after + 1, after + len(found) + 1))
        read += len(found)
        after += len(found)
    seen.append((read, refused))
