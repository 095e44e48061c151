"""A thread that works when it is woken, or when the time has come that its work asked for."""

import logging
import threading
from collections.abc import Callable
from typing import Final

LOGGER = logging.getLogger(__name__)

_AFTER_FAILURE_S: Final = 5.0


class MaintenanceThread:
    """Calls a function whenever it is woken, one call at a time.

    :param work: returns the seconds after which it is to be called though nobody wakes it; None for never
    """

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._condition = threading.Condition()
        self._woken = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="oet-journal-maintenance", daemon=True)

    def start(self) -> None:
        """Begin; the function is called soon."""
        self._woken = True
        self._thread.start()

    def wake(self) -> None:
        """Have the function called soon. Wakings while it runs make one more call."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    @property
    def closing(self) -> bool:
        """Whether the function should come to an end."""
        return self._closing

    def close(self) -> None:
        """Wait for a call that is under way, and end."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        delay: float | None = None
        while self._wait(delay):
            try:
                delay = self._work()
            except Exception:
                # Nobody would start this thread again.
                LOGGER.exception("The journal's maintenance failed; it is tried again")
                delay = _AFTER_FAILURE_S

    def _wait(self, delay: float | None) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._woken or self._closing, delay)
            self._woken = False
            return not self._closing
