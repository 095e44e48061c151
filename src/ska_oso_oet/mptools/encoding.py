"""Messages as lines of JSON.

Any value of a user's code can be sent: what JSON cannot express is rendered with jsonpickle, or as its
``repr``. Messages are text, never pickles, so that receiving a message runs no foreign code.
"""

import math
from typing import Any

import orjson

from .messages import EventMessage

MAX_MESSAGE = 1 << 20
"""Greatest size of a message in bytes. Tango and browsers can carry this much."""

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY

_FINITE = (str, int, orjson.Fragment)
_PLAIN = frozenset({str, int, bool, type(None), orjson.Fragment})
"""The most frequent of them, and None."""


class MessageTooLargeError(ValueError):
    """A message is too large to be sent.

    :ivar size: its size in bytes
    """

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the message has {size} bytes, {MAX_MESSAGE} are allowed: send less, or write a file"
        )
        self.size = size


def encode(item: Any, limit: int | None = MAX_MESSAGE) -> bytes:
    """Return a message as one line of JSON text, with its newline.

    An EventMessage comes out of `decode` as an EventMessage, anything else as the JSON value nearest to it.

    :param limit: greatest length of the line in bytes, None for any
    :raises MessageTooLargeError: if the line would be longer
    """
    # Not `isinstance`, which asks the item for its class: that may raise.
    is_event = issubclass(type(item), EventMessage)
    value = [item.msg_src, item.msg_type, item.msg] if is_event else [item]
    line = to_json(value)
    if limit is not None and len(line) > limit:
        raise MessageTooLargeError(len(line))
    return line + b"\n"


def decode(line: bytes) -> Any:
    """Return the message that a line holds.

    :param line: a line as `encode` makes it, with or without its newline
    :raises ValueError: if it is not such a line
    """
    value = orjson.loads(line)
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, list) and len(value) == 3:
        return EventMessage(*value)
    raise ValueError(f"not a message: {line[:200]!r}")


def to_json(value: Any) -> bytes:
    """Return a value as JSON text in one line; what JSON cannot express is rendered. Never raises."""
    try:
        text = orjson.dumps(value, default=_render, option=_OPTIONS)
        # orjson writes null for NaN and infinity, too.
        if b"null" not in text or _is_finite(value):
            return text
    except Exception:  # noqa: S110
        # Integers beyond 64 bits, lone surrogates, circles, keys that raise: orjson refuses the whole for
        # one part of it.
        pass
    from .rendering import Plain

    return orjson.dumps(Plain().rebuild(value))


def _is_finite(value: Any) -> bool:
    """Return whether a value is, at all levels, one of JSON's own, so that null means None."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is dict:
        # A call for each item would take longer than all other processing of an event.
        for key, item in value.items():
            if not (type(key) in _PLAIN or _is_finite(key)) or not (type(item) in _PLAIN or _is_finite(item)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_is_finite, value))
    if kind is float:
        return math.isfinite(value)
    return issubclass(kind, _FINITE)


def _render(value: Any) -> Any:
    """Render what JSON does not know."""
    # Imported late: most messages never need it, and it takes a while.
    from .rendering import render

    return render(value)
