"""Members of enumerations for the values of DevEnum attributes."""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Any, cast


def members(value: Any, name: str, labels: tuple[str, ...]) -> Any:
    """Return the enumeration members of a value that was read.

    PyTango's own conversion splits labels at spaces, so that ``"NOT READY"`` becomes two members.

    :param value: an int, None, or an array of one or two dimensions
    :param name: name of the attribute, which the enumeration is named after
    :param labels: the attribute's labels
    :returns: a member, None, or nested tuples of members; a number without a label stays an ``int``
    """
    if value is None:
        return None
    if isinstance(value, Iterable):
        return tuple(members(each, name, labels) for each in value)
    enumeration = _enumeration(name, labels)
    number = int(value)
    return enumeration(number) if enumeration is not None and 0 <= number < len(labels) else number


@lru_cache
def _enumeration(name: str, labels: tuple[str, ...]) -> type[IntEnum] | None:
    """Return the enumeration with these labels, None if Python allows none of such names."""
    try:
        enumeration = cast(Any, IntEnum)(name, [(label, number) for number, label in enumerate(labels)])
    except (TypeError, ValueError):
        return None
    return cast(type[IntEnum], enumeration)
