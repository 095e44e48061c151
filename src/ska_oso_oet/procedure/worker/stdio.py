"""Standard streams of a worker: input is empty, and output goes to the manager."""

import faulthandler
import functools
import io
import logging
import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


class _LiveStream(io.TextIOWrapper):
    """Writes at once: a reader sees also a line that is not complete, and a crash loses nothing."""

    def write(self, text: str, /) -> int:
        """Write text, and flush it."""
        written = super().write(text)
        self.flush()
        return written


def redirect_stdio(output: Connection) -> None:
    """Let standard output, standard error and logging go to one pipe, in the order in which they are written.

    Output of C libraries and subprocesses goes there, too.

    :param output: the pipe; it is closed, because the standard streams keep it open from now on
    """
    os.set_blocking(output.fileno(), True)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(_buffered(0, "<stdin>"), "utf-8")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _LiveStream(  # type: ignore[misc]
        _buffered(1, "<stdout>"), "utf-8", "backslashreplace"
    )
    sys.stderr = sys.__stderr__ = _LiveStream(  # type: ignore[misc]
        _buffered(2, "<stderr>"), "utf-8", "backslashreplace"
    )
    # If C code crashes, this shows the line of the script.
    faulthandler.enable(2, all_threads=False)
    set_up_logging()


def _buffered(descriptor: int, name: str) -> Any:
    """Return one of the standard streams, for bytes, with the name that Python gives it."""
    raw = io.FileIO(descriptor, "rb" if descriptor == 0 else "wb", closefd=False)
    raw.name = name
    return io.BufferedReader(raw) if descriptor == 0 else io.BufferedWriter(raw)


def set_up_logging() -> None:
    """Let loggers write to standard error as long as the script has not configured logging.

    Logging counts as not configured, so that the script can do that as in any program.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.setLevel(logging.INFO)
    fallback = logging.StreamHandler(sys.stderr)
    fallback.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.lastResort = fallback
    configure = logging.basicConfig

    @functools.wraps(configure)
    def basic_config(**kwargs: Any) -> None:
        # `logging.info` and the like call it where logging is not configured: that must stay so.
        if sys._getframe(1).f_globals is not vars(logging):  # noqa: SLF001
            configure(**kwargs)

    logging.basicConfig = basic_config


def flush_stdio() -> None:
    """Flush the streams, as far as the script has left them usable."""
    for stream in (sys.stdout, sys.stderr):
        # A script may have closed a stream, or put anything at all in its place.
        with suppress(Exception):
            stream.flush()
