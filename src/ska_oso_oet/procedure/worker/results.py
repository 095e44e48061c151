"""Results of functions, in the form in which they are kept."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from ska_oso_oet.mptools.encoding import to_json

MAX_RESULT = 64 * 1024
"""Bytes of JSON that a result may have."""


def result_facts(value: Any) -> dict[str, Any]:
    """Return the result of a procedure, for its summary.

    :param value: the return value of its function
    :returns: ``result``, or ``result_omitted`` with a description and the reason
    """
    if value is None:
        return {}
    kind = type(value).__name__
    with suppress(Exception):  # a script's object may raise when it is read
        if _is_surely_too_large(value):
            return {"result_omitted": _omitted(kind, f"more than {MAX_RESULT} bytes")}
    text = to_json(value)
    if len(text) > MAX_RESULT:
        return {"result_omitted": _omitted(kind, f"{len(text)} bytes")}
    return {"result": orjson.Fragment(text)}


def _omitted(kind: str, size: str) -> str:
    return (
        f"the result, of type {kind}, has {size} as JSON, and {MAX_RESULT} are kept: "
        "write it to a file in the working directory"
    )


def _is_surely_too_large(value: Any) -> bool:
    """Return whether a value cannot fit; writing it as JSON to find out could take all memory.

    Each part of a value takes at least one byte.
    """
    left = MAX_RESULT
    waiting = [value]
    while waiting and left >= 0:
        each = waiting.pop()
        size = getattr(each, "size", 1) if type(each).__module__ == "numpy" else 1
        if isinstance(each, str | bytes | list | tuple | set | frozenset | Mapping):
            size = len(each)
        left -= size if isinstance(size, int) else 1
        if left >= 0 and isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif left >= 0 and isinstance(each, dict):
            waiting += each.values()
    return left < 0
