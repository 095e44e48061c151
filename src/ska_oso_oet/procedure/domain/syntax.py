"""Syntax trees of Python text, for any thread.

CPython 3.11 counts the depth of a tree that it makes in one place for all threads. Where a search for
garbage lets another thread make one meanwhile, `ast.parse` raises SystemError ("recursion depth mismatch").
So trees are made one after the other.
"""

import ast
import threading

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
    with _lock:
        return ast.parse(source, name)


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression.

    :param text: its text
    :raises SyntaxError: if it is not a valid expression
    """
    with _lock:
        return ast.parse(text, mode="eval").body
