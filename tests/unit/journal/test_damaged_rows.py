"""A row that is damaged costs that row: it is skipped, counted and reported once."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.journals import OpenJournal, document, events, ids, numbers

from ska_oso_oet.journal import EventsNoLongerKeptError

DAMAGES = {
    "no text": b'{"seq":10,"id":10,"pad":"\xff\xfe"}',
    "no JSON": '{"seq":10,"id":10',
    "no object": "10",
    "of another row": '{"seq":11,"id":11}',
    "nothing": "",
}
LAST = 5000


@pytest.fixture(params=["checksum", "no checksum"])
def columns(request: pytest.FixtureRequest) -> str:
    """What a damage sets beside the text: rows of an older version have no checksum."""
    return ", checksum = NULL" if request.param == "no checksum" else ""


@pytest.fixture(params=DAMAGES.values(), ids=list(DAMAGES))
def damaged(request: pytest.FixtureRequest, opened: OpenJournal, tmp_path: Path, columns: str) -> Path:
    """Folder of a journal with the damaged event 10, and a damaged document 10."""
    journal = opened(tmp_path)
    journal.append(events(1, LAST), [document(number, live=number % 2 == 0) for number in range(1, 21)])
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
        text = request.param
        value = text if isinstance(text, str) else sqlite3.Binary(text)
        for table, key in (("events", "seq"), ("documents", "id")):
            database.execute(f"UPDATE {table} SET text = CAST(? AS TEXT){columns} WHERE {key} = 10", (value,))
    return tmp_path


def test_all_other_rows_are_read(
    opened: OpenJournal, damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found: list[int] = []
    journal = opened(damaged, on_damage=lambda: found.append(1))
    # A reader goes on behind it, as behind all events that are missing.
    assert numbers(journal.read_events(0, 100)) == list(range(1, 10))
    with pytest.raises(EventsNoLongerKeptError) as missing:
        journal.read_events(9, 100)
    assert missing.value.first == 11
    assert numbers(journal.read_events(10, LAST)) == list(range(11, LAST + 1))
    for _ in range(2):
        assert ids(journal.newest_documents("procedure", 100)) == [n for n in range(1, 21) if n != 10]
        assert ids(journal.newest_documents("procedure", 11)) == [9, *range(11, 21)]
        assert ids(journal.live_documents("procedure")) == [n for n in range(2, 21, 2) if n != 10]
        assert journal.read_document("procedure", 10) is None
    assert "are skipped: event 10, procedure 10." in (journal.recovery or "")
    assert str(damaged) in (journal.recovery or "")
    assert (len(found), len(caplog.records)) == (2, 2)
    assert journal.fault is None
    journal.append(events(LAST + 1, LAST + 1), [document(10)])
    assert ids([each for each in [journal.read_document("procedure", 10)] if each]) == [10]


def test_a_reader_that_asks_for_one_event_at_a_time_comes_past_it(opened: OpenJournal, damaged: Path) -> None:
    journal = opened(damaged)
    read: list[int] = []
    after = 7
    while after < 13:
        try:
            read += numbers(journal.read_events(after, 1))
            after = read[-1]
        except EventsNoLongerKeptError as error:
            after = error.first - 1
    assert read == [8, 9, 11, 12, 13]


def test_halves_of_surrogate_pairs_are_no_damage(opened: OpenJournal, tmp_path: Path) -> None:
    event = events(1, 1)[0]._replace(text=json.dumps({"seq": 1, "msg": "\ud800"}))
    journal = opened(tmp_path)
    journal.append([event, *events(2, LAST)], [])
    journal.close()
    again = opened(tmp_path)
    assert again.read_events(0, 1) == [event]
    assert again.recovery is None


def _without_text(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_master SET sql = replace(sql, 'text TEXT NOT NULL', 'text TEXT')")
    database.execute("PRAGMA writable_schema = RESET")
    database.execute("UPDATE events SET text = NULL WHERE seq = 10")


def _without_topic(database: sqlite3.Connection) -> None:
    database.execute("UPDATE events SET topic = CAST(X'757365722E7380' AS TEXT) WHERE seq = 10")


@pytest.mark.parametrize("damage", [_without_text, _without_topic])
@pytest.mark.parametrize("topic", ["", "user.s"])
def test_values_that_are_no_text_cost_their_row(
    opened: OpenJournal, tmp_path: Path, damage: Callable[[sqlite3.Connection], None], topic: str
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, LAST), [])
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
        damage(database)
    again = opened(tmp_path)
    read: list[int] = []
    while not read or read[-1] < LAST:
        after = read[-1] if read else 0
        try:
            read += numbers(again.read_events(after, 1000, topic))
        except EventsNoLongerKeptError as missing:
            read += numbers(again.read_events(missing.first - 1, 1000, topic))
    assert read == [number for number in range(1, LAST + 1) if number != 10]
    assert again.fault is None


def test_a_topic_that_is_no_text_belongs_to_no_event(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, LAST), [])
    journal.close()
    assert opened(tmp_path).read_events(0, 10, "user.\ud800") == []


@pytest.mark.parametrize("number", ["'ten'", "X'00FF'", "10.5", "-10", "4611686018427387904"])
def test_a_number_that_is_damaged_costs_its_row(opened: OpenJournal, tmp_path: Path, number: str) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, LAST), [document(each, live=each % 2 == 0) for each in range(1, 21)])
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
        database.execute(f"UPDATE documents SET id = {number} WHERE id = 10")
    again = opened(tmp_path)
    for limit in (1, 5, 100):
        assert (
            ids(again.newest_documents("procedure", limit)) == [n for n in range(1, 21) if n != 10][-limit:]
        )
    assert ids(again.live_documents("procedure")) == [n for n in range(2, 21, 2) if n != 10]
    assert "are skipped: procedure" in (again.recovery or "")
    assert all(isinstance(each, int) for each in again.damaged.ids("procedure"))
    assert (again.fault, again.last_id("procedure")) == (None, 20)


@pytest.mark.parametrize("number", [-10, 4611686018427387904])
def test_a_number_of_an_event_that_nobody_has_reached_is_not_continued(
    opened: OpenJournal, tmp_path: Path, number: int
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, LAST), [])
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
        database.execute("UPDATE events SET seq = ? WHERE seq = 10", (number,))
    again = opened(tmp_path)
    assert (again.first_seq, again.last_seq) == (1, LAST)
    assert numbers(again.read_events(0, LAST)) == [each for each in range(1, LAST + 1) if each != 10]
    again.append(events(LAST + 1, LAST + 1), [])
    assert numbers(again.read_events(LAST - 1, 10)) == [LAST, LAST + 1]
    assert again.fault is None
