"""Signals ask first and insist when they are repeated; the shared event carries the question."""

import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import wait

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.mptools import (
    SharedEvent,
    SignalObject,
    TerminateInterrupt,
    default_signal_handler,
    init_signals,
)


@pytest.fixture
def event() -> Iterator[SharedEvent]:
    """An event that nobody has set."""
    made = SharedEvent()
    yield made
    made.close()


@pytest.fixture
def _usual_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_event_is_set_until_it_is_cleared(event: SharedEvent) -> None:
    assert not event.is_set()
    assert not event.wait(0.01)
    event.set()
    event.set()
    assert event.is_set()
    assert event.wait()
    assert wait([event], PATIENCE) == [event]  # type: ignore[list-item, comparison-overlap]
    event.clear()
    event.clear()
    assert not event.is_set()


def test_setting_an_event_ends_all_waits_for_it(event: SharedEvent) -> None:
    results: list[bool] = []
    waiting = [threading.Thread(target=lambda: results.append(event.wait(PATIENCE))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    event.set()
    for thread in waiting:
        thread.join(PATIENCE)
    assert results == [True] * 3


def test_the_first_signals_ask_and_the_third_insists(event: SharedEvent) -> None:
    known = SignalObject(event)
    default_signal_handler(known, TerminateInterrupt, signal.SIGTERM, None)
    assert event.is_set()
    default_signal_handler(known, TerminateInterrupt, signal.SIGTERM, None)
    with pytest.raises(TerminateInterrupt):
        default_signal_handler(known, TerminateInterrupt, signal.SIGTERM, None)
    assert known.terminate_called == 3


@pytest.mark.usefixtures("_usual_handlers")
def test_each_signal_has_its_handler_and_its_exception(event: SharedEvent) -> None:
    def insist(known: SignalObject, exception_class: type[BaseException], number: int, frame: object) -> None:
        known.terminate_called += 1
        raise exception_class(number)

    known = init_signals(event, insist, insist)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(TerminateInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert known.terminate_called == 2


def test_no_except_exception_of_a_user_catches_the_interrupt() -> None:
    assert not issubclass(TerminateInterrupt, Exception)
