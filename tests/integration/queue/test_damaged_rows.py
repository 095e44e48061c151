"""A row of the journal is damaged: what it held is restored from the events of the same transaction."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.queues import QueueSite

from ska_oso_oet.journal import Journal, open_journal
from ska_oso_oet.model import ProcedureState


def journal_of(folder: Path) -> Journal:
    """Open the journal of a folder."""
    return open_journal(folder / "state")


def damage(folder: Path, kind: str, *ids: int) -> None:
    """Change one character in documents, in a way that leaves valid JSON of a valid model."""
    with closing(sqlite3.connect(folder / "state" / "journal.sqlite")) as database, database:
        for each in ids:
            changed = database.execute(
                "UPDATE documents SET text = replace(text, 'file://records', 'file://recordt')"
                " WHERE kind = ? AND id = ? AND text LIKE '%file://records%'",
                (kind, each),
            )
            assert changed.rowcount == 1


def test_procedures_and_entries_are_restored_and_written_again(tmp_path: Path) -> None:
    before = QueueSite(tmp_path, journal=journal_of(tmp_path))
    *_, third = before.add("first", "second", "third")
    before.queue.start()
    before.wait_for_entry(third, "DONE")
    before.queue.stop()
    waiting, later = before.add("fourth", "fifth")
    expected = [each.model_dump(mode="json") for each in before.scripts.summarise()]
    before.close()
    damage(tmp_path, "procedure", 1, 3)
    damage(tmp_path, "queue_entry", waiting)
    site = QueueSite(tmp_path, journal=journal_of(tmp_path))
    try:
        assert [each.model_dump(mode="json") for each in site.scripts.summarise()] == expected
        assert [each["state"] for each in expected] == ["COMPLETE"] * 3
        assert site.states() == {waiting: "WAITING", later: "WAITING"}
        recovery = site.bus.journal.recovery or ""
        assert "procedure 3, procedure 1" in recovery
        assert f"queue_entry {waiting}" in recovery
        site.queue.start()
        site.wait_for_entry(later, "DONE")
        assert site.runs() == ["first", "second", "third", "fourth", "fifth"]
    finally:
        site.close()
    again = journal_of(tmp_path)
    try:
        assert [each.id for each in again.newest_documents("procedure", 100)] == [1, 2, 3, 4, 5]
        assert again.recovery is None
    finally:
        again.close()


def test_a_procedure_that_was_alive_is_unknown_although_its_row_is_damaged(tmp_path: Path) -> None:
    before = QueueSite(tmp_path, journal=journal_of(tmp_path))
    (entry,) = before.add("wait")
    before.queue.start()
    before.wait_for_entry(entry, "RUNNING")
    with closing(sqlite3.connect(tmp_path / "state" / "journal.sqlite")) as database:
        # As the files are when the server is killed.
        (tmp_path / "killed").mkdir()
        with closing(sqlite3.connect(tmp_path / "killed" / "journal.sqlite")) as copy:
            database.backup(copy)
    before.close()
    (tmp_path / "killed").rename(tmp_path / "killed-state")
    after_kill = tmp_path / "after"
    after_kill.mkdir()
    (tmp_path / "killed-state").rename(after_kill / "state")
    damage(after_kill, "procedure", 1)
    site = QueueSite(after_kill, journal=journal_of(after_kill))
    try:
        (summary,) = site.scripts.summarise()
        states = [state for state, _ in summary.history.process_states]
        assert states[-3:] == [ProcedureState.READY, ProcedureState.RUNNING, ProcedureState.UNKNOWN]
        assert summary.queue_entry == entry
        assert site.states()[entry] == "UNKNOWN"
    finally:
        site.close()


def test_what_no_event_has_is_reported_once_and_never_found_again(tmp_path: Path) -> None:
    before = QueueSite(tmp_path, journal=journal_of(tmp_path))
    (done,) = before.add("first")
    before.queue.start()
    before.wait_for_entry(done, "DONE")
    before.queue.stop()
    (waiting,) = before.add("second")
    before.close()
    with closing(sqlite3.connect(tmp_path / "state" / "journal.sqlite")) as database, database:
        database.execute("UPDATE documents SET live = 1, text = text || ' ' WHERE kind = 'procedure'")
        database.execute("UPDATE documents SET text = '{}' WHERE kind = 'queue_entry' AND id = ?", (waiting,))
        # Events with these topics are no longer kept.
        database.execute("UPDATE events SET topic = 'former.' || topic")
    for reported in (True, False):
        site = QueueSite(tmp_path, journal=journal_of(tmp_path))
        try:
            recovery = site.bus.journal.recovery
            assert ("procedure 1" in (recovery or ""), f"queue_entry {waiting}" in (recovery or "")) == (
                reported,
                reported,
            )
            assert (recovery is None) is not reported
            assert site.states() == {}
        finally:
            site.close()
