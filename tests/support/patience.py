"""Time limits of tests, and the one function that waits.

All limits are times a factor from the environment variable ``OET_TEST_PATIENCE``, for slow machines. A wait
ends when what it waits for is there: a long limit costs time only where a test fails.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

FACTOR = float(os.environ.get("OET_TEST_PATIENCE", "1"))
"""Factor of all limits."""


def patience(seconds: float) -> float:
    """Return a limit in seconds, times the factor of this machine.

    :param seconds: limit on a usual machine
    """
    return seconds * FACTOR


PATIENCE = patience(30.0)
"""Seconds in which anything that a test waits for must happen."""
LONG_PATIENCE = patience(100.0)
"""Seconds in which a program that does many things must end."""

_LOOK_AGAIN = 0.02
_LOOK_AGAIN_UNASKED = 1.0

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    what: str,
    changed: threading.Condition | None = None,
    seen: Callable[[], object] | None = None,
    limit: float = PATIENCE,
) -> T:
    """Wait until a condition holds, and return its value.

    :param condition: returns what is to be returned, or something false
    :param what: what is waited for, for the message
    :param changed: notified whenever the condition may have changed; without it the condition is looked at
        every few milliseconds, with it also every second
    :param seen: returns what there is instead, for the message
    :param limit: seconds, this machine's factor included
    :raises AssertionError: if the condition does not hold in time
    """
    deadline = time.monotonic() + limit
    interval = _LOOK_AGAIN if changed is None else _LOOK_AGAIN_UNASKED
    changed = changed or threading.Condition()
    with changed:
        while not (result := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {limit:g} s: {what}{f'; seen: {seen()}' if seen else ''}"
            changed.wait(min(left, interval))
        return result
