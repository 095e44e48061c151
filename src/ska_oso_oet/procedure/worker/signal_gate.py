"""Gate for signals in the process of a script: they interrupt the script, but not its messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ska_oso_oet.mptools import SignalObject
from ska_oso_oet.mptools.signals import Handler


class SignalGate:
    """Holds signals back while they must not interrupt: while a message is being sent.

    The handlers run in the main thread only, so that only there a gate needs to be closed.

    :param handler: handles a signal that passes
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._closed = False
        self._waiting: tuple[SignalObject, type[BaseException], int, FrameType | None] | None = None

    def handle(
        self,
        signal_object: SignalObject,
        exception_class: type[BaseException],
        signal_num: int,
        current_stack_frame: FrameType | None,
    ) -> None:
        """Handle a signal: at once, or when the gate opens."""
        if self._closed:
            self._waiting = (signal_object, exception_class, signal_num, current_stack_frame)
        else:
            self._handler(signal_object, exception_class, signal_num, current_stack_frame)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Hold back signals; one that came meanwhile is handled at the end."""
        if threading.current_thread() is not threading.main_thread() or self._closed:
            yield
            return
        self._closed = True
        try:
            yield
        finally:
            self._closed = False
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._handler(*waiting)
