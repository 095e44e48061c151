"""Defaults of parameters, as messages show them."""

import ast
import enum
import reprlib
import sys
from typing import Any

UNKNOWN_VALUE = "…"
"""Stands for a value that has no short text."""

_LONGEST = 60


class Default:
    """A default of which only the text is known.

    :param text: the text
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def shown(default: Any) -> str:
    """Return the default of a parameter as a message shows it, abbreviated if it is long.

    Code of the script is not run for it: a value of a class of the script is shown as ``…``.

    :param default: the value, or a `Default`
    """
    return default.text if isinstance(default, Default) else _SHORT.repr(default)


def shown_expression(expression: ast.expr) -> str:
    """Return the text of an expression, abbreviated if it is long."""
    try:
        text = ast.unparse(expression)
    except RecursionError:
        return UNKNOWN_VALUE
    return text if len(text) <= _LONGEST else UNKNOWN_VALUE


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxlong = self.maxother = _LONGEST

    def repr_instance(self, x: Any, level: int) -> str:
        """Return the text of a value that is neither a text, a whole number nor a container."""
        if isinstance(x, enum.Enum):
            return f"{type(x).__name__}.{x.name}"
        if type(x).__module__.partition(".")[0] not in sys.stdlib_module_names:
            return UNKNOWN_VALUE
        text = super().repr_instance(x, level)
        return UNKNOWN_VALUE if text.startswith("<") else text


_SHORT = _Short()
