"""A bus that is closed keeps nobody waiting."""

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import MemoryJournal


def test_who_waits_for_a_commit_of_a_bus_that_is_closed_is_told() -> None:
    bus = EventBus(MemoryJournal())
    before = bus.committed()
    bus.close()
    before.result(0)
    with pytest.raises(RuntimeError, match="closed"):
        bus.committed().result(PATIENCE)
