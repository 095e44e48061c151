"""Markdown that is put together by code."""

import inspect
import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table.

    :param head: titles of the columns
    :param rows: texts of the cells, in Markdown
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms and what they mean, without those that mean nothing."""
    return "\n\n".join(f"{term}\n: {_cell(meaning)}" for term, meaning in pairs if meaning)


def code(text: object) -> str:
    """Return a text as code."""
    return f"`{text}`"


def prose(text: str) -> str:
    """Return a sentence of the code as Markdown: JSON objects in it become code, and nothing becomes HTML."""
    if "`" in text:
        return text
    shown, depth = [], 0
    for character in text:
        # Outermost braces only: an object is one piece of code, with all that is in it.
        opens, closes = character == "{", character == "}"
        shown.append("`" * (opens and depth == 0))
        depth = max(0, depth + opens - closes)
        shown.append("&lt;" if character == "<" and depth == 0 else character)
        shown.append("`" * (closes and depth == 0))
    return "".join(shown)


def docstring(documented: object) -> str:
    """Return the docstring of a class or a function as Markdown, without its fields."""
    text = inspect.cleandoc(getattr(documented, "__doc__", None) or "")
    return text.split("\n:")[0].strip()


def first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text.strip(), maxsplit=1)[0]
