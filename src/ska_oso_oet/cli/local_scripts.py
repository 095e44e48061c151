"""Scripts on the user's host instead of the host of the OET: their text is sent."""

import sys
import tokenize
from pathlib import Path

from ska_oso_oet.model import EmbeddedStringScript

from .errors import CommandError

STANDARD_INPUT = "-"


def is_local(place: str) -> bool:
    """Return whether a user has named a script on this host: a path, or a dash for standard input."""
    return "://" not in place


def read_local_script(place: str) -> EmbeddedStringScript:
    """Read the text of a script.

    :param place: path of its file, or ``-`` for standard input
    :raises CommandError: if it cannot be read, or is not text
    """
    try:
        if place == STANDARD_INPUT:
            return EmbeddedStringScript(_decoded(sys.stdin.buffer.read(), "standard input"))
        return EmbeddedStringScript(_decoded(Path(place).read_bytes(), place))
    except OSError as error:
        raise CommandError(
            f"The file {place} cannot be read here: {error.strerror}. For a script on the host of the OET "
            "write file:///path/to/script.py: 'oet scripts list' lists those that can be run"
        ) from None


def _decoded(data: bytes, name: str) -> str:
    """Return the text of a script, in the encoding that it declares as Python scripts do.

    :raises CommandError: if it is not in that encoding
    """
    lines = iter(data.splitlines(keepends=True))
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} is not a Python script: {error}") from None
