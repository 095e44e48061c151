"""Delivery of a stop to a script: an exception in its main thread, in asyncio the cancellation of a task.

An exception can be lost: in ``__del__``, in a callback of the garbage collector or of C code, in a script's
``except BaseException: pass``. So it is raised again, until it has led to clean-up or to the script's end.
"""

import _thread
import asyncio
import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

from ska_oso_oet.mptools import SignalObject
from ska_oso_oet.mptools.signals import Handler

_PERIOD = 0.2
"""Seconds after which a stop that had no effect is delivered again."""

_READING_TIME = 0.5
"""Seconds, at most, between the signal of a stop and the request for it being read."""

_MARGIN = 0.1
"""Share of the grace period that is left to the process for its end, before it is killed."""

_STOPS = (KeyboardInterrupt, asyncio.CancelledError)

_LOOP_MODULES = ("asyncio.events", "asyncio.base_events", "asyncio.runners")


def script_signal_handler(
    signal_object: SignalObject,
    exception_class: type[BaseException],
    signal_num: int,
    current_stack_frame: FrameType | None,
) -> None:
    """Interrupt the script by an exception. The other workers continue: no shutdown event is set.

    :param signal_object: counts the calls
    :param exception_class: what to raise
    :param signal_num: POSIX signal number
    :param current_stack_frame: what the signal interrupted
    """
    signal_object.terminate_called += 1
    raise exception_class


def is_stop(error: BaseException) -> bool:
    """Return whether an exception is one by which a stop interrupts a script."""
    return isinstance(error, _STOPS)


class Stop:
    """Delivers SIGTERM to a script; again, if it was a request to stop and had no effect.

    :param handler: interrupts the script
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._installed: Any = None
        self._requested_at: float | None = None
        self._request_read = threading.Event()
        self.is_delivered = False
        """Whether the script has been interrupted, or is about to be."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends = False
        self._is_bounded = False
        self._cut = False
        self.is_in_step = False
        """Whether the main thread does a step of the script's end, which may be interrupted."""

    def install(self) -> None:
        """Store the signal handler that leads here, which a script may replace."""
        self._installed = signal.getsignal(signal.SIGTERM)

    def request(self) -> None:
        """The server has requested a stop, and sends SIGTERM. Called by any thread but the main one."""
        self._requested_at = time.monotonic()
        self._request_read.set()
        # The start of a thread unblocks signals for a moment: this one would take the SIGTERM that is meant
        # to wake the main thread.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        with suppress(RuntimeError):  # the system grants no more threads: the first signal must do
            _thread.start_new_thread(self._insist, ())

    def is_requested(self) -> bool:
        """Return whether the server has requested a stop of this process.

        After a signal, waits for the request: the server sends it first, but it may be read later.
        """
        return self._request_read.wait(_READING_TIME if self.is_delivered else 0)

    @property
    def interrupts(self) -> bool:
        """Whether a stop interrupts the script; a handler of its own is left to decide."""
        return signal.getsignal(signal.SIGTERM) is self._installed

    def _insist(self) -> None:
        while not self._ends:
            time.sleep(_PERIOD)
            if not self._ends and self.interrupts:
                _interrupt_main()

    def handle(
        self,
        signal_object: SignalObject,
        exception_class: type[BaseException],
        signal_num: int,
        current_stack_frame: FrameType | None,
    ) -> None:
        """Handle SIGTERM, in the main thread."""
        self.is_delivered = True
        if self._ends:
            # The end has begun, and may take a while; but a step that hangs is interrupted. Python may call
            # this later than the signal came: nothing but a step must be interrupted.
            cuts, self._cut = self._cut and self.is_in_step, False
            if self._is_bounded and not cuts:
                return
        elif self._is_taking_effect(current_stack_frame) or self._cancel(current_stack_frame):
            return
        self._handler(signal_object, exception_class, signal_num, current_stack_frame)

    def _is_taking_effect(self, frame: FrameType | None) -> bool:
        """Return whether the script is cleaning up because of a stop: nothing must interrupt that."""
        loop = _running_loop()
        # While a loop runs, an exception outside of it is only waiting for the end of the tasks.
        inside = [] if loop is None else list(_frames_inside_loop(frame))
        error = sys.exc_info()[1]
        while error is not None:
            handler = error.__traceback__.tb_frame if error.__traceback__ is not None else None
            if is_stop(error) and (loop is None or handler in inside):
                return True
            error = error.__context__
        return loop is not None and any(_cleans_up(task.get_coro()) for task in asyncio.all_tasks(loop))

    def _cancel(self, frame: FrameType | None) -> bool:
        """Cancel the tasks of an event loop of the main thread, once. Returns whether there was anything."""
        loop = _running_loop()
        if loop is None or loop is self._loop:
            return False
        self._loop = loop
        # While `asyncio.run` runs, SIGINT has a handler that cancels the main task, and wakes the loop.
        on_interrupt = signal.getsignal(signal.SIGINT)
        runner = getattr(getattr(on_interrupt, "func", None), "__self__", None)
        if isinstance(runner, asyncio.Runner) and callable(on_interrupt):
            on_interrupt(signal.SIGINT, frame)
            return True
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.call_soon_threadsafe(lambda: None)
        return bool(tasks)

    def disown(self) -> None:
        """Called in a process that the script has forked: SIGTERM has its default effect there."""
        self._installed = signal.SIG_DFL
        self._requested_at = None
        self._request_read = threading.Event()
        self.is_delivered = False

    # The end of the process

    def begin_end(self, grace: float | None) -> float | None:
        """Deliver no stop from now on: the script has ended.

        :param grace: seconds of the grace period
        :returns: the time, in that of `time.monotonic`, by which the process should have ended
        """
        self._ends = True
        self._is_bounded = grace is not None
        signal.signal(signal.SIGTERM, self._installed)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if grace is None:
            return None
        now = time.monotonic()
        if self._requested_at is None:
            return now + grace
        # A script that has used it up for its clean-up still has a moment for its files.
        return max(self._requested_at + grace * (1 - _MARGIN), now + grace * _MARGIN / 2)

    def cut(self) -> None:
        """Interrupt the main thread at the script's end. Called by another thread."""
        self._cut = True
        _interrupt_main()


def _interrupt_main() -> None:
    """Make the main thread handle SIGTERM, also where it waits in the kernel."""
    ident = threading.main_thread().ident
    assert ident is not None, "it runs"  # noqa: S101
    with suppress(ProcessLookupError):
        signal.pthread_kill(ident, signal.SIGTERM)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _frames_inside_loop(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames that an event loop is executing, innermost first."""
    while frame is not None and frame.f_globals.get("__name__") not in _LOOP_MODULES:
        yield frame
        frame = frame.f_back


def _cleans_up(coroutine: Any) -> bool:
    """Return whether a coroutine, or one that it awaits, is suspended in the handling of a stop."""
    while coroutine is not None:
        # The exception that a suspended coroutine is handling is one of the objects that it refers to.
        if any(isinstance(each, _STOPS) for each in gc.get_referents(coroutine)):
            return True
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return False
