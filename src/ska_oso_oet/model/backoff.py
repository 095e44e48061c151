"""Delays between attempts."""

from typing import Self


class Backoff:
    """An endless iterator of delays: each is twice as long as the one before, up to a longest one.

    :param first: the first delay, in seconds
    :param longest: the longest, in seconds
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> float:
        delay = self._next
        self._next = min(2 * delay, self._longest)
        return delay

    def reset(self) -> None:
        """Begin with the first delay again, after an attempt that succeeded."""
        self._next = self._first
