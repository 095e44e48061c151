"""The bus numbers events without gaps, publishes them after the commit, and survives faults of others."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.journal import Batch, Document, JournalEvent, MemoryJournal
from ska_oso_oet.model import Event


class FailingJournal(MemoryJournal):
    """A journal that breaks its promise never to raise, as often as it is set to."""

    failures = 0

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Keep events and documents, or raise."""
        if self.failures:
            self.failures -= 1
            raise MemoryError("as requested")
        super().append(events, documents)


class Listener:
    """Notes every batch, and what the journal held when it came."""

    def __init__(self, bus: EventBus) -> None:
        self.batches: list[Batch] = []
        self.journalled: list[int] = []
        self._journal = bus.journal
        bus.subscribe(self)

    def __call__(self, batch: Batch) -> None:
        """Record a batch."""
        self.batches.append(batch)
        self.journalled.append(self._journal.last_seq)

    @property
    def events(self) -> list[JournalEvent]:
        """All events up to now."""
        return [event for batch in self.batches for event in batch.events]


@pytest.fixture
def journal() -> FailingJournal:
    """A journal that works, until it is set to fail."""
    return FailingJournal()


@pytest.fixture
def bus(journal: FailingJournal) -> Iterator[EventBus]:
    """A bus that is closed in the end."""
    made = EventBus(journal)
    yield made
    made.close()


def announce(topic: str = "a.b", source: str | None = None, /, **fields: Any) -> Announcement:
    return Announcement(topic, source, fields)


def settle(bus: EventBus) -> None:
    bus.committed().result(PATIENCE)


def test_a_batch_has_the_fields_of_its_events_beside_their_texts(bus: EventBus) -> None:
    listener = Listener(bus)
    bus.publish(announce("a.b", "7", progress=50), announce("a.c", None, seq=3))
    bus.committed().result(PATIENCE)
    fields = [fields for batch in listener.batches for fields in batch.fields]
    assert fields == [{"msg_src": "7", "progress": 50}, {"msg_src": None, "seq": 3}]


def test_what_is_published_together_is_committed_together(bus: EventBus) -> None:
    listener = Listener(bus)

    def publish_alone() -> None:
        bus.publish(announce("b.1"))
        settle(bus)

    with bus.together():
        bus.publish(announce("a.1"))
        with bus.together():
            bus.publish(announce("a.2"))
        # Another thread does not wait for the end of the context.
        other = threading.Thread(target=publish_alone)
        other.start()
        other.join(PATIENCE)
        committed = bus.committed()
        assert not committed.done()
    committed.result(PATIENCE)
    topics = [[event.topic for event in batch.events] for batch in listener.batches]
    assert topics == [["b.1"], ["a.1", "a.2"]]


def test_what_was_published_together_is_committed_although_it_ended_by_an_exception(bus: EventBus) -> None:
    listener = Listener(bus)

    def publish_and_fail() -> None:
        with bus.together():
            bus.publish(announce("a.1"))
            raise LookupError

    with pytest.raises(LookupError):
        publish_and_fail()
    bus.publish(announce("a.2"))
    settle(bus)
    assert [event.topic for event in listener.events] == ["a.1", "a.2"]


def test_a_batch_has_all_versions_of_its_documents_and_keeps_the_newest(bus: EventBus) -> None:
    listener = Listener(bus)
    texts = [str(number) for number in range(50)]
    for text in texts:
        bus.publish(document=Document("procedure", 1, text, live=True))
    settle(bus)
    assert [version.text for batch in listener.batches for version in batch.versions] == texts
    assert all(batch.documents == [batch.versions[-1]] for batch in listener.batches)
    assert min(len(batch.versions) for batch in listener.batches) >= 1


