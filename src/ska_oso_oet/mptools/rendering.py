"""Rendering of values that JSON cannot express as the nearest values that it can.

Such values come from a user's code. For any value, with any methods, nothing here may raise, alter the value,
or run without end.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import jsonpickle
import orjson

MAX_DEPTH = 32
"""Levels of nesting that are kept of a value that is rebuilt; what lies deeper is abbreviated."""

MAX_PARTS = 100_000
"""Parts of a value that are rebuilt. A value with loops has no end; this much does not fit in a message."""

_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}
"""Texts for what JSON has no number for; they are those of JavaScript, and Python's float() reads them."""
_MAX_REPR = 10_000
# jsonpickle does not render these in a readable form; and iterating would consume an iterator.
_SHOWN_AS_REPR = (BaseException, Iterator, complex, range, memoryview, bytes, bytearray)

_CONTAINERS = (dict, list, tuple, set, frozenset)


def render(value: Any) -> Any:
    """Return the replacement of a value that JSON cannot express: its attributes, or its ``repr``.

    :returns: a value that contains, at every level, JSON values or values to be passed to this function
    """
    try:
        text = _as_text(value)
        if text is not None:
            return text
        array = _array_to_list(value)
        if array is not None:
            return array
        if (plain := _as_container(value)) is not None:
            return plain
        return _Renderer(unpicklable=False, max_depth=8).flatten(value)
    except Exception:  # the value is of a user's class: its methods may raise anything
        return safe_repr(value)


class _Renderer(jsonpickle.Pickler):  # type: ignore[misc]
    """A pickler that does not write null for values that it cannot express."""

    def _flatten_obj(self, obj: Any) -> Any:
        if isinstance(obj, _SHOWN_AS_REPR):
            return safe_repr(obj)
        text = _as_text(obj)
        if text is not None:
            return text
        array = _array_to_list(obj)
        if array is not None:
            return array
        if (plain := _as_container(obj)) is not None:
            obj = plain
        if self._max_reached():
            return _abbreviated(obj)
        flat = super()._flatten_obj(obj)
        return safe_repr(obj) if flat is None else flat

    def _flatten_bytestring(self, obj: Any) -> Any:
        return safe_repr(obj)


def _as_text(value: Any) -> Any:
    """Return a path as text and a float as one that JSON has, None for anything else."""
    kind = type(value)
    if issubclass(kind, PurePath):
        return safe_text(str(value))
    return _scalar(value) if issubclass(kind, float) else None


def _as_container(value: Any) -> Any:
    """Return a container that JSON has for one of the standard library's, None for anything else."""
    kind = type(value)
    if issubclass(kind, frozenset | deque):
        return list(value)
    return dict(value) if issubclass(kind, MappingProxyType) else None


def _array_to_list(value: Any) -> Any:
    """Return the elements of a numpy array or scalar, None for anything else."""
    # By name: numpy need not be there, and loading it takes a while.
    if type(value).__module__.partition(".")[0] != "numpy" or not hasattr(value, "tolist"):
        return None
    elements = value.tolist()
    return safe_repr(value) if isinstance(elements, complex | bytes) else elements


class Plain:
    """Rebuilds a value from what any JSON encoder accepts."""

    def __init__(self) -> None:
        self._left = MAX_PARTS
        self._inside: set[int] = set()

    def rebuild(self, value: Any, depth: int = 0) -> Any:
        """Return a value of JSON that is nearest to a value, at all levels."""
        try:
            return self._rebuild(value, depth)
        except Exception:  # even asking for its class may raise
            return safe_repr(value)

    def _rebuild(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if value is None or isinstance(value, bool | str | int | float):
            return _scalar(value)
        if depth > MAX_DEPTH or self._left < 0 or id(value) in self._inside:
            return _abbreviated(value)
        self._inside.add(id(value))
        try:
            return self._rebuild_parts(value, depth + 1)
        finally:
            self._inside.discard(id(value))

    def _rebuild_parts(self, value: Any, depth: int) -> Any:
        if isinstance(value, orjson.Fragment | Enum | date | time | UUID):
            return _native(value)
        if is_dataclass(value) and not isinstance(value, type):
            public = [field.name for field in fields(value) if not field.name.startswith("_")]
            return {name: self.rebuild(getattr(value, name), depth) for name in public}
        if isinstance(value, dict):
            return {_key(key): self.rebuild(item, depth) for key, item in value.items()}
        if isinstance(value, _CONTAINERS):
            return [self.rebuild(item, depth) for item in value]
        return self.rebuild(render(value), depth)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        # Beyond 64 bits, readers would convert it to a float without a warning.
        return int(value) if -(1 << 63) <= value < 1 << 64 else safe_repr(value)
    return float(value) if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")


def _key(key: Any) -> str:
    # The key is not asked for its class: that may raise.
    kind = type(key)
    if issubclass(kind, str):
        return safe_text(key)
    text = _as_text(key)
    if isinstance(text, str):
        return text
    try:
        return str(next(iter(orjson.loads(orjson.dumps({key: 0}, option=orjson.OPT_NON_STR_KEYS)))))
    except Exception:  # a key of a user's class
        return safe_repr(key)


def _native(value: Any) -> Any:
    """Return a value that orjson knows as it writes it; that of an enumeration member is rendered."""
    if isinstance(value, orjson.Fragment):
        return value
    if isinstance(value, Enum):
        return Plain().rebuild(value.value)
    return orjson.loads(orjson.dumps(value))


def _abbreviated(value: Any) -> str:
    """Return the replacement of a value of which no parts are shown."""
    # The repr of containers that hold each other grows with the number of ways through them.
    return f"<{type(value).__name__} ...>" if isinstance(value, _CONTAINERS) else safe_repr(value)


def safe_text(value: str) -> str:
    """Return a text that UTF-8 can encode."""
    return value.encode("utf-8", "backslashreplace").decode()


def safe_repr(value: Any) -> str:
    """Return the ``repr`` of a value, abbreviated if it is long."""
    try:
        return safe_text(repr(value)[:_MAX_REPR])
    except Exception:  # see `render`
        return f"<{type(value).__name__} without a usable repr>"
