"""Times as people read them, in the local time zone."""

from datetime import datetime


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


def _local(seconds: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):  # no date of the calendar: show what was sent
        return f"{seconds} s"
