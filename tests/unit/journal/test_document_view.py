"""The view shows all that is live and the newest that has ended, and reports ends."""

import json
from collections.abc import Iterator

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Document, MemoryJournal
from ska_oso_oet.journal.document_view import DocumentView


@pytest.fixture
def bus() -> Iterator[EventBus]:
    """A bus that is closed in the end."""
    made = EventBus(MemoryJournal())
    yield made
    made.close()


def show(bus: EventBus, document_id: int, text: str = "", *, live: bool = False, kind: str = "k") -> Document:
    document = Document(kind, document_id, text, live, value=text)
    bus.publish(document=document)
    bus.committed().result(PATIENCE)
    return document


def ids(view: DocumentView) -> list[int]:
    return [document.id for document in view.all()]


def test_all_that_is_live_and_the_newest_that_have_ended(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    for number in range(1, 5):
        show(bus, number, live=True)
    assert ids(view) == [1, 2, 3, 4]
    for number in (2, 1, 3):
        show(bus, number)
    assert ids(view) == [2, 3, 4]
    assert view.last_id() == 4


def test_the_list_is_the_same_until_there_is_a_change(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    show(bus, 1, live=True)
    before = view.all()
    show(bus, 2, kind="other")
    assert view.all() is before
    show(bus, 1, "changed", live=True)
    assert [document.text for document in view.all()] == ["changed"]


def test_other_kinds_are_not_shown(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    show(bus, 1, kind="other")
    assert view.all() == ()
    assert view.last_id() == 0
    assert view.get(1) is None


def test_older_documents_are_read_from_the_journal(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=1)
    first = show(bus, 1, "first")
    show(bus, 2, "second")
    assert ids(view) == [2]
    assert view.get(1) == first
    assert view.get(3) is None


def test_a_document_of_a_former_server_has_a_value(bus: EventBus) -> None:
    bus.journal.append([], [Document("k", 1, "[1, 2]", live=True), Document("k", 2, "3", live=False)])
    view = DocumentView(bus, "k", ended_limit=1, read=json.loads)
    assert [document.value for document in view.all()] == [[1, 2], 3]
    bus.journal.append([], [Document("k", 0, "4", live=False)])
    older = view.get(0)
    assert older is not None
    assert older.value == 4


def test_a_damaged_document_costs_only_itself(bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
    bus.journal.append([], [Document("k", 1, "{", live=True), Document("k", 2, "3", live=False)])
    view = DocumentView(bus, "k", ended_limit=5, read=json.loads)
    view.recall()
    assert ids(view) == [2]
    assert view.get(1) is None
    assert [record.message.partition(": ")[0] for record in caplog.records] == [
        "k 1 in the journal is damaged and is skipped"
    ]


def test_a_new_view_shows_what_happened_before_it(bus: EventBus) -> None:
    show(bus, 1, live=True)
    for number in range(2, 6):
        show(bus, number)
    assert ids(DocumentView(bus, "k", ended_limit=2)) == [1, 4, 5]


def test_the_end_of_a_document_is_told_to_all_who_wait_for_it(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    futures = [view.ended(1), view.ended(1)]
    show(bus, 1, "still going", live=True)
    assert not any(future.done() for future in futures)
    final = show(bus, 1, "over")
    assert [future.result(PATIENCE) for future in futures] == [final, final]
    assert view.ended(1).result(0) == final


@pytest.mark.parametrize("limit", [0, 1])
def test_the_end_of_a_document_that_is_no_longer_shown_is_told_too(bus: EventBus, limit: int) -> None:
    view = DocumentView(bus, "k", ended_limit=limit)
    final = show(bus, 1, "over")
    show(bus, 2)
    assert view.ended(1).result(0) == final


def test_nobody_who_gives_up_waiting_costs_the_others_their_answer(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    impatient, patient = view.ended(1), view.ended(1)
    impatient.cancel()
    final = show(bus, 1, "over")
    assert patient.result(PATIENCE) == final


def test_who_waits_for_an_end_finds_everybody_told_of_it(bus: EventBus) -> None:
    view = DocumentView(bus, "k", ended_limit=2)
    order: list[str] = []
    view.ended(1).add_done_callback(lambda _: order.append("who waits"))
    bus.subscribe(lambda _: order.append("who subscribes later than the view"))
    show(bus, 1)
    assert order == ["who subscribes later than the view", "who waits"]
