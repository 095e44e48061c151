"""Syntax trees of Python text, for any thread.

CPython 3.11 counts the depth of a tree that it makes in one place for all threads. Where a search for
garbage lets other code make one meanwhile, `ast.parse` raises SystemError ("recursion depth mismatch"; issue
106905 of CPython). So trees are made one after the other; and since the traceback of an exception makes one,
too, a tree that has failed is made again.
"""

import ast
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_ATTEMPTS: Final = 10

_lock = threading.Lock()


def parse_module(source: str | bytes, name: str) -> ast.Module:
    """Return the syntax tree of a module.

    :param source: its text
    :param name: its name, for error messages
    :raises SyntaxError: if it is not valid Python
    :raises ValueError: if it contains a null character
    :raises RecursionError: if it is too deeply nested
    :raises MemoryError: likewise
    """
    return _undisturbed(lambda: ast.parse(source, name))


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    :param text: its text
    :raises SyntaxError: if it is not a valid expression
    """
    return _undisturbed(lambda: ast.parse(text, mode="eval")).body


def _undisturbed(parse: Callable[[], T]) -> T:
    with _lock:
        for _ in range(_ATTEMPTS - 1):
            try:
                return parse()
            except SystemError:
                continue
        return parse()
