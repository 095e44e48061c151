"""JSON in Tango strings: encoding, and parsing of clients' texts."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_TEXT = 1 << 20
"""Greatest length of a client's JSON, in characters."""

MAX_DEPTH = 64
"""Levels of nesting that a client's JSON may have."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def ascii_json(text: str) -> str:
    r"""Return the same JSON in ASCII: Tango strings are Latin-1, and JSON has ``\u`` for the rest.

    :param text: JSON text
    """
    # The check is free: Python stores that bit with each string.
    return text if text.isascii() else _NOT_ASCII.sub(_escape, text)


def json_list(texts: Iterable[str]) -> str:
    """Return a JSON list in ASCII.

    :param texts: its items, as JSON texts
    """
    return ascii_json(f"[{','.join(texts)}]")


def _escape(match: re.Match[str]) -> str:
    # Beyond the basic plane JSON wants the two halves of a surrogate pair.
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def load_json(text: str) -> Any:
    """Parse a client's JSON.

    Python's parser accepts more than JSON, and more than can be written as JSON again. A value that could not
    reach a script unchanged is refused.

    :param text: JSON text
    :raises ValueError: if it is not JSON; too long; nested too deeply; or contains a number beyond 64 bits,
        or half a character
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"the argument has {len(text)} characters, {MAX_TEXT} are allowed")
    try:
        value = json.loads(
            text, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"the argument is not valid JSON: {error}") from None
    except RecursionError:
        raise _too_deep() from None
    _require_portable(value, MAX_DEPTH)
    return value


def _parse_int(digits: str) -> int:
    # No number of 64 bits has as many digits; Python refuses to read many more, with another sentence.
    value = int(digits) if len(digits) <= 20 else None
    if value is None or not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"the number {digits[:40]} does not fit into 64 bits")
    return value


def _parse_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:40]} does not fit into 64 bits")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the argument is not valid JSON: JSON has no {name}")


def _require_portable(value: Any, levels: int) -> None:
    """Refuse texts that JSON can contain, but UTF-8 or another parser cannot."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise ValueError(
                f"the text {value[:40]!a} contains half a character, a surrogate without its pair"
            )
    elif isinstance(value, dict | list):
        if levels == 0:
            raise _too_deep()
        if isinstance(value, dict):
            for key in value:
                _require_portable(key, levels)
        for item in value.values() if isinstance(value, dict) else value:
            _require_portable(item, levels - 1)


def _too_deep() -> ValueError:
    return ValueError(f"the argument is nested too deeply: {MAX_DEPTH} levels are allowed")
