"""Interruptions of the end of a script that come late: Python calls handlers of signals when it can."""

import signal
from collections.abc import Iterator
from functools import partial

import pytest

from ska_oso_oet.mptools import SignalObject
from ska_oso_oet.mptools.shared_event import SharedEvent
from ska_oso_oet.mptools.signals import TerminateInterrupt
from ska_oso_oet.procedure.worker.stopping import Stop, script_signal_handler


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A stop whose script has ended, and has 10 s for its end."""
    stop = Stop(script_signal_handler)
    event = SharedEvent()
    former = signal.signal(signal.SIGTERM, partial(stop.handle, SignalObject(event), TerminateInterrupt))
    try:
        stop.install()
        stop.begin_end(10.0)
        yield stop
    finally:
        signal.signal(signal.SIGTERM, former)
        event.close()


def test_a_step_is_interrupted(stop: Stop) -> None:
    stop.is_in_step = True
    with pytest.raises(TerminateInterrupt):
        stop.cut()


def test_what_comes_after_the_steps_is_not_interrupted(stop: Stop) -> None:
    stop.is_in_step = True
    stop.is_in_step = False
    stop.cut()
    # The next step is not interrupted by the signal of this one either.
    stop.is_in_step = True
    signal.raise_signal(signal.SIGTERM)
