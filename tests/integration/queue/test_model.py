"""The queue compared with a list that is changed in the same way, by one client and by twenty at once."""

import random
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.patience import PATIENCE
from tests.support.queues import QueueSite, procedure

from ska_oso_oet.model import (
    QueueAddRequest,
    QueueClearRequest,
    QueueMoveRequest,
    QueueRemoveRequest,
    QueueUpdateRequest,
    Requester,
)
from ska_oso_oet.queue import QueueEntryNotFoundError

POSITIONS = st.one_of(
    st.sampled_from(["back", "front"]),
    st.tuples(st.sampled_from(["before", "after"]), st.integers(0, 1000)),
)


def insert(order: list[int], position: Any, new: Sequence[int]) -> None:
    """Do to a list what a request does to the queue."""
    match position:
        case "back":
            order += new
        case "front":
            order[:0] = new
        case {"before": entry_id}:
            place = order.index(entry_id)
            order[place:place] = new
        case {"after": entry_id}:
            place = order.index(entry_id) + 1
            order[place:place] = new


class QueueModel(RuleBasedStateMachine):
    """Does to a queue, and to a list, what people do, and lets entries run."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.site = QueueSite(Path(self._folder.name))
        self.order: list[int] = []
        self.names: dict[int, str] = {}
        self.ran: list[str] = []

    def _position(self, position: Any) -> Any:
        """Return a position of the request."""
        if isinstance(position, str):
            return position
        side, number = position
        return {side: self.order[number % len(self.order)] if self.order else 999}

    @rule(position=POSITIONS, count=st.integers(1, 4))
    def add(self, position: Any, count: int) -> None:
        wanted = self._position(position)
        names = [f"n{len(self.names) + number}" for number in range(count)]
        entries = [procedure(name) for name in names]
        request = QueueAddRequest.model_validate({"entries": entries, "position": wanted})
        if isinstance(wanted, dict) and not self.order:
            with pytest.raises(QueueEntryNotFoundError):
                self.site.queue.add(request)
            return
        ids = [entry.id for entry in self.site.queue.add(request)]
        assert not set(ids) & self.names.keys()
        self.names.update(zip(ids, names, strict=True))
        insert(self.order, wanted, ids)

    @precondition(lambda self: len(self.order) > 1)
    @rule(number=st.integers(0, 1000), position=POSITIONS)
    def move(self, number: int, position: Any) -> None:
        entry_id, wanted = self.order[number % len(self.order)], self._position(position)
        self.site.queue.move(QueueMoveRequest.model_validate({"id": entry_id, "position": wanted}))
        if isinstance(wanted, dict) and entry_id in wanted.values():
            return
        self.order.remove(entry_id)
        insert(self.order, wanted, [entry_id])

    @precondition(lambda self: self.order)
    @rule(number=st.integers(0, 1000))
    def update(self, number: int) -> None:
        entry_id = self.order[number % len(self.order)]
        self.names[entry_id] = f"{self.names[entry_id]}x"
        changes = procedure(self.names[entry_id])
        self.site.queue.update(QueueUpdateRequest.model_validate({"id": entry_id, **changes}))

    @precondition(lambda self: self.order)
    @rule(number=st.integers(0, 1000))
    def remove(self, number: int) -> None:
        entry_id = self.order.pop(number % len(self.order))
        assert [it.id for it in self.site.queue.remove(QueueRemoveRequest(id=entry_id))] == [entry_id]
        with pytest.raises(QueueEntryNotFoundError):
            self.site.queue.remove(QueueRemoveRequest(id=entry_id))

    @rule()
    def clear(self) -> None:
        assert [it.id for it in self.site.queue.clear(QueueClearRequest())] == self.order
        self.order = []

    @rule()
    def run(self) -> None:
        self.site.queue.start()
        self.site.wait_until(lambda: self.site.queue.view.length == 0, "end of the queue")
        self.site.queue.stop()
        self.ran += [self.names[entry_id] for entry_id in self.order]
        self.order = []
        assert self.site.runs() == self.ran

    @invariant()
    def what_is_shown_is_the_order_that_was_made(self) -> None:
        waiting = [number for number, state in self.site.states().items() if state == "WAITING"]
        assert waiting == self.order

    def teardown(self) -> None:
        self.site.close()
        self._folder.cleanup()


QueueModel.TestCase.settings = settings(max_examples=6, stateful_step_count=30, deadline=None)
TestQueueModel = QueueModel.TestCase

CLIENTS = 20
REQUESTS = 15


class Client:
    """A client that changes the queue at random, and remembers what it was answered.

    :param site: the queue
    :param number: its number
    """

    def __init__(self, site: QueueSite, number: int) -> None:
        self._queue = site.queue
        self._number = number
        self._random = random.Random(number)
        self.requests: dict[str, tuple[str, Any, list[int]]] = {}
        """What was asked for and has happened: verb, position, entries; by the name that its events bear."""
        self.refused: list[int] = []
        """Entries that were said not to be there."""

    def act(self, gate: threading.Barrier, known: list[int]) -> None:
        """Send requests; what others have added is in `known`."""
        gate.wait(PATIENCE)
        for number in range(REQUESTS):
            name = f"{self._number}-{number}"
            verb = self._random.choice(["add", "add", "move", "move", "remove"])
            try:
                self._send(name, verb if known else "add", known)
            except QueueEntryNotFoundError as error:
                self.refused.append(error.entry_id)

    def _send(self, name: str, verb: str, known: list[int]) -> None:
        position: Any = self._random.choice(["back", "front"])
        if known and self._random.random() < 0.7:
            position = {self._random.choice(["before", "after"]): self._random.choice(known[-8:])}
        by = Requester(user=name)
        if verb == "add":
            entries = [procedure(name)] * self._random.randint(1, 3)
            body = {"entries": entries, "position": position, "requested_by": by}
            ids = [entry.id for entry in self._queue.add(QueueAddRequest.model_validate(body))]
            known += ids
        elif verb == "move":
            ids = [self._random.choice(known[-8:])]
            body = {"id": ids[0], "position": position, "requested_by": by}
            self._queue.move(QueueMoveRequest.model_validate(body))
        else:
            ids = [self._random.choice(known[-8:])]
            self._queue.remove(QueueRemoveRequest(id=ids[0], requested_by=by))
        self.requests[name] = verb, position, ids


def test_twenty_clients_at_once_get_true_answers(site: QueueSite) -> None:
    """What was answered, done again in the order of the events, leads to the queue that is shown."""
    clients = [Client(site, number) for number in range(CLIENTS)]
    gate, known = threading.Barrier(CLIENTS), list[int]()
    with ThreadPoolExecutor(CLIENTS) as threads:
        for done in [threads.submit(client.act, gate, known) for client in clients]:
            done.result(PATIENCE)
    requests = {name: what for client in clients for name, what in client.requests.items()}
    events = [event for event in site.events("queue.entry.") if event["requested_by"] is not None]
    names = list(dict.fromkeys(event["requested_by"]["user"] for event in events))
    assert sorted(names) == sorted(requests), "each request that was granted, and no other, has events"
    order: list[int] = []
    removed = set()
    for name in names:
        verb, position, ids = requests[name]
        if verb == "add":
            insert(order, position, ids)
        elif verb == "remove":
            order.remove(ids[0])
            removed.add(ids[0])
        elif not (isinstance(position, dict) and ids[0] in position.values()):
            order.remove(ids[0])
            insert(order, position, ids)
    assert list(site.states()) == order
    assert {entry_id for client in clients for entry_id in client.refused} <= removed
