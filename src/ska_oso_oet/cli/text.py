"""Text from elsewhere, made safe to show."""


def printable(text: str) -> str:
    """Show control characters, which a terminal would obey, as escapes; keep newlines and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Join the lines of a text, and show control characters as escapes."""
    return printable(" ".join(text.split()))
