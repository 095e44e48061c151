"""Text from elsewhere, made safe to show."""

import itertools


def printable(text: str) -> str:
    """Show control characters, which a terminal would obey, as escapes; keep newlines and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Join the lines of a text, and show control characters as escapes."""
    return printable(" ".join(text.split()))


def exception_message(stacktrace: str) -> str:
    """Return what an exception said, which may take several lines: those after its innermost frame.

    :param stacktrace: as Python prints it; any other text is returned as it is
    """
    lines = stacktrace.rstrip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    begin = frames[-1] + 1 if frames else 0
    message = itertools.dropwhile(lambda line: line.startswith("    "), lines[begin:])
    return "\n".join(message) or stacktrace
