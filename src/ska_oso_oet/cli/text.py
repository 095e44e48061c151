"""Formats of texts and times for people."""

import json
from datetime import datetime


def printable(text: str) -> str:
    """Show control characters, which a terminal would obey, as escapes; keep newlines and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def printable_json(text: str) -> str:
    """Show control characters, which a terminal would obey, as escapes of JSON: it means the same.

    :param text: JSON text
    """
    return "".join(c if c.isprintable() or c in "\n\t" else json.dumps(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Join the lines of a text, and show control characters as escapes."""
    return printable(" ".join(text.split()))


def to_second(seconds: float) -> str:
    """Return a time as date and time of day.

    :param seconds: since 1970 (UTC)
    """
    return _local(seconds, "%Y-%m-%d %H:%M:%S")


def to_microsecond(seconds: float) -> str:
    """Return a time as date and time of day, with microseconds.

    :param seconds: since 1970 (UTC)
    """
    return _local(seconds, "%Y-%m-%d %H:%M:%S.%f")


def day_and_time(seconds: float) -> str:
    """Return a time as time of day, with milliseconds; on another day than today with the date.

    :param seconds: since 1970 (UTC)
    """
    day, time = _local(seconds, "%Y-%m-%d"), _local(seconds, "%H:%M:%S.%f")[:-3]
    return time if day == datetime.now().astimezone().strftime("%Y-%m-%d") else f"{day} {time}"


def _local(seconds: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):  # no date of the calendar: show what was sent
        return f"{seconds} s"
