"""The text of a script: its size, and whether it is Python."""

import os
import stat
import threading
from concurrent.futures import Future
from pathlib import Path
from types import CodeType

from .errors import ScriptDefectiveError, ScriptError, ScriptNotAllowedError, ScriptNotFoundError

SIZE_LIMIT = 10_000_000
"""Bytes that a script may have, unless a setting allows another number."""

LONG = 64 * 1024
"""A script of more bytes is long: the server does not read it, its own process checks it.

Parsing holds the interpreter's lock, and is done twice: for a table of this size, 45 ms each time.
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
    # Not more, if it has grown.
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
        # Without waiting, if the file has become a pipe.
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
            return _compile_as_a_program(source, file)
    except SyntaxError as error:
        where, reason = (f" in line {error.lineno}" if error.lineno else ""), error.msg
    except ValueError as error:
        where, reason = "", str(error)
    except (RecursionError, MemoryError):
        where, reason = "", "it is too deeply nested"
    raise ScriptDefectiveError(f"{name} is not valid Python{where}: {reason}; fix the script")


def _compile_as_a_program(source: str | bytes, file: str) -> CodeType:
    """Compile a script at the beginning of a thread, where no other calls count for the recursion limit.

    The limit itself is of no use: the one that counts for the compiler is fixed since Python 3.12.
    """
    compiled: Future[CodeType] = Future()

    def compile_here() -> None:
        try:
            compiled.set_result(compile(source, file, "exec", dont_inherit=True))
        except BaseException as error:
            compiled.set_exception(error)

    thread = threading.Thread(target=compile_here, name="oet-compile", daemon=True)
    thread.start()
    thread.join()
    return compiled.result()


def _cannot_be_read(path: Path, error: OSError) -> ScriptError:
    return ScriptNotFoundError(f"the script '{path}' cannot be read: {error.strerror}")
