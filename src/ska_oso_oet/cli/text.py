"""Text from elsewhere, made safe to show."""

import itertools


def printable(text: str) -> str:
    """Show control characters, which a terminal would obey, as escapes; keep newlines and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Join the lines of a text, and show control characters as escapes."""
    return printable(" ".join(text.split()))


def exception_message(stacktrace: str) -> str:
    """Return what happened, without where: of an exception the lines after its innermost frame.

    :param stacktrace: as Python prints it, or another text that begins with a sentence
    """
    lines = stacktrace.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    if not frames:
        return lines[0] if lines else ""
    message = itertools.dropwhile(lambda line: line.startswith("    "), lines[frames[-1] + 1 :])
    return "\n".join(message) or lines[-1]
