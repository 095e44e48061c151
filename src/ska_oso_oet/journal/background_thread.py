"""A thread that calls a function when it is woken, or after the delay that the function has returned."""

import logging
import threading
from collections.abc import Callable
from typing import Final

LOGGER = logging.getLogger(__name__)

_AFTER_FAILURE_S: Final = 5.0


class BackgroundThread:
    """Calls a function whenever it is woken, one call at a time.

    :param work: the function; returns the seconds after which to call it again unless woken, None for never
    """

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._condition = threading.Condition()
        self._woken = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="oet-journal-maintenance", daemon=True)

    def start(self) -> None:
        """Start the thread; the function is called soon."""
        self._woken = True
        self._thread.start()

    def wake(self) -> None:
        """Wake the thread: the function is called soon; if it is running, once more."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    @property
    def closing(self) -> bool:
        """Whether the function should return soon."""
        return self._closing

    def close(self) -> None:
        """Wait for a running call, and end the thread."""
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
                # Nothing would restart this thread.
                LOGGER.exception("The background thread of the journal failed; it tries again")
                delay = _AFTER_FAILURE_S

    def _wait(self, delay: float | None) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._woken or self._closing, delay)
            self._woken = False
            return not self._closing
