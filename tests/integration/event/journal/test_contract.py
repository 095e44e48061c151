"""What every journal promises, whatever it keeps its entries in."""

import random

import pytest

from ska_oso_oet.event.journal import EventsNoLongerKept, JournalEvent

from .conftest import Housekeeping
from .support import OpenJournal, document, events, ids, numbers


def test_an_empty_journal_begins_with_one(open_any: OpenJournal) -> None:
    journal = open_any()
    assert (journal.first_seq, journal.last_seq, journal.last_id("procedure")) == (1, 0, 0)
    assert journal.read_events(0, 10) == []
    assert journal.newest_documents("procedure", 10) == journal.live_documents("procedure") == []
    assert journal.read_document("procedure", 1) is None
    assert journal.fault is None
    assert journal.recovery is None


def test_events_are_read_in_order_from_anywhere(open_any: OpenJournal) -> None:
    journal = open_any()
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


def test_long_events_are_read_a_few_at_a_time(open_any: OpenJournal) -> None:
    journal = open_any()
    large = [JournalEvent(seq, "user.image", f"{seq:>{2**20}}") for seq in range(1, 51)]
    for event in large:
        journal.append([event], [])
    for after, topic in ((0, ""), (10, "user.")):
        assert journal.read_events(after, 10_000, topic) == large[after : after + 16]
    journal.append([JournalEvent(51, "user.image", "x" * 2**26)], [])
    assert numbers(journal.read_events(50, 1)) == [51]


def test_a_topic_is_read_by_its_beginning(open_any: OpenJournal) -> None:
    journal = open_any()
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
        assert journal.read_events(1234, 7, prefix) == [event for event in expected if event.seq > 1234][:7]


def test_a_topic_among_very_many_is_found(open_any: OpenJournal) -> None:
    journal = open_any()
    everything = [JournalEvent(seq, f"user.number{seq % 100}", "{}") for seq in range(1, 5001)]
    journal.append(everything, [])
    assert journal.read_events(10, 500, "user.") == everything[10:510]


def test_documents_are_replaced_and_listed_by_id(open_any: OpenJournal) -> None:
    journal = open_any()
    journal.append([], [document(number, live=number > 25) for number in range(1, 31)])
    journal.append([], [document(28)])
    journal.append([], [document(7, kind="activity", live=True)])
    assert journal.read_document("procedure", 28) == document(28)
    assert ids(journal.newest_documents("procedure", 10)) == list(range(21, 31))
    assert ids(journal.live_documents("procedure")) == [26, 27, 29, 30]
    assert journal.live_documents("activity") == [document(7, kind="activity", live=True)]
    assert (journal.last_id("procedure"), journal.last_id("activity"), journal.last_id("other")) == (30, 7, 0)
    assert journal.newest_documents("procedure", 0) == []


def test_events_that_retention_dropped_are_refused_by_name(
    open_any: OpenJournal, housekeeping: Housekeeping
) -> None:
    journal = open_any(event_retention=100)
    for first in range(1, 1001, 100):
        journal.append(events(first, first + 99), [])
    # Memory drops at once, a database in the background.
    while journal.first_seq <= 800:
        housekeeping.wait()
    with pytest.raises(EventsNoLongerKept, match=r"read on with 'after' = ") as refusal:
        journal.read_events(0, 10)
    assert refusal.value.first == journal.first_seq
    assert numbers(journal.read_events(900, 1000)) == list(range(901, 1001))


def test_everything_is_there_after_closing_and_opening(open_durable: OpenJournal) -> None:
    journal = open_durable()
    journal.append(events(1, 3000), [document(1), document(2, live=True)])
    journal.append([], [document(5, kind="activity")])
    journal.close()
    again = open_durable()
    assert (again.first_seq, again.last_seq, again.last_id("procedure")) == (1, 3000, 2)
    assert again.read_events(0, 5000) == events(1, 3000)
    assert again.live_documents("procedure") == [document(2, live=True)]
    assert again.newest_documents("procedure", 10) == [document(1), document(2, live=True)]
    assert again.read_document("activity", 5) == document(5, kind="activity")
    assert again.fault is None
    assert again.recovery is None


def test_a_character_that_the_database_refuses_costs_that_character_alone(open_durable: OpenJournal) -> None:
    journal = open_durable()
    journal.append([JournalEvent(1, "user.\ud800half", "{}"), JournalEvent(2, "user.nul\0", "{}")], [])
    journal.append(events(3, 3), [])
    assert journal.fault is None
    journal.close()
    again = open_durable()
    assert numbers(again.read_events(0, 10)) == [1, 2, 3]
    assert numbers(again.read_events(0, 10, "user.nul")) == [2]


def test_a_topic_that_is_too_long_for_an_index_costs_its_end_alone(open_durable: OpenJournal) -> None:
    journal = open_durable()
    # What repeats itself would be compressed.
    topic = "user." + random.Random(1).randbytes(5000).hex()
    journal.append([JournalEvent(1, topic, "{}")], [])
    journal.append(events(2, 2), [])
    assert journal.fault is None
    journal.close()
    again = open_durable()
    assert numbers(again.read_events(0, 10)) == [1, 2]
    assert numbers(again.read_events(0, 10, topic[:100])) == [1]
