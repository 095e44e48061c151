"""Parser for the values that a user gives to a script on the command line."""

import ast
import json
import math
import warnings
from typing import Any

_NO_LITERAL = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def read_value(text: str) -> Any:
    """Read a value as JSON, else as a Python literal, else take it as the text that it is.

    ``12``, ``true``, ``True``, ``null``, ``None``, ``[1, 2]``, ``{"a": 1}`` and ``'12'`` (the text) are
    literals. What JSON has no way to say (a set, ``nan``) remains text.

    :param text: as it was typed
    :returns: a JSON value
    """
    for reader in (_read_json, _read_python):
        try:
            return reader(text)
        except _NO_LITERAL:
            continue
    return text


def _read_json(text: str) -> Any:
    return _as_json(json.loads(text))


def _read_python(text: str) -> Any:
    with warnings.catch_warnings():
        # '\d' is fine as text: no warning about Python's escape sequences is shown.
        warnings.simplefilter("ignore")
        return _as_json(ast.literal_eval(text))


def _as_json(value: Any) -> Any:
    """Return the value as JSON has it; a tuple becomes a list.

    :raises ValueError: if JSON has no such value
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [_as_json(item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _as_json(item) for key, item in value.items()}
    raise ValueError(f"not a JSON value: {value!r}")
