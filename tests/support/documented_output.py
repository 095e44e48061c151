"""Comparison of what a documentation page shows with what was printed."""

import re
from collections.abc import Sequence

ELLIPSIS = "…"
"""Stands for any text in a line and, alone in a line, for any number of lines."""

_SCRIPT_OUTPUT = "| "
"""Mark of the `oet` command before output of a script, which arrives beside the events."""

_VARYING = re.compile(
    r"(?P<any>…)"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<time>\d\d:\d\d:\d\d(\.\d+)?)"
    r"|(?P<number>(?<=^)\s*\d+(?= \d\d:\d\d:\d\d\.\d+  ))"
    r"|(?P<line>─+)"
    r"|(?P<space>\s+)"
)
_PATTERNS = {
    "any": ".*",
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d:\d\d(\.\d+)?",
    "number": r"\s*\d+",
    "line": "─+",
    "space": r"\s+",
}


def agrees(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Return whether a page shows what was printed.

    Dates, times, numbers of events, empty lines, the amount of white space and the length of
    drawn lines may differ. Output of a script and events are
    compared separately where both are shown: they arrive in two streams.

    :param shown: lines of the page
    :param printed: lines that were printed
    """
    if not any(line.startswith(_SCRIPT_OUTPUT) for line in shown):
        return _agree(shown, printed)
    return all(_agree(_stream(shown, of_script), _stream(printed, of_script)) for of_script in (True, False))


def _stream(lines: Sequence[str], of_script: bool) -> list[str]:
    """Return the lines that a script has printed, or the others, and all ellipses."""
    return [
        line for line in lines if line.strip() == ELLIPSIS or line.startswith(_SCRIPT_OUTPUT) is of_script
    ]


def _agree(shown: Sequence[str], printed: Sequence[str]) -> bool:
    pattern = "".join(
        r"(.*\n)*" if line.strip() == ELLIPSIS else f"{_pattern(line)}\\n" for line in shown if line.strip()
    )
    text = "".join(f"{line.rstrip()}\n" for line in printed if line.strip())
    return re.fullmatch(pattern, text) is not None


def _pattern(line: str) -> str:
    """Return a regular expression of all lines that a line of a page may stand for."""
    line, parts, end = line.rstrip(), [], 0
    for varying in _VARYING.finditer(line):
        parts += [re.escape(line[end : varying.start()]), _PATTERNS[str(varying.lastgroup)]]
        end = varying.end()
    return "".join([*parts, re.escape(line[end:])])
