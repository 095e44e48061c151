"""Distribution of events to observers."""

from collections.abc import Callable

import tango

from ska_oso_oet.tango import Callback


class Observer:
    """Keeps events, and does something else with each.

    :param then: what else
    """

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.events: list[tango.EventData] = []
        self._then = then

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Observer)

    def notify(self, evt: tango.EventData) -> None:
        """Keep an event."""
        self.events.append(evt)
        self._then()


def test_equal_observers_are_still_two() -> None:
    callback, observers, event = Callback(), [Observer(), Observer()], tango.EventData()
    for observer in observers:
        callback.register_observer(observer)
    callback.notify_observers(event)
    assert [observer.events for observer in observers] == [[event], [event]]


def test_nothing_comes_after_unregistering_has_returned() -> None:
    """Not even the event that is being distributed: its observer may have gone on to something else."""
    callback, last = Callback(), Observer()
    first = Observer(then=lambda: callback.unregister_observer(last))
    callback.register_observer(first)
    callback.register_observer(last)
    callback(tango.EventData())
    assert len(first.events) == 1
    assert last.events == []


def test_unregistering_a_stranger_is_ignored() -> None:
    Callback().unregister_observer(Observer())
