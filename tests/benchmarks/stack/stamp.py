"""Texts of a given length with the time of their creation, on the clock that all processes share."""

import time

_LENGTH = 20


def stamped(size: int) -> str:
    """Return a text that begins with the time at which it was made.

    :param size: its length, at least 21
    """
    return f"@{time.monotonic_ns():0{_LENGTH}d}".ljust(size, ".")


def stamp_of(text: str) -> int:
    """Return when a text was made that is, or contains, what `stamped` returned: nanoseconds, monotonic.

    :param text: that text
    """
    start = text.index("@") + 1
    return int(text[start : start + _LENGTH])
