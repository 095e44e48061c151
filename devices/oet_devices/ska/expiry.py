"""Timers: functions that are called at a planned time, by a thread that exists from the beginning."""

import logging
import threading
import time
from collections.abc import Callable

LOGGER = logging.getLogger(__name__)


class Expiry:
    """Calls a function at the earliest planned time.

    Those of one name share a thread, which is started with the first and ends with the last of them: a
    system that refuses threads later does not stop them.

    :param function: what to call; it may plan the next call, and must not wait for anything
    :param name: name of the thread
    """

    def __init__(self, function: Callable[[], None], name: str) -> None:
        self._function = function
        self._timer = _Timer.of(name)
        self._timer.add(self)

    def __call__(self) -> None:
        """Call the function."""
        self._function()

    def plan(self, due: float) -> None:
        """Plan a call. Does nothing while one is planned.

        :param due: when, on the monotonic clock, in seconds
        """
        self._timer.plan(self, due)

    def close(self) -> None:
        """Stop calling. A call in progress ends before that."""
        self._timer.remove(self)


class _Timer:
    """The thread of all expiries of one name.

    :param name: its name
    :ivar users: how many expiries it has, or will have
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._due: dict[Expiry, float | None] = {}
        self._calling: Expiry | None = None
        self._ended = False
        self.users = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @classmethod
    def of(cls, name: str) -> "_Timer":
        """Return the timer of a name, for one more user."""
        with _lock:
            timer = _timers.get(name)
            if timer is None:
                timer = cls(name)
                timer.begin()
                _timers[name] = timer
            timer.users += 1
            return timer

    def begin(self) -> None:
        """Start the thread.

        :raises RuntimeError: if the system refuses it
        """
        self._thread.start()

    def add(self, expiry: Expiry) -> None:
        """Add an expiry of which no call is planned."""
        with self._changed:
            self._due[expiry] = None

    def plan(self, expiry: Expiry, due: float) -> None:
        """Plan a call, unless one is planned, or the expiry was removed."""
        with self._changed:
            if expiry in self._due and self._due[expiry] is None:
                self._due[expiry] = due
                self._changed.notify_all()

    def remove(self, expiry: Expiry) -> None:
        """Remove an expiry once it is not being called, and end the thread with the last one."""
        with self._changed:
            if self._due.pop(expiry, _REMOVED) is _REMOVED:
                return
            self._changed.wait_for(lambda: self._calling is not expiry)
        with _lock:
            self.users -= 1
            if self.users:
                return
            del _timers[self._name]
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while (expiry := self._next()) is not None:
            try:
                expiry()
            except Exception:
                # The others must still be called.
                LOGGER.exception("A planned call of %s failed", self._name)
            with self._changed:
                self._calling = None
                self._changed.notify_all()

    def _next(self) -> Expiry | None:
        """Wait for the time of a planned call, and return its expiry; None when there are no more users."""
        with self._changed:
            while not self._ended:
                planned = [(when, each) for each, when in self._due.items() if when is not None]
                if not planned:
                    self._changed.wait()
                    continue
                due, expiry = min(planned, key=lambda pair: pair[0])
                if (remaining := due - time.monotonic()) > 0:
                    self._changed.wait(remaining)
                else:
                    self._due[expiry] = None
                    self._calling = expiry
                    return expiry
            return None


_lock = threading.Lock()
_timers: dict[str, _Timer] = {}
_REMOVED = object()