def test_an_event_is_flat_json_with_number_and_time(bus: EventBus) -> None:
    before = time.time()
    bus.publish(announce("user.script.announce", "7", msg="Größe 🚀", nested={"a": [1, None]}))
    settle(bus)
    [event] = bus.journal.read_events(0, 10)
    reported = json.loads(event.text)
    assert before <= reported.pop("time") <= time.time()
    assert reported == {
        "topic": "user.script.announce",
        "msg_src": "7",
        "msg": "Größe 🚀",
        "nested": {"a": [1, None]},
        "seq": 1,
    }
    assert Event.model_validate_json(event.text).fields == {"msg": "Größe 🚀", "nested": {"a": [1, None]}}


def test_numbers_have_no_holes_and_keep_the_order_of_each_thread(bus: EventBus) -> None:
    listener = Listener(bus)

    def publish(name: str) -> None:
        for number in range(0, 600, 2):
            bus.publish(announce(name, n=number), announce(name, n=number + 1))

    threads = [threading.Thread(target=publish, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    settle(bus)
    assert [event.seq for event in listener.events] == list(range(1, 2401))
    reported = [json.loads(event.text) for event in listener.events]
    for name in "abcd":
        assert [event["n"] for event in reported if event["topic"] == name] == list(range(600))
    # What was published together stays together.
    assert all(
        first["topic"] == second["topic"] for first, second in zip(reported[::2], reported[1::2], strict=True)
    )


def test_subscribers_are_told_after_the_commit(bus: EventBus) -> None:
    listener = Listener(bus)
    for _ in range(100):
        bus.publish(announce())
    settle(bus)
    assert [batch.events[-1].seq for batch in listener.batches] == listener.journalled


class HeldJournal(MemoryJournal):
    """A journal whose disk is busy until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.busy, self.go_on = threading.Event(), threading.Event()

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Record the size of a transaction, and keep it once the disk is free."""
        self.sizes.append(len(events))
        self.busy.set()
        assert self.go_on.wait(PATIENCE)
        super().append(events, documents)


def test_one_event_is_committed_at_once_and_what_comes_meanwhile_in_one_transaction() -> None:
    journal = HeldJournal()
    bus = EventBus(journal)
    bus.publish(announce())
    # It does not wait for others to come.
    assert journal.busy.wait(PATIENCE)
    for _ in range(500):
        bus.publish(announce())
    journal.go_on.set()
    settle(bus)
    bus.close()
    assert journal.sizes == [1, 500]


def test_events_and_their_document_come_as_one(bus: EventBus) -> None:
    listener = Listener(bus)
    for number in range(200):
        bus.publish(
            announce("first", n=number),
            announce("second", n=number),
            document=Document("k", number, "{}", True),
        )
    settle(bus)
    for batch in listener.batches:
        reported = [json.loads(event.text)["n"] for event in batch.events]
        assert [document.id for document in batch.documents] == reported[::2] == reported[1::2]


def test_of_a_document_the_newest_version_is_kept(bus: EventBus) -> None:
    for number in range(50):
        bus.publish(document=Document("k", 1, str(number), number < 49))
    settle(bus)
    assert bus.journal.read_document("k", 1) == Document("k", 1, "49", False)
    assert bus.journal.last_seq == 0


def test_committed_waits_for_what_was_published_before_it(bus: EventBus) -> None:
    listener = Listener(bus)
    for number in range(2500):
        bus.publish(announce(n=number))
    settle(bus)
    assert len(listener.events) == 2500


def test_committed_without_news_is_done_at_once(bus: EventBus) -> None:
    settle(bus)


def test_a_subscriber_that_raises_costs_the_others_nothing(bus: EventBus) -> None:
    def fail(batch: Batch) -> None:
        raise RuntimeError("as requested")

    bus.subscribe(fail)
    listener = Listener(bus)
    for _ in range(3):
        bus.publish(announce())
        settle(bus)
    assert [event.seq for event in listener.events] == [1, 2, 3]


def test_a_subscriber_that_has_gone_is_told_no_more(bus: EventBus) -> None:
    listener = Listener(bus)
    bus.publish(announce())
    settle(bus)
    bus.unsubscribe(listener)
    bus.publish(announce())
    settle(bus)
    assert len(listener.events) == 1


def test_a_batch_that_the_journal_does_not_take_leaves_no_hole(
    bus: EventBus, journal: FailingJournal
) -> None:
    listener = Listener(bus)
    bus.publish(announce())
    settle(bus)
    journal.failures = 1
    bus.publish(announce("lost"))
    settle(bus)
    bus.publish(announce("kept"))
    settle(bus)
    assert [(event.seq, event.topic) for event in listener.events] == [(1, "a.b"), (2, "kept")]


def test_nobody_who_gives_up_waiting_can_stop_the_bus(bus: EventBus) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        leave.wait(PATIENCE)

    bus.subscribe(hold)
    bus.publish(announce())
    assert entered.wait(PATIENCE)
    bus.committed().cancel()
    leave.set()
    settle(bus)


@pytest.mark.parametrize("name", ["seq", "time", "topic"])
def test_no_script_can_forge_what_the_bus_says(bus: EventBus, name: str) -> None:
    bus.publish(announce("real.topic", "1", **{name: "forged"}))
    settle(bus)
    reported = json.loads(bus.journal.read_events(0, 1)[0].text)
    assert (reported["seq"], reported["topic"]) == (1, "real.topic")
    assert reported[name + "_"] == "forged"


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        (2**70, str(2**70)),
        ("\ud800", "\\ud800"),
        ({1: 2}, {"1": 2}),
        (
            {
                1,
            },
            [1],
        ),
        (float("nan"), "NaN"),
    ],
)
def test_a_field_that_is_no_json_is_rendered_and_the_others_stay(
    bus: EventBus, value: Any, rendered: Any
) -> None:
    bus.publish(announce(odd=value, msg="hello"), announce(msg="next"))
    settle(bus)
    first, second = (json.loads(event.text) for event in bus.journal.read_events(0, 10))
    assert (first["odd"], first["msg"], first["seq"]) == (rendered, "hello", 1)
    assert (second["msg"], second["seq"]) == ("next", 2)


