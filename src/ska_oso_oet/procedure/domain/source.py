"""The text of a script: its size, and whether it is Python."""

import inspect
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

from .errors import ScriptDefectiveError, ScriptError, ScriptNotAllowedError, ScriptNotFoundError

SIZE_LIMIT = 10_000_000
"""Bytes that a script may have, unless a setting allows another number."""

LONG = 64 * 1024
"""A script of more bytes is long: the server does not read it, its own process checks it.

To parse a text holds the interpreter's lock, and is done twice: of a table of this size, for 45 ms each time.
"""


def require_size(size: int, limit: int, name: str) -> None:
    """Check the size of a script.

    :param size: its size in bytes
    :param limit: bytes that a script may have
    :param name: name of the script, for the error message
    :raises ScriptNotAllowedError: if it is too large
    """
    if size > limit:
        raise ScriptNotAllowedError(
            f"{name} has {size} bytes, {limit} are allowed: read tables from a file of their own, "
            "or raise the property ScriptSizeLimit"
        )


def file_size(path: Path, limit: int) -> int:
    """Return the size of a script's file in bytes, without opening it.

    :param path: the file
    :param limit: bytes that a script may have
    :raises ScriptNotFoundError: if there is no such file, or it is a device, a pipe or a folder
    :raises ScriptNotAllowedError: if it is too large
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _cannot_be_read(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise ScriptNotFoundError(f"'{path}' is not a regular file: check the path of the script")
    require_size(status.st_size, limit, f"'{path}'")
    return status.st_size


def read_file(path: Path, limit: int) -> bytes:
    """Return the text of a script.

    :param path: its file
    :param limit: bytes that a script may have
    :raises ScriptNotFoundError: if it cannot be read, or is a device, a pipe or a folder
    :raises ScriptNotAllowedError: if it is too large
    """
    file_size(path, limit)
    # No more of it, should it have grown.
    text = _read(path, limit + 1)
    require_size(len(text), limit, f"'{path}'")
    return text


def read_beginning(path: Path) -> bytes:
    """Return the first `LONG` bytes of a script.

    :param path: its file
    :raises ScriptNotFoundError: if it cannot be read
    """
    return _read(path, LONG)


def _read(path: Path, count: int) -> bytes:
    try:
        # Without waiting, should the file have become a pipe.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(count)
    except OSError as error:
        raise _cannot_be_read(path, error) from None


def text_size(text: str) -> int:
    """Return the size of a script that is given as its text, in bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def compile_script(source: str | bytes, file: str, name: str) -> CodeType:
    """Compile a script.

    :param source: Python source
    :param file: what stack traces name as its file
    :param name: name of the script, for the error message
    :raises ScriptDefectiveError: if it is not valid Python
    """
    try:
        try:
            return compile(source, file, "exec", dont_inherit=True)
        except RecursionError:
            # What Python compiles as a program is valid: the calls that led here do not count.
            with _depth_of_a_program():
                return compile(source, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        where, reason = (f" in line {error.lineno}" if error.lineno else ""), error.msg
    except ValueError as error:
        where, reason = "", str(error)
    except (RecursionError, MemoryError):
        where, reason = "", "it is too deeply nested"
    raise ScriptDefectiveError(f"{name} is not valid Python{where}: {reason}; fix the script")


@contextmanager
def _depth_of_a_program() -> Iterator[None]:
    """Have the recursion limit count from here, in this thread; the others have more room for a moment."""
    with _one_at_a_time:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + len(inspect.stack(0)) + _CALLS_OF_EXTENSIONS)
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)


_one_at_a_time = threading.Lock()

_CALLS_OF_EXTENSIONS = 50
"""Calls by extension modules, at most, that count and are not on Python's stack."""


def _cannot_be_read(path: Path, error: OSError) -> ScriptError:
    return ScriptNotFoundError(f"the script '{path}' cannot be read: {error.strerror}")
