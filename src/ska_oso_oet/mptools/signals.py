"""Signal handling of workers: the first signals ask for shutdown, further ones raise an exception."""

import signal
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from .shared_event import Event

MAX_TERMINATE_CALLED = 3
"""How many signals it takes to end a worker by an exception; the ones before only set its shutdown event."""


class TerminateInterrupt(KeyboardInterrupt):
    """Raised in a worker to end it. Not an `Exception`, so that ``except Exception`` does not catch it.

    asyncio lets only `KeyboardInterrupt` and `SystemExit` pass through its tasks and callbacks.
    """


class SignalObject:
    """State of the signal handlers of a process.

    :param shutdown_event: set to ask for shutdown
    """

    def __init__(self, shutdown_event: Event) -> None:
        self.shutdown_event = shutdown_event
        self.terminate_called = 0


Handler = Callable[[SignalObject, type[BaseException], int, FrameType | None], Any]


def default_signal_handler(
    signal_object: SignalObject,
    exception_class: type[BaseException],
    signal_num: int,
    current_stack_frame: FrameType | None,
) -> None:
    """Ask for shutdown; once the limit of calls is exceeded, raise.

    :param signal_object: counts the calls
    :param exception_class: what to raise
    :param signal_num: POSIX signal number
    :param current_stack_frame: what the signal interrupted
    """
    signal_object.terminate_called += 1
    signal_object.shutdown_event.set()
    if signal_object.terminate_called >= MAX_TERMINATE_CALLED:
        raise exception_class


def init_signals(shutdown_event: Event, int_handler: Handler, term_handler: Handler) -> SignalObject:
    """Install handlers of SIGINT and SIGTERM in this process.

    :param shutdown_event: event that the handlers may set
    :param int_handler: handler of SIGINT
    :param term_handler: handler of SIGTERM
    :returns: the object that both handlers are given
    """
    signal_object = SignalObject(shutdown_event)
    signal.signal(signal.SIGINT, partial(int_handler, signal_object, KeyboardInterrupt))
    signal.signal(signal.SIGTERM, partial(term_handler, signal_object, TerminateInterrupt))
    return signal_object