def test_numbers_go_on_where_the_journal_ends(journal: FailingJournal) -> None:
    first = EventBus(journal)
    first.publish(announce())
    first.close()
    second = EventBus(journal)
    second.publish(announce())
    second.close()
    assert [event.seq for event in journal.read_events(0, 10)] == [1, 2]


def test_closing_commits_what_was_published(journal: FailingJournal) -> None:
    bus = EventBus(journal)
    listener = Listener(bus)
    for _ in range(3000):
        bus.publish(announce())
    bus.close()
    assert len(listener.events) == journal.last_seq == 3000


def test_who_looks_here_and_then_there_finds_both_told(bus: EventBus) -> None:
    known, looks = threading.Event(), threading.Event()
    told_to_all: list[bool] = []

    def look() -> None:
        known.wait(PATIENCE)
        bus.wait_while_telling()
        looks.set()
        told_to_all.append(bool(last.batches))

    def first(_: Batch) -> None:
        known.set()
        # If nobody had to wait, it would be now that the other looks.
        told_to_all.append(looks.wait(0.1))

    looking = threading.Thread(target=look)
    looking.start()
    bus.subscribe(first)
    last = Listener(bus)
    bus.publish(announce())
    looking.join(PATIENCE)
    assert told_to_all == [False, True]


def test_the_last_are_told_last_and_not_at_all_when_they_have_left(bus: EventBus) -> None:
    order: list[str] = []

    def last(_: Batch) -> None:
        order.append("last")

    bus.subscribe(last, last=True)
    bus.subscribe(lambda _: order.append("first"))
    bus.publish(announce())
    settle(bus)
    bus.unsubscribe(last)
    bus.publish(announce())
    settle(bus)
    assert order == ["first", "last", "first"]
