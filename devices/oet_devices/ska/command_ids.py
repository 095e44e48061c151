"""IDs of long-running commands: ``<unix time>_<number>_<CommandName>``.

Clients take the name of the command from behind the last underscore.
"""

import itertools
import threading
import time

_TICKS_PER_SECOND = 10_000_000
"""Command IDs give the time to seven decimals."""


class CommandIds:
    """Generator of the IDs of one device's commands. No two have the same time, so each is unique."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ticks = 0
        self._numbers = itertools.count(1)

    def new(self, name: str, number: int | None = None) -> str:
        """Return a new ID.

        :param name: name of the command
        :param number: number of its subject, e.g. the ID of a procedure; by default a running number
        :raises ValueError: if the name contains an underscore: clients could not read it from the ID
        """
        if not name or "_" in name:
            raise ValueError(f"{name!r} cannot be the name of a long-running command: it has an underscore")
        with self._lock:
            # Two commands within a tick, or a clock that was put back, must not give an ID twice.
            self._last_ticks = max(time.time_ns() * _TICKS_PER_SECOND // 10**9, self._last_ticks + 1)
            seconds, fraction = divmod(self._last_ticks, _TICKS_PER_SECOND)
            if number is None:
                number = next(self._numbers)
        return f"{seconds}.{fraction:07d}_{number}_{name}"
