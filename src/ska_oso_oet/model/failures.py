"""The line of a stack trace that says what went wrong."""

import re
import textwrap
from collections.abc import Sequence

_FRAME = re.compile(r'\s*File "')
_FRAME_LINE = re.compile(r'^[ |]*File "', re.MULTILINE)
_MAX_LENGTH = 1000
_MAX_GAP = 100
"""Characters, at most, of the line that stands for what is left out."""


def failure_line(stacktrace: str | None) -> str:
    """Return the last line of a stack trace: the exception, without the calls that led to it.

    :param stacktrace: a stack trace as Python writes it; or the reason of a failure, and after its first
        line what led to it
    :returns: one line, of at most 1000 characters
    """
    lines = (stacktrace or "").strip().splitlines()
    frames = [index for index, line in enumerate(lines) if _FRAME.match(line)]
    if not frames:
        return _one_line(lines[:1]) or "The script failed without saying why."
    below = lines[frames[-1] + 1 :]
    # The source of the frame is indented. An exception may have several lines: of those of Tango, the last
    # is only a bracket.
    start = next((index for index, line in enumerate(below) if not line.startswith(" ")), len(below) - 1)
    return _one_line(below[start:])


def abridged(text: str, limit: int) -> str:
    """Return a text; of a long one, its head and its tail.

    In a stack trace, the last call and the beginning of its message are kept as well.

    :param text: a stack trace, or any text
    :param limit: characters that are kept, at most
    """
    if len(text) <= limit:
        return text
    part = (limit - 2 * _MAX_GAP) // 3
    tail = len(text) - part
    frames = list(_FRAME_LINE.finditer(text, part, tail))
    if not frames or not _FRAME_LINE.search(text):
        return _without(text, (limit - _MAX_GAP) // 2, len(text) - (limit - _MAX_GAP) // 2)
    begin = max(frames[-1].start(), part)
    if _FRAME_LINE.search(text, tail):
        # The tail has the last call.
        return _without(text, (limit - _MAX_GAP) // 3, len(text) - (limit - _MAX_GAP) * 2 // 3)
    middle = text[begin : min(begin + part, tail)]
    return _gap(text[:part], begin - part) + _gap(middle, tail - begin - len(middle)) + text[tail:]


def _without(text: str, begin: int, end: int) -> str:
    return _gap(text[:begin], end - begin) + text[end:]


def _gap(before: str, left_out: int) -> str:
    return f"{before}\n[… {left_out} characters are left out …]\n" if left_out else before


def _one_line(lines: Sequence[str]) -> str:
    return textwrap.shorten(" ".join(lines), _MAX_LENGTH, placeholder=" …")
