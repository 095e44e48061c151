"""Checks of identifiers that become part of a path, a URL or a database query."""

import re

from .errors import InvalidIdentifierError

MAX_VERSION = 2**31 - 1
"""The greatest version that a database column of type integer holds."""

# Neither "." nor ".." nor an option; no slash, quote, space or control character.
ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
"""Regular expression of a whole ID."""

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Return whether a text could be the ID of something."""
    return _ID.fullmatch(text) is not None


def checked_id(name: str, value: object) -> str:
    """Return an ID if it is one.

    :param name: what it is called, e.g. ``sbd_id``
    :param value: the ID
    :raises InvalidIdentifierError: if it contains characters that an ID cannot contain
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidIdentifierError(
            f"{name} {value!r} is malformed: give up to 128 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit, such as 'sbd-123'"
        )
    return value


def checked_version(value: object) -> int:
    """Return the version of a Scheduling Block if it is one.

    :param value: the version
    :raises InvalidIdentifierError: if it is not a positive integer
    """
    if type(value) is not int or not 1 <= value <= MAX_VERSION:
        raise InvalidIdentifierError(f"version {value!r} is malformed: give 1, 2, …, or none for the newest")
    return value
