"""JSON as Tango strings can hold it."""

import re

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def ascii_json(text: str) -> str:
    r"""Return the same JSON in ASCII: Tango strings are Latin-1, and JSON has ``\u`` for the rest.

    :param text: JSON text
    """
    # Asking costs nothing: Python keeps that bit with each string.
    return text if text.isascii() else _NOT_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    # Beyond the basic plane JSON wants the two halves of a surrogate pair.
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
