"""Times as people read them, in the local time zone."""

from datetime import datetime


def to_second(seconds: float) -> str:
    """Return a time as date and time of day.

    :param seconds: since 1970 (UTC)
    """
    return _local(seconds).strftime("%Y-%m-%d %H:%M:%S")


def to_microsecond(seconds: float) -> str:
    """Return a time as date and time of day, with microseconds.

    :param seconds: since 1970 (UTC)
    """
    return _local(seconds).strftime("%Y-%m-%d %H:%M:%S.%f")


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()
