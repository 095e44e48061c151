"""The order of the queue, compared with a list that is changed in the same way."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ska_oso_oet.model import After, Before, EntryRequest, QueueEntry, QueueEntryState
from ska_oso_oet.queue.errors import QueueEntryBegunError, QueueEntryNotFoundError
from ska_oso_oet.queue.order import EntryOrder

REQUEST = EntryRequest.model_validate(
    {"procedure": {"script": {"script_type": "filesystem", "script_uri": "file:///a.py"}}}
)
POSITIONS = st.one_of(
    st.sampled_from(["back", "front"]),
    st.integers(0, 1000).map(lambda number: ("before", number)),
    st.integers(0, 1000).map(lambda number: ("after", number)),
)


class QueueOrder(RuleBasedStateMachine):
    """Does to an order, and to a list of IDs, what people and the runner do to the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.order = EntryOrder()
        self.model: list[int] = []
        self.last_id = 0
        self.has_begun = False

    def _named(self, position: Any) -> tuple[Any, int | None]:
        """Return a position in the queue, and its place in the list; None if it has to be refused."""
        fixed = 1 if self.has_begun else 0
        if position == "back":
            return position, len(self.model)
        if position == "front":
            return position, fixed
        side, number = position
        if not self.model:
            return Before(before=999), None
        place = number % len(self.model)
        entry_id = self.model[place]
        if side == "after":
            return After(after=entry_id), place + 1
        return Before(before=entry_id), place if place >= fixed else None

    def _ranks(self, position: Any, count: int) -> Any:
        ranks = self.order.ranks_at(position, count)
        if ranks is None:
            self.order.make_room(position, count)
            ranks = self.order.ranks_at(position, count)
        assert ranks is not None
        return ranks

    @rule(position=POSITIONS, count=st.integers(1, 40))
    def add(self, position: Any, count: int) -> None:
        named, place = self._named(position)
        if place is None:
            with pytest.raises((QueueEntryBegunError, QueueEntryNotFoundError)):
                self.order.ranks_at(named, count)
            return
        new = [self.last_id + number for number in range(1, count + 1)]
        self.last_id += count
        for entry_id, rank in zip(new, self._ranks(named, count), strict=True):
            self.order.put(QueueEntry(id=entry_id, request=REQUEST, added=0.0, rank=rank))
        self.model[place:place] = new

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 1000), position=POSITIONS)
    def move(self, number: int, position: Any) -> None:
        place = number % len(self.model)
        entry_id = self.model[place]
        if self.has_begun and place == 0:
            with pytest.raises(QueueEntryBegunError):
                self.order.changeable(entry_id)
            return
        named, target = self._named(position)
        if target is None:
            return
        rank = self._ranks(named, 1)[0]
        self.order.put(self.order.changeable(entry_id).model_copy(update={"rank": rank}))
        self.model[target:target] = [entry_id]
        del self.model[place + 1 if target <= place else place]

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 1000))
    def remove(self, number: int) -> None:
        entry_id = self.model[number % len(self.model)]
        if self.has_begun and entry_id == self.model[0]:
            return
        self.order.discard(entry_id)
        self.model.remove(entry_id)
        with pytest.raises(QueueEntryNotFoundError):
            self.order.get(entry_id)

    @precondition(lambda self: self.model and not self.has_begun)
    @rule()
    def begin_the_head(self) -> None:
        head = self.order.head
        assert head is not None
        self.order.put(head.entering(QueueEntryState.PREPARING, 0.0))
        self.has_begun = True

    @precondition(lambda self: self.has_begun)
    @rule()
    def end_the_head(self) -> None:
        self.order.discard(self.model.pop(0))
        self.has_begun = False

    @invariant()
    def the_order_is_what_people_made_it(self) -> None:
        assert [entry.id for entry in self.order] == self.model
        assert len(self.order) == len(self.model)


QueueOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestOrder = QueueOrder.TestCase


def test_there_is_always_room_in_front_of_an_entry() -> None:
    order = EntryOrder()
    for entry_id in range(1, 400):
        position: Any = "back" if entry_id < 3 else Before(before=2)
        ranks = order.ranks_at(position, 1)
        if ranks is None:
            order.make_room(position, 1)
            ranks = order.ranks_at(position, 1)
        assert ranks is not None
        order.put(QueueEntry(id=entry_id, request=REQUEST, added=0.0, rank=ranks[0]))
    assert [entry.id for entry in order] == [1, *range(3, 400), 2]
