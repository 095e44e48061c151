"""A flag that processes share, without a lock."""

import os
import select
from contextlib import suppress
from multiprocessing import reduction
from typing import Any, Protocol


class Event(Protocol):
    """Interface of all kinds of events: that of `threading`, of `multiprocessing`, and `SharedEvent`."""

    def is_set(self) -> bool:
        """Return whether the event is set."""

    def set(self) -> None:
        """Set the event."""

    def clear(self) -> None:
        """Make the event unset."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, and return whether it is."""


class SharedEvent:
    """Event on one descriptor, like `multiprocessing.Event`: a killed process does not block others.

    Waiting for it can be combined with other waits, because it has a `fileno`: readable means set.

    :param descriptor: that of an existing event, inherited from before this process executed a program; None
        for a new event
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK) if descriptor is None else descriptor
        os.set_inheritable(self._fd, False)

    def fileno(self) -> int:
        """Return the descriptor, readable while the event is set."""
        return self._fd

    def set(self) -> None:
        """Set the event: all waits for it end, in all processes."""
        if not self.is_set():
            os.eventfd_write(self._fd, 1)

    def clear(self) -> None:
        """Make the event unset."""
        with suppress(BlockingIOError):  # it may not be set
            os.eventfd_read(self._fd)

    def is_set(self) -> bool:
        """Return whether the event is set."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set.

        :param timeout: seconds to wait at most; None waits forever
        :returns: whether it is set
        """
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        """Close this process's descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        # Garbage collection may see an instance whose constructor did not get to the end.
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def __getstate__(self) -> Any:
        # Works only while a child is being started, which is when events are handed over.
        return reduction.DupFd(self._fd)

    def __setstate__(self, state: Any) -> None:
        self._fd = state.detach()
